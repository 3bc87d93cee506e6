"""From what a user types to a factory: ``module:attribute``, ``file.py:attribute``, or a catalogue name."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surrogate_core import libraries
from surrogate_core.errors import BadInput, near_misses
from surrogate_core.safe_text import brief, representation, word

if TYPE_CHECKING:
    from surrogate_core.spec.model import Parameters

__all__ = ["Misfit", "Target", "locate", "resolve"]

LONGEST_NAME = 1_000
"""Characters kept of a target's name, which is shown wherever it is judged; paths are seldom longer."""

Factory = Callable[..., Any]
"""Called with the spec's parameters by keyword, returns a spike function."""

_LOADING = """\
import importlib.util, sys
loader = importlib.util.spec_from_file_location("implementation", {path!r})
implementation = importlib.util.module_from_spec(loader)
sys.modules["implementation"] = implementation
sys.path.append({folder!r})
loader.loader.exec_module(implementation)"""
"""How a script imports a file."""


class Misfit(BadInput):
    """The installed version of a library lacks what its entry in the catalogue says it has.

    That is no finding: no documentation is contradicted, only the entry, which is of another version.
    """


@dataclass(frozen=True)
class Target:
    """A factory that can be found again in another process, and named in a script.

    Attributes:
        name: what the user typed.
        module: the module to import, or the path of a file.
        attribute: the factory in it, dots allowed.
        keywords: (parameter of the spec, keyword of the factory) pairs; empty for the same names.
        framework: ``jax``, ``torch``, or ``auto`` where it is not known.
        distribution: the package whose version counts; empty where there is none.
        fixed: (keyword, value) pairs that the factory is always called with.
        blocked: modules that must not be imported along with it.
        function: whether the attribute takes the input, and the parameters by keyword, and is no factory.
        adapter: whether the factory is a catalogue's adapter, whose source stands in a script in place of its import.
        given: the factory itself where the user handed over an object.
    """

    name: str
    module: str
    attribute: str
    keywords: tuple[tuple[str, str], ...] = ()
    framework: str = "auto"
    distribution: str = ""
    fixed: tuple[tuple[str, Any], ...] = ()
    blocked: tuple[str, ...] = ()
    function: bool = False
    adapter: bool = False
    given: Factory | None = field(default=None, compare=False)

    def factory(self) -> Factory:
        """Import it; raises :class:`BadInput` where that fails or what is found cannot be called."""
        found = self.located()
        if not callable(found):
            raise self.lacking(
                f"target {self.name!r} is {representation(found)}",
                "a factory: a callable that takes the spec's parameters and returns a spike function",
                "point at the class or function that makes the surrogate",
            )
        return functools.partial(functools.partial, found) if self.function else found

    def located(self) -> Any:
        """What stands at its place, whatever it is; raises :class:`BadInput` where nothing does."""
        for module in self.blocked:
            # None makes an import fail. What the user has imported already is left to them.
            sys.modules.setdefault(module, None)  # pyright: ignore[reportArgumentType]
        return self.given or _attribute(self, _imported(self))

    def origin(self) -> Any:
        """What stands at its place; of an adapter, what that is for. Raises :class:`BadInput` where nothing does."""
        if not self.adapter:
            return self.located()
        known = libraries.find(self.name).surrogate
        return replace(self, module=known.module, attribute=known.attribute, adapter=False).located()

    def check_present(self) -> None:
        """Import it; raises :class:`BadInput` where that fails, also of the library that an adapter is for."""
        self.origin()
        self.factory()

    def lacking(self, given: str, expected: str, next_step: str) -> BadInput:
        """The mistake that something is not there as it was named: the entry's, where it is the catalogue that did."""
        known = None if ":" in self.name else libraries.entries().get(self.name)
        if known is None or not libraries.installed(known.library):
            return BadInput(given, expected, next_step)
        return Misfit(
            given,
            f"{expected}, as {libraries.whence(known.library)} says of {libraries.version(known.library)}",
            f"correct the entry, or install a version that it fits; {next_step}",
        )

    def arguments(self, parameters: Parameters) -> dict[str, Any]:
        """The factory's keyword arguments for a parameter set."""
        renamed = dict(self.keywords)
        return {**{renamed.get(name, name): value for name, value in parameters}, **dict(self.fixed)}

    def build(self, parameters: Parameters) -> Callable[[Any], Any]:
        """What the factory makes; whatever it raises comes through."""
        return self.factory()(**self.arguments(parameters))

    def check_signature(self, parameters: Parameters) -> None:
        """Raise :class:`BadInput` where the factory's signature refuses the spec's parameters."""
        factory = self.located() if self.function else self.factory()
        try:
            signature = inspect.signature(factory)
        except Exception:  # none, or an attribute of it that raises
            return
        try:
            signature.bind(*[None] * self.function, **self.arguments(parameters))
        except TypeError as error:
            wanted = ", ".join(name for name, _ in parameters)
            raise self.lacking(
                f"target {self.name!r} with the signature {signature} refuses the spec's parameters: {error}",
                f"a factory that is called with {wanted or 'no arguments'} by keyword and returns a spike function",
                f"wrap it: def make({wanted}): return lambda x: ...   and give file.py:make",
            ) from None

    def script(self, parameters: Parameters) -> tuple[str, str]:
        """(imports, expression) that build the spike function without this harness; empty where impossible."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments(parameters).items())
        if not self.module:
            return "", ""
        first, _, rest = self.attribute.partition(".")
        made = f"{first}{'.' + rest if rest else ''}({arguments})"
        if self.function:
            made = f"functools.partial({', '.join(filter(None, (self.attribute, arguments)))})"
            return f"import functools\n{self._blocking()}from {self.module} import {first}", made
        if self.adapter:
            return self._blocking() + inspect.getsource(self.factory()).rstrip(), made
        if self.module.endswith(".py"):
            return _LOADING.format(path=self.module, folder=str(Path(self.module).parent)), f"implementation.{made}"
        return f"{self._blocking()}from {self.module} import {first}", made

    def _blocking(self) -> str:
        """The lines of a script that keep modules from being imported."""
        lines = [
            f"sys.modules[{module!r}] = None  # what it does when imported is not wanted" for module in self.blocked
        ]
        return "\n".join(["import sys", *lines, ""]) if lines else ""

    def version(self) -> str:
        """Version of the package the factory comes from; empty for a file or where none is installed."""
        try:
            return importlib.metadata.version(self.distribution) if self.distribution else ""
        except importlib.metadata.PackageNotFoundError:
            return ""


def resolve(target: str | Factory, framework: str = "auto") -> Target:
    """What a user gave, as a :class:`Target` that was imported.

    Raises:
        BadInput: the form is not understood, or a module, file, attribute or library does not exist.
    """
    found = locate(target, framework)
    found.check_present()
    return found


def locate(target: str | Factory, framework: str = "auto") -> Target:
    """What a user gave, as a :class:`Target`; nothing is imported.

    Raises:
        BadInput: the form is not understood.
    """
    if not isinstance(target, str):
        return _from_object(target, framework)
    if ":" in target.strip(":"):
        module, _, attribute = target.rpartition(":")
        if module.endswith(".py"):
            module = _resolved(module)
        distribution = "" if module.endswith(".py") else _distribution(module)
        blocked = () if module.endswith(".py") else _blocked_with(module)
        return Target(brief(target, LONGEST_NAME), module, attribute, (), framework, distribution, blocked=blocked)
    return _from_catalogue(target, framework)


def _from_catalogue(name: str, framework: str) -> Target:
    """The target that a catalogue calls ``name``."""
    try:
        library, known = libraries.find(name)
    except BadInput as unknown:
        forms = "package.module:attribute, path/to/file.py:attribute"
        raise BadInput(f"target {name!r}", f"{forms}, or {unknown.expected}", unknown.next_step) from None
    found = Target(
        name,
        known.module,
        known.attribute,
        known.keywords,
        known.framework if framework == "auto" else framework,
        library.distribution,
        known.fixed,
        library.blocked,
        known.function,
    )
    if known.adapter is None:
        return found
    return replace(found, module=known.adapter.__module__, attribute=known.adapter.__qualname__, adapter=True)


def _blocked_with(module: str) -> tuple[str, ...]:
    """Modules that must not be imported along with one that the user named."""
    package = module.partition(".")[0]
    return next((library.blocked for library in libraries.libraries() if library.package == package), ())


def _resolved(path: str) -> str:
    try:
        return str(Path(path).resolve())
    except (OSError, ValueError) as error:
        # A name with a null byte, or half a character, is none of a file.
        raise BadInput(f"target {path!r}: {error}", "a Python file", "check the path") from None


def _from_object(target: Any, framework: str) -> Target:
    if not callable(target):
        raise BadInput(
            f"target {representation(target)} of type {type(target).__name__}",
            "a string, or a factory: a callable that returns a spike function",
            "pass the class or function that makes the surrogate, not its name's parts",
        )
    name = word(target, "__qualname__") or type(target).__name__
    module = word(target, "__module__")
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    importable = found is target and module != "__main__"
    where = module if importable else ""
    return Target(
        brief(f"{module}:{name}", LONGEST_NAME), where, name, (), framework, _distribution(module), given=target
    )


def _distribution(module: str) -> str:
    top = module.partition(".")[0]
    try:
        # Most are called like their distribution; to read which modules every distribution lists takes long.
        return importlib.metadata.distribution(top).name if top else ""
    except importlib.metadata.PackageNotFoundError:
        return next(iter(_distributions().get(top, ())), "")


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _imported(target: Target) -> Any:
    module = target.module
    try:
        return _file(module, target.name) if module.endswith(".py") else importlib.import_module(module)
    except BadInput:
        raise
    except ModuleNotFoundError as error:
        if _is_not_there(module, error.name or ""):
            given = f"target {target.name!r}: no module named {error.name!r}"
            raise target.lacking(given, "a module that can be imported here", _remedy(module)) from None
        raise _broken(target.name) from None
    except (Exception, SystemExit):
        # SystemExit too: a script that ends in sys.exit(0) must not end the check as a pass.
        raise _broken(target.name) from None


def _is_not_there(module: str, missing: str) -> bool:
    """Whether what could not be found is the module itself, or what it is in, and not what one of these imports."""
    above = missing.rpartition(".")[0]
    # A package that fails because it imports a part of itself which is not there has not been imported either.
    return bool(missing) and f"{module}.".startswith(f"{missing}.") and (not above or above in sys.modules)


def _remedy(module: str) -> str:
    bringing = {library.package: library.install for library in libraries.libraries()}
    return bringing.get(module.partition(".")[0], "install the package, or run from its folder")


def _broken(target: str) -> BadInput:
    return BadInput(
        f"target {target!r} cannot be imported:\n{traceback.format_exc()}",
        "a module that imports without an exception",
        "mend the import error above",
    )


def _file(path: str, target: str) -> Any:
    """The module in a file, executed anew only when the file has changed."""
    if not Path(path).is_file():
        near = [p.name for p in Path(path).parent.glob("*.py")] if Path(path).parent.is_dir() else []
        hint = near_misses(Path(path).name, near) if near else "check the path: no Python file is in that folder"
        raise BadInput(f"target {target!r}: no file {path}", "a Python file", hint)
    state = Path(path).stat()
    return _executed(path, state.st_mtime_ns, state.st_size)


@functools.cache
def _executed(path: str, _changed: int, _size: int) -> Any:
    name = f"surrogate_core_target_{Path(path).stem}_{abs(hash(path)):x}"
    loader = importlib.util.spec_from_file_location(name, path)
    if loader is None or loader.loader is None:
        raise BadInput(f"file {path}", "a Python source file", "give a path that ends in .py")
    # Its neighbours can be imported, as under `python file.py`.
    if (folder := str(Path(path).parent)) not in sys.path:
        sys.path.append(folder)
    module = importlib.util.module_from_spec(loader)
    sys.modules[name] = module  # dataclasses and pickle look their module up here
    loader.loader.exec_module(module)
    return module


def _attribute(target: Target, module: Any) -> Any:
    found = module
    for part in target.attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            names = [name for name in dir(found) if not name.startswith("_")]
            raise target.lacking(
                f"target {target.name!r}: {target.module} has no attribute {target.attribute!r}",
                "a factory in that module",
                near_misses(part, names),
            ) from None
        except (Exception, SystemExit):
            raise _broken(target.name) from None
    return found
