"""Planning: from what a user asked to units of work, plain picklable values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from surrogate_core.drivers import get_driver
from surrogate_core.drivers.tally import Span
from surrogate_core.engine.framework import detect
from surrogate_core.engine.result import case_words, identity
from surrogate_core.engine.target import Factory, Target, resolve
from surrogate_core.errors import BadInput, near_misses
from surrogate_core.libraries import find
from surrogate_core.properties import Case, select
from surrogate_core.properties.base import Proof, Scope, Search, Statement
from surrogate_core.spec.catalogue import get_spec
from surrogate_core.spec.formats import FORMATS, Format, get_format
from surrogate_core.spec.model import Parameters, Spec

__all__ = ["PROFILES", "Implementation", "Plan", "Unit", "plan"]

PROFILES = ("quick", "standard", "thorough")


@dataclass(frozen=True)
class Implementation:
    """A target, with its framework known and the spec that it is judged against."""

    target: Target
    framework: str
    spec: Spec

    @property
    def name(self) -> str:
        return self.target.name


@dataclass(frozen=True)
class Unit:
    """One property, to be judged for one implementation in one case; of a proof, one span of patterns."""

    implementation: Implementation
    property_id: str
    case: Case
    span: Span | None = None

    @property
    def id(self) -> str:
        """The name of its result."""
        where = case_words(self.case.dtype, self.case.parameters, self.case.device, self.part)
        return identity(self.implementation.name, self.property_id, where)

    @property
    def part(self) -> str:
        """The span in words, as magnitudes of its bit patterns; empty where there is none."""
        if self.span is None:
            return ""
        every = f"/{self.span.stride}" if self.span.stride > 1 else ""
        return f"0x{self.span.start:08x}..0x{self.span.stop:08x}{every}"


@dataclass(frozen=True)
class Plan:
    """Everything that one run will do.

    Attributes:
        units: in the order of evaluation: units that share evaluations stand together.
    """

    implementations: tuple[Implementation, ...]
    units: tuple[Unit, ...]
    profile: str
    seed: int


def plan(
    targets: Sequence[str | Factory],
    spec: Spec | None = None,
    *,
    params: Mapping[str, float | Sequence[float]] | None = None,
    profile: str = "standard",
    properties: Sequence[str] = (),
    dtypes: Sequence[str] = (),
    seed: int = 0,
    framework: str = "auto",
) -> Plan:
    """Lay out the work.

    Without a ``spec``, each target is judged against the one that the catalogue says it declares; one that the
    catalogue does not know, against ``slayer``.

    Pointwise properties are judged on the first device of every backend, ``device.agreement`` on all.

    Raises:
        BadInput: a target, parameter, profile, property, dtype or framework that cannot be used, or two
            different specs of one name.
    """
    if profile not in PROFILES:
        raise BadInput(f"profile {profile!r}", f"one of {', '.join(PROFILES)}", near_misses(profile, PROFILES))
    if not isinstance(seed, int) or seed < 0:
        raise BadInput(f"seed {seed!r}", "a whole number from 0 on", "leave it out for 0")
    properties = (properties,) if isinstance(properties, str) else properties
    dtypes = (dtypes,) if isinstance(dtypes, str) else dtypes
    if not targets:
        raise BadInput("no target", "at least one implementation to judge", "see `surrogate-core list implementations`")
    values = {name: _several(name, given) for name, given in (params or {}).items()}
    wanted = select(tuple(properties))
    formats = [get_format(name) for name in dict.fromkeys(dtypes)] or list(FORMATS.values())
    specs: dict[str, Spec] = {}
    implementations: list[Implementation] = []
    units: list[Unit] = []
    for given in targets:
        target = resolve(given, framework)
        if target.name in (i.name for i in implementations):
            raise BadInput(f"target {target.name!r}, given twice", "each target once", "drop one of them")
        declared = spec or _declared(given)
        if specs.setdefault(declared.name, declared) != declared:
            raise BadInput(f"two different specs named {declared.name!r}", "one spec a name", "rename one of them")
        grid = declared.grid(profile, values)
        target.check_signature(grid[0])
        implementation = Implementation(target, detect(target, grid[0]), declared)
        implementations.append(implementation)
        judged = [p for p in wanted if p.applies(declared)]
        units += _units(implementation, judged, _places(formats, grid, profile), profile, seed)
    return Plan(tuple(implementations), tuple(units), profile, seed)


def _declared(target: str | Factory) -> Spec:
    """The spec that the catalogue says the target declares; ``slayer`` where it does not know the target."""
    named = isinstance(target, str) and ":" not in target
    return find(target).surrogate.declared() if named else get_spec("slayer")


def _units(
    implementation: Implementation,
    chosen: Sequence[Statement],
    places: Sequence[tuple[str, Parameters, set[Scope]]],
    profile: str,
    seed: int,
) -> list[Unit]:
    framework = implementation.framework
    devices = tuple(d.name for d in get_driver(framework).devices())
    first = {name.partition(":")[0]: name for name in reversed(devices)}
    cases = [
        (Case(implementation.spec, dtype, values, device, devices, framework, profile, seed), scopes)
        for device in reversed(first.values())
        for dtype, values, scopes in places
    ]
    return [
        Unit(implementation, p.id, case, span)
        for case, scopes in cases
        for p in chosen
        if p.scope in scopes and framework in p.frameworks and not (isinstance(p, Search) and not p.wanted(case))
        for span in (p.spans(case) if isinstance(p, Proof) else (None,))
    ]


def _places(
    formats: Sequence[Format], grid: tuple[Parameters, ...], profile: str
) -> list[tuple[str, Parameters, set[Scope]]]:
    """(dtype, parameters, scopes) of every case: what is to be judged there."""
    names = [fmt.name for fmt in formats]
    single = "float32" if "float32" in names else names[0]
    # Where a power of two would do, no product rounds; a rate that is lost shows less.
    rounding = next((values for values in grid if all(math.frexp(v)[0] != 0.5 for _, v in values)), grid[0])
    places: list[tuple[str, Parameters, set[Scope]]] = []
    for name in names:
        for values in grid:
            scopes: set[Scope] = {"every case"}
            if values == rounding and (name == single or profile != "quick"):
                scopes.add("each dtype")
            if values == rounding and (name == single or profile == "thorough"):
                scopes.add("once")
            places.append((name, values, scopes))
    return places


def _several(name: str, values: float | Sequence[float]) -> tuple[float, ...]:
    """The values of a parameter, of which one may stand alone."""
    try:
        if isinstance(values, str):
            raise TypeError("a string is a sequence of characters, not of numbers")
        return tuple(float(v) for v in (values if isinstance(values, Iterable) else (values,)))
    except (TypeError, ValueError):
        raise BadInput(f"parameter {name}={values!r}", "numbers", f"for example {{{name!r}: [0.5, 1, 2]}}") from None
