"""What the code under test finds in its process and may change there: noticed, told, and put back.

A default dtype, a warnings filter, a patched ``jax.grad``: whatever is judged next in the process would be judged by
them. So each is read before the code under test runs and compared afterwards. A change is no broken promise, as no
spec speaks of it: it is told as a remark of the property in which it was found, whatever that property's outcome. Only
where a function was replaced by which the harness itself observes, nothing was observed, and the property is errored.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import locale
import operator
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from surrogate_core.engine.floating import floating_point, reset_floating_point
from surrogate_core.engine.telling import printable, sentence

__all__ = ["EVERYONE", "kept", "told"]

EVERYONE = ""
"""In place of an implementation's name: what a library did that was imported for all that are judged in a process."""

NAMED = 4
"""So many variables, options or functions are named in a remark; more are counted."""

LONGEST = 200
"""Characters kept of a value: a working directory or a locale can have any name."""

OWN = frozenset({"TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"})
"""Variables of the environment that PyTorch's compiler sets when it is first used."""

WATCHED = ("numpy", "jax", "jax.lax", "jax.numpy", "torch", "torch.autograd", "torch.func")
"""Modules whose public functions and classes are looked at: those that the harness and other implementations call."""

WRAPPED = frozenset({"manual_seed"})
"""Of them, what PyTorch itself replaces: its compiler wraps it where it is first imported (``torch/_dynamo``)."""


@dataclass(frozen=True)
class Part:
    """One part of what surrounds the code under test.

    Attributes:
        name: what it is, in words.
        read: its state, to be compared.
        restore: puts it back, from the state before.
        words: what changed, from the states before and after; empty where a name says enough.
        module: the module that it belongs to, and is not there without.
        lasting: whether what an import does to it stays, for as long as its process: it is how a library is set up.
    """

    name: str
    read: Callable[[], Any]
    restore: Callable[[Any], object]
    words: Callable[[Any, Any], str] = lambda before, after: f" to {after}"
    module: str = ""
    lasting: bool = False


# ---- of any process ------------------------------------------------------------------------------


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "a folder that is not there"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OWN}


def _restore_environment(before: dict[str, str]) -> None:
    for name in _changed(before, _environment()):
        if name in before:
            os.environ[name] = before[name]
        else:
            del os.environ[name]


def _filters() -> list[Any]:
    """Those that concern everybody's warnings.

    A filter for one message, for one module, or of a library's own kind of warning is that library's affair: SciPy and
    PyTorch set such as they are loaded.
    """
    return [
        (action, message, category, module, line)
        for action, message, category, module, line in warnings.filters
        if message is None and module is None and category.__module__ == "builtins"
    ]


def _restore_filters(before: Sequence[Any]) -> None:
    everybodys = _filters()
    own = [one for one in warnings.filters if one not in everybodys]
    warnings.filters[:] = [*own, *before]  # pyright: ignore[reportIndexIssue]  (a list, typed as a sequence)
    with warnings.catch_warnings():
        pass  # on leaving, what was derived from the filters is forgotten


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The names whose values are not the same ones."""
    names = dict.fromkeys([*before, *after])
    return [n for n in names if n not in before or n not in after or not _same(before[n], after[n])]


def _same(before: Any, after: Any) -> bool:
    return before is after or bool(before == after)


def _names(before: dict[str, Any], after: dict[str, Any]) -> str:
    return f" ({_listed(_changed(before, after))})"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


# ---- of a framework ------------------------------------------------------------------------------


def _jax_options() -> dict[str, Any]:
    return sys.modules["jax"].config.values


def _restore_jax_options(before: dict[str, Any]) -> None:
    config = sys.modules["jax"].config
    for name in _changed(before, config.values):
        config.update(name, before[name])


def _jax_words(before: dict[str, Any], after: dict[str, Any]) -> str:
    return f" ({_listed([f'{name} to {after.get(name)}' for name in _changed(before, after)])})"


def _torch(read: str, restore: str) -> tuple[Callable[[], Any], Callable[[Any], object]]:
    """The reader and the writer of one of PyTorch's settings."""
    return (
        lambda: getattr(sys.modules["torch"], read)(),
        lambda before: getattr(sys.modules["torch"], restore)(before),
    )


@dataclass(frozen=True)
class _Functions:
    """The public functions and classes of one module, as they were; equal where each is the same one.

    One that the framework itself has wrapped, as PyTorch's compiler does when it is imported, counts as the same one.
    """

    module: str
    names: tuple[str, ...]
    found: tuple[Any, ...]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Functions):
            return False
        # Hundreds of functions, before and after every property; nearly always the very same ones.
        same = all(map(operator.is_, self.found, other.found))
        return same or not (self.replaced(other) and other.replaced(self))

    def replaced(self, other: _Functions) -> list[str]:
        return [
            f"{self.module}.{name}"
            for name, mine, theirs in zip(self.names, self.found, other.found, strict=True)
            if not _is_that(theirs, mine, self.module)
        ]

    def put_back(self) -> None:
        module = sys.modules[self.module]
        for name, function in zip(self.names, self.found, strict=True):
            if not _is_that(getattr(module, name, None), function, self.module):
                setattr(module, name, function)


def _is_that(found: Any, function: Any, module: str) -> bool:
    """Whether what was found is a function, or that function wrapped by code of the module's package."""
    if found is function:
        return True
    code, home = getattr(found, "__code__", None), Path(str(sys.modules[module.partition(".")[0]].__file__)).parent
    own = code is not None and Path(code.co_filename).is_relative_to(home)
    return own and getattr(found, "__wrapped__", None) is function


def _functions(module: str) -> Part:
    names: list[str] = []

    def read() -> _Functions:
        known = vars(sys.modules[module])
        if not names:
            names.extend(n for n, v in known.items() if callable(v) and n[0] != "_" and n not in WRAPPED)
        return _Functions(module, tuple(names), tuple(map(known.get, names)))

    return Part(
        "what is called",
        read,
        _Functions.put_back,
        lambda before, after: f" {_listed(before.replaced(after))}",
        module,
    )


PARTS = (
    Part("the working directory", _folder, os.chdir),
    Part("the environment", _environment, _restore_environment, _names, lasting=True),
    Part("the locale", lambda: locale.setlocale(locale.LC_ALL), lambda before: locale.setlocale(locale.LC_ALL, before)),
    Part("the filters of warnings", _filters, _restore_filters, lambda before, after: ""),
    Part("what NumPy does about errors", np.geterr, lambda before: np.seterr(**before), _names),
    Part("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    Part("the processor's floating-point mode", floating_point, reset_floating_point),
    Part("JAX's configuration", _jax_options, _restore_jax_options, _jax_words, "jax"),
    Part("PyTorch's default dtype", *_torch("get_default_dtype", "set_default_dtype"), module="torch"),
    Part("PyTorch's default device", *_torch("get_default_device", "set_default_device"), module="torch"),
    Part("whether PyTorch records gradients", *_torch("is_grad_enabled", "set_grad_enabled"), module="torch"),
    Part("PyTorch's number of threads", *_torch("get_num_threads", "set_num_threads"), module="torch"),
    *(_functions(module) for module in WATCHED),
)

# ---- noticing ------------------------------------------------------------------------------------

_told: dict[str, dict[str, None]] = {}
"""By implementation, what was found and is still to be told: of one process, as the state itself is."""


@contextlib.contextmanager
def kept(whose: str, doing: str = "it", *, importing: bool = False) -> Iterator[list[str]]:
    """Within it the code under test may change what it likes: afterwards it is put back, and found by :func:`told`.

    What it is entered as holds, afterwards, the names of functions that were replaced: with them everything that was
    observed within is in doubt.

    Args:
        whose: name of the implementation.
        doing: what runs, as the beginning of a sentence.
        importing: whether what sets a library up may stay.
    """
    before: dict[Part, Any] = {part: _state(part) for part in PARTS if _there(part)}
    # A framework that is imported within may be patched by the next line: it is read as soon as it is there.
    missing = {part.module for part in PARTS} - {part.module for part in before}
    arrival = _Arrival({name.partition(".")[0] for name in missing}, before)
    sys.meta_path.insert(0, arrival)
    replaced: list[str] = []
    try:
        yield replaced
    finally:
        with contextlib.suppress(ValueError):  # the code under test may have taken it out
            sys.meta_path.remove(arrival)
        found = _told.setdefault(whose, {})
        for part, state in before.items():
            if (now := _state(part)) != state:
                replaced += state.replaced(now) if isinstance(state, _Functions) else []
                found[_remark(part, state, now, doing, importing and part.lasting)] = None


def _there(part: Part) -> bool:
    return not part.module or part.module in sys.modules


def _state(part: Part) -> Any:
    try:
        return part.read()
    except Exception as error:  # the code under test may have taken away what it is read by
        return sentence(error)


def told(whose: str) -> tuple[str, ...]:
    """What was found of an implementation since it was last asked for, in sentences."""
    return tuple(_told.pop(EVERYONE, {}) | _told.pop(whose, {}))


def _remark(part: Part, before: Any, after: Any, doing: str, lasting: bool) -> str:
    changed = printable(f"{doing} changed {part.name}{part.words(before, after)}"[:LONGEST])
    if lasting:
        return changed
    try:
        part.restore(before)
    except Exception as error:
        return f"{changed}, which could not be put back ({sentence(error)})"
    return f"{changed}, which was put back"


class _Arrival(importlib.abc.MetaPathFinder):
    """Reads the state of a framework once it is imported, before the code that imported it goes on."""

    def __init__(self, awaited: set[str], before: dict[Part, Any]) -> None:
        self._awaited, self._before = awaited - {""}, before

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._awaited:
            return None
        self._awaited.discard(fullname)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                # What loading a framework changes is the framework's own.
                unchanged = [part for part, state in self._before.items() if _state(part) == state]
                load(module)
                arrived = [part for part in PARTS if part.module.partition(".")[0] == fullname]
                self._before.update({part: _state(part) for part in (*unchanged, *arrived) if _there(part)})

            spec.loader.exec_module = exec_module
        return spec
