"""What is known of a library: its surrogates, which spec each declares, what importing it does. All of it data."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from surrogate_core.errors import BadInput, near_misses

if TYPE_CHECKING:
    # Listing what there is needs no sympy.
    from surrogate_core.spec.model import Spec

__all__ = ["Documented", "Excluded", "Hazard", "Library", "Surrogate"]


@dataclass(frozen=True)
class Documented:
    """What a library promises of a surrogate.

    Attributes:
        promise: in the library's own words; where it says nothing, what its source declares.
        where: where that is written: a docstring, a page, a paper with its equation.
    """

    promise: str
    where: str


@dataclass(frozen=True)
class Surrogate:
    """One surrogate of one library, as data: listing it imports nothing.

    A library is judged against its own declaration: ``variant`` and ``defaults`` say where that departs
    from the family's spec.

    Attributes:
        name: what a user types, ``library.Attribute``.
        spec: name of the spec that it declares, in the catalogue or as ``package.module:ATTRIBUTE``.
        framework: ``jax`` or ``torch``; ``auto`` to find out by trying.
        module: the library's module that holds it.
        attribute: its public name there: the factory, where there is no ``adapter``.
        keywords: (parameter of the spec, the factory's keyword for it) pairs; left out: the same names.
        documented: the promise that it is held to.
        variant: (field of the spec, value) pairs that this library's documentation changes.
        defaults: (parameter of the spec, value) pairs: the library's defaults, where they differ.
        fixed: (keyword, value) pairs that the factory is always called with.
        function: whether ``attribute`` is no factory but takes the input, and the parameters by keyword.
        adapter: a function that takes the spec's parameters by keyword and returns a spike function, where
            ``attribute`` alone is no such factory. It imports the library within its body, takes nothing else
            from its module and has no decorators, so that a script can print its source and run it alone.
    """

    name: str
    spec: str
    framework: str
    module: str
    attribute: str
    keywords: tuple[tuple[str, str], ...] = ()
    documented: Documented = Documented("", "")
    variant: tuple[tuple[str, Any], ...] = ()
    defaults: tuple[tuple[str, float], ...] = ()
    fixed: tuple[tuple[str, Any], ...] = ()
    function: bool = False
    adapter: Callable[..., Any] | None = None

    @property
    def origin(self) -> str:
        """Where the library keeps it, ``module:attribute``."""
        return f"{self.module}:{self.attribute}"

    def declared(self) -> Spec:
        """The spec it is judged against: the family's with the library's ``variant`` and ``defaults``.

        A spec that differs is named after its difference: ``sigmoid(at_threshold=0)``.

        Raises:
            BadInput: there is no such spec, it has no such field or parameter (``keywords`` name its parameters,
                too), or a field or a default cannot have that value.
        """
        spec = _varied(self.spec, self.variant, self.defaults)
        names = [p.name for p in spec.parameters]
        for parameter, _ in self.keywords:
            if parameter not in names:
                raise _unknown(f"a keyword of {parameter!r}", self.spec, parameter, names)
        return spec


def _unknown(given: str, spec: str, name: str, names: list[str], kind: str = "parameters") -> BadInput:
    return BadInput(f"{given} for spec {spec!r}", f"one of its {kind}", near_misses(name, names))


@functools.cache
def _varied(name: str, variant: tuple[tuple[str, Any], ...], defaults: tuple[tuple[str, float], ...]) -> Spec:
    from surrogate_core.spec import get_spec
    from surrogate_core.spec.model import trusting

    spec, values = get_spec(name), dict(defaults)
    names = [p.name for p in spec.parameters]
    for unknown in values.keys() - names:
        raise _unknown(f"a default of {unknown!r}", name, unknown, names)
    known = [field.name for field in fields(spec)]
    for unknown in dict(variant).keys() - known:
        raise _unknown(f"a variant of {unknown!r}", name, unknown, known, "fields")
    parameters = tuple(
        replace(p, default=v, typical=(min(p.typical[0], v), max(p.typical[1], v)))
        for p in spec.parameters
        for v in [values.get(p.name, p.default)]
    )
    words = ", ".join(f"{field}={value}" for field, value in (*defaults, *variant))
    if not words:
        return spec
    # Another default leaves the formula's claims what they are, and so does what is not of the formula.
    same = {field for field, _ in variant} <= {"at_threshold", "smooth"}
    try:
        with trusting() if same else contextlib.nullcontext():
            return spec.replace(**{"name": f"{name}({words})", "parameters": parameters, **dict(variant)})
    except BadInput:
        raise
    except Exception as error:  # of sympy, where a field cannot hold its value
        raise BadInput(
            f"spec {name!r} with {words}: {type(error).__name__}: {error}", "values of its fields", "correct them"
        ) from error


@dataclass(frozen=True)
class Excluded:
    """A public name of a library that is not judged.

    Attributes:
        origin: ``module:attribute``; of what is ``accepted`` in the sources, a module or package alone, too.
        reason: why, in a sentence that its maintainer would accept.
        same_as: ``module:attribute`` of the very same object, where that is the reason.
    """

    origin: str
    reason: str
    same_as: str = ""


@dataclass(frozen=True)
class Hazard:
    """What importing a library does to the process that imports it.

    Attributes:
        remark: what happens and what is done about it, for a report.
        blocked: modules that are made impossible to import beforehand.
    """

    remark: str
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Library:
    """One third-party library.

    Attributes:
        name: what its surrogates' names begin with.
        package: the module to import.
        distribution: the installed package whose version counts.
        extra: the pip extra of surrogate_core that brings it; empty where none does.
        surrogates: those that are judged.
        excluded: public names that are not.
        hazards: what its import does.
        uncovered: what is not judged of those that are, a sentence each.
        public: every public surrogate that the installed version exports, as ``module:attribute``; imports it.
        bases: names of its own base classes of surrogates, by which others are found in its sources.
        accepted: what is made like a surrogate in its sources, and is none, is judged by another name or is no
            interface: beside what is ``excluded`` of the exported.
        preload: whether importing it starts no thread, process or backend of a framework, so that it can be
            imported once for the workers of all its surrogates. That is checked, and not relied on.
    """

    name: str
    package: str
    distribution: str
    extra: str
    surrogates: tuple[Surrogate, ...]
    excluded: tuple[Excluded, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    uncovered: tuple[str, ...] = ()
    public: Callable[[], Iterable[str]] = tuple
    bases: tuple[str, ...] = ()
    accepted: tuple[Excluded, ...] = ()
    preload: bool = False

    @property
    def blocked(self) -> tuple[str, ...]:
        """Modules that must not be imported with it."""
        return tuple(module for hazard in self.hazards for module in hazard.blocked)

    @property
    def install(self) -> str:
        """The command that brings it."""
        return f"pip install 'surrogate_core[{self.extra}]'" if self.extra else f"pip install {self.distribution}"
