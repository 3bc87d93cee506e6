"""Planning: from what a user asked to units of work, plain picklable values."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from surrogate_core.drivers.tally import Span
from surrogate_core.engine.facts import Facts, facts
from surrogate_core.engine.result import Result, case_words, identity
from surrogate_core.engine.selection import Selection, without
from surrogate_core.engine.telling import printable
from surrogate_core.errors import BadInput, near_misses
from surrogate_core.libraries import find
from surrogate_core.libraries.target import Factory, Misfit, Target, locate
from surrogate_core.properties import Case, select
from surrogate_core.properties import outcome as outcomes
from surrogate_core.properties.base import Proof, Scope, Search, Statement
from surrogate_core.spec.catalogue import get_spec
from surrogate_core.spec.formats import FORMATS, Format, get_format
from surrogate_core.spec.model import Parameters, Spec

__all__ = ["PROFILES", "Implementation", "Plan", "Unit", "plan", "unusable"]

PROFILES = ("quick", "standard", "thorough")


@dataclass(frozen=True)
class Implementation:
    """A target, with its framework known and the spec that it is judged against."""

    target: Target
    framework: str
    spec: Spec
    facts: Facts = field(default=Facts("", ()), compare=False)

    @property
    def name(self) -> str:
        return self.target.name


@dataclass(frozen=True)
class Unit:
    """One property, to be judged for one implementation in one case; of a proof, one span of patterns.

    ``example`` is what a search looks at first, and at nothing else where it fails.
    """

    implementation: Implementation
    property_id: str
    case: Case
    span: Span | None = None
    example: Any = None

    @property
    def id(self) -> str:
        """The name of its result."""
        where = case_words(self.case.dtype, self.case.parameters, self.case.device, self.part)
        return identity(self.implementation.name, self.property_id, where)

    def result(self, outcome: outcomes.Outcome, **spent: Any) -> Result:
        """Its result; ``spent`` are further fields of it, such as ``seconds``."""
        case, name = self.case, self.implementation.name
        found = Result(name, self.property_id, case.dtype, case.device, case.parameters, outcome, part=self.part)
        return replace(found, **spent)

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
        settled: results that are known already: of implementations that brought down the process that imported them.
        survey: whether it is of libraries, and no mistake of the user's what cannot be imported.
        selection: what a survey chose from: libraries that are here, that are missing, that cannot be used; entries
            that do not fit the installed version.
        partial: whether it is a survey of some properties, which not every implementation promises or supports.
    """

    implementations: tuple[Implementation, ...]
    units: tuple[Unit, ...]
    profile: str
    seed: int
    settled: tuple[Result, ...] = ()
    survey: bool = False
    selection: Selection = field(default=Selection())
    partial: bool = False


START = "process.start"
"""The one result of an implementation that brought down its process before anything could be planned."""

STARTED = "Being imported and called once, the code under test comes back, and leaves its process alive."
"""Its promise."""

Asked = Sequence[tuple[Target, Parameters]]
"""Targets, each with the parameters that its signature has to take."""


Found = Facts | outcomes.Errored | BadInput
"""What was found out: facts; how the target's process ended; or why the target cannot be used."""


def here(asked: Asked) -> list[Found]:
    """Find out about targets in this process."""
    return [_found(target, parameters) for target, parameters in asked]


def _found(target: Target, parameters: Parameters) -> Found:
    try:
        return facts(target, parameters)
    except BadInput as mistake:
        return mistake


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
    ask: Callable[[Asked], Sequence[Found]] = here,
    survey: bool = False,
    selection: Selection | None = None,
) -> Plan:
    """Lay out the work.

    Without a ``spec``, each target is judged against the one that the catalogue says it declares; one that the
    catalogue does not know, against ``slayer``.

    In a ``survey`` a target that cannot be imported is a result like any other, and no mistake of the user's;
    ``selection`` says which libraries it is of, and which it leaves out. An entry that does not fit the installed
    version is no result of the library: it joins what is left out.

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
    located = [locate(given, framework) for given in targets]
    for name, times in Counter(target.name for target in located).items():
        if times > 1:
            raise BadInput(f"target {name!r}, given twice", "each target once", "drop one of them")
    declared = [spec or _declared(given) for given in targets]
    for one, other in itertools.combinations({id(each): each for each in declared}.values(), 2):
        if one.name == other.name and one != other:
            raise BadInput(f"two different specs named {one.name!r}", "one spec a name", "rename one of them")
    grids = [each.grid(profile, values) for each in declared]
    implementations: list[Implementation] = []
    units: list[Unit] = []
    settled: list[Result] = []
    misfits: dict[str, Misfit] = {}
    known = ask([(target, grid[0]) for target, grid in zip(located, grids, strict=True)])
    for target, each, grid, found in zip(located, declared, grids, known, strict=True):
        if isinstance(found, BadInput):
            if not survey:
                raise found
            if isinstance(found, Misfit):
                misfits[target.name] = found
                continue
            found = unusable(found, target.script(grid[0])[0])
        if isinstance(found, outcomes.Errored):
            implementations.append(Implementation(target, target.framework, each))
            settled.append(Result(target.name, START, "", "", (), found))
            continue
        implementation = Implementation(target, found.framework, each, found)
        implementations.append(implementation)
        judged = [p for p in wanted if p.applies(each)]
        units += _units(implementation, judged, _places(formats, grid, profile), profile, seed)
    return Plan(
        tuple(implementations),
        tuple(units),
        profile,
        seed,
        tuple(settled),
        survey,
        without(selection or Selection(), misfits),
        partial=survey and bool(properties),
    )


def unusable(mistake: BadInput, imports: str = "") -> outcomes.Errored:
    """A target that cannot be used, as an outcome; the script of it are its ``imports``."""
    said, _, details = mistake.given.partition("\n")
    lines = details.strip().splitlines()
    message = printable(f"{said} {lines[-1]}" if lines else said)
    return outcomes.Errored(message, printable(details), f"{imports}\n" if imports else "")


def _declared(target: str | Factory) -> Spec:
    """The spec that the catalogue says the target declares; ``slayer`` where it does not know the target."""
    if isinstance(target, str) and ":" not in target:
        return find(target).surrogate.declared()
    return get_spec("slayer")


def _units(
    implementation: Implementation,
    chosen: Sequence[Statement],
    places: Sequence[tuple[str, Parameters, set[Scope]]],
    profile: str,
    seed: int,
) -> list[Unit]:
    framework = implementation.framework
    devices = tuple(name for name, _ in implementation.facts.devices)
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
            if values == rounding or profile == "thorough":
                scopes.add("one rate")
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
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"parameter {name}={values!r}", "numbers", f"for example {{{name!r}: [0.5, 1, 2]}}") from None
