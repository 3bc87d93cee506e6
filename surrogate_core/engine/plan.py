"""Planning: from what a user asked to units of work, plain picklable values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from surrogate_core.drivers import get_driver
from surrogate_core.engine.framework import detect
from surrogate_core.engine.target import Factory, Target, resolve
from surrogate_core.errors import BadInput, near_misses
from surrogate_core.properties import Case, select
from surrogate_core.spec.formats import FORMATS, get_format
from surrogate_core.spec.model import Spec

__all__ = ["PROFILES", "Implementation", "Plan", "Unit", "plan"]

PROFILES = ("quick", "standard", "thorough")


@dataclass(frozen=True)
class Implementation:
    """A target with its framework known."""

    target: Target
    framework: str

    @property
    def name(self) -> str:
        return self.target.name


@dataclass(frozen=True)
class Unit:
    """One property, to be judged for one implementation in one case."""

    implementation: Implementation
    property_id: str
    case: Case


@dataclass(frozen=True)
class Plan:
    """Everything that one run will do.

    Attributes:
        units: in the order of evaluation: units that share evaluations stand together.
    """

    spec: Spec
    implementations: tuple[Implementation, ...]
    units: tuple[Unit, ...]
    profile: str
    seed: int


def plan(
    targets: Sequence[str | Factory],
    spec: Spec,
    *,
    params: Mapping[str, float | Sequence[float]] | None = None,
    profile: str = "standard",
    properties: Sequence[str] = (),
    dtypes: Sequence[str] = (),
    seed: int = 0,
    framework: str = "auto",
) -> Plan:
    """Lay out the work.

    Pointwise properties are judged on the first device of every backend, ``device.agreement`` on all.

    Raises:
        BadInput: a target, parameter, profile, property, dtype or framework that cannot be used.
    """
    if profile not in PROFILES:
        raise BadInput(f"profile {profile!r}", f"one of {', '.join(PROFILES)}", near_misses(profile, PROFILES))
    if not isinstance(seed, int) or seed < 0:
        raise BadInput(f"seed {seed!r}", "a whole number from 0 on", "leave it out for 0")
    properties = (properties,) if isinstance(properties, str) else properties
    dtypes = (dtypes,) if isinstance(dtypes, str) else dtypes
    if not targets:
        raise BadInput("no target", "at least one implementation to judge", "see `surrogate-core list implementations`")
    grid = spec.grid(profile, {name: _several(name, values) for name, values in (params or {}).items()})
    chosen = [p for p in select(tuple(properties)) if p.applies(spec)]
    formats = [get_format(name) for name in dict.fromkeys(dtypes)] or list(FORMATS.values())
    implementations: list[Implementation] = []
    units: list[Unit] = []
    for given in targets:
        target = resolve(given, framework)
        if target.name in (i.name for i in implementations):
            raise BadInput(f"target {target.name!r}, given twice", "each target once", "drop one of them")
        target.check_signature(grid[0])
        implementation = Implementation(target, detect(target, grid[0]))
        implementations.append(implementation)
        devices = tuple(d.name for d in get_driver(implementation.framework).devices())
        first = {name.partition(":")[0]: name for name in reversed(devices)}
        cases = [
            Case(spec, fmt.name, parameters, device, devices, implementation.framework, profile, seed)
            for device in reversed(first.values())
            for fmt in formats
            for parameters in grid
        ]
        units += [Unit(implementation, p.id, case) for case in cases for p in chosen]
    return Plan(spec, tuple(implementations), tuple(units), profile, seed)


def _several(name: str, values: float | Sequence[float]) -> tuple[float, ...]:
    """The values of a parameter, of which one may stand alone."""
    try:
        if isinstance(values, str):
            raise TypeError("a string is a sequence of characters, not of numbers")
        return tuple(float(v) for v in (values if isinstance(values, Iterable) else (values,)))
    except (TypeError, ValueError):
        raise BadInput(f"parameter {name}={values!r}", "numbers", f"for example {{{name!r}: [0.5, 1, 2]}}") from None
