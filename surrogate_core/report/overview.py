"""All findings of a run in one list, the worst first: what a survey is read for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from surrogate_core.engine import Result, Run
from surrogate_core.engine.plan import START
from surrogate_core.properties.outcome import KINDS, Errored, ExpectedFailure, Failed, Kind
from surrogate_core.report.words import listed, plural

__all__ = ["Noted", "noted", "sentence", "together"]


THROUGH = {
    "gradient.oracle": (
        "gradient.peak",
        "gradient.symmetry",
        "gradient.range",
        "gradient.decay",
        "gradient.area",
        "gradient.antiderivative",
        "gradient.scaling",
        "chain.affine",
        "chain.recurrent",
        "state.instances",
        "pointwise.patterns",
        "gradient.smooth",
        "gradient.nonfinite",
        "transform.modes",
    ),
    "forward.step": ("state.instances", "chain.recurrent", "pointwise.patterns"),
}
"""Properties that look at the same curve or the same step in another way: where the first is broken, so are they."""

APART = ("gradient.nonfinite", "transform.modes")
"""Of those, the ones that look where the first does not: what is not as grave as what it found has another cause."""


NONFINITE, PATTERNS = "gradient.nonfinite", "pointwise.patterns"
"""The second looks at every bit pattern, also at those of the first: where it has found no more than the first tells,
it is told with it."""

FINITE = ("wrong_spikes", "wrong_gradients")
"""What the second counts at finite inputs."""


@dataclass(frozen=True)
class Noted:
    """One property that one implementation breaks, or one exception that it ends in.

    Attributes:
        kind: the worst of its cases; an exception is a defect.
        severity: the largest error as a share of the peak; ``None`` where the promise has no size.
        properties: the one that tells it best, then those that only see the same through it; of an exception all
            that met it.
        told: the case to tell: one that is not known, of that kind, of the first property, in float32, where there is
            one.
        results: every case, that of the first property foremost.
        reason: why it is known; empty where it is not.
        others: of an import that fails, the other implementations of the library, which it costs as well.
    """

    kind: Kind
    severity: float | None
    implementation: str
    properties: tuple[str, ...]
    told: Result
    results: tuple[Result, ...]
    reason: str
    others: tuple[str, ...] = ()

    @property
    def implementations(self) -> tuple[str, ...]:
        """All that it is found of."""
        return (self.implementation, *self.others)

    @property
    def cases(self) -> int:
        """How many cases there are."""
        return len(self.results)

    @property
    def outcome(self) -> Failed | Errored:
        """What came of the case that is told."""
        return _broken(self.told)


def noted(run: Run) -> tuple[Noted, ...]:
    """Every finding of each implementation, by kind and severity, then in the order of the run."""
    broken = [r for r in run.results if isinstance(r.outcome, (Failed, Errored, ExpectedFailure))]
    failed: dict[tuple[str, str], int] = {}
    for result in broken:
        if isinstance(outcome := _broken(result), Failed):
            place, grade = (result.implementation, result.property_id), KINDS.index(outcome.kind)
            failed[place] = min(grade, failed.get(place, grade))
    limits = {_met(result) for result in broken if result.property_id == NONFINITE} - {None}
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in broken:
        outcome = _broken(result)
        about = f"error: {outcome.message}" if isinstance(outcome, Errored) else _cause(result, failed)
        if about == PATTERNS and _met(result) in limits:
            about = NONFINITE
        groups.setdefault((result.implementation, about), []).append(result)
    return tuple(sorted((_noted(about, group) for (_, about), group in groups.items()), key=_rank))


def together(run: Run, findings: Sequence[Noted]) -> tuple[Noted, ...]:
    """Those of ``findings`` that have a cause of their own: a library whose import fails is one for all of it."""
    libraries = {str(e["name"]): str(e.get("library") or e["name"]) for e in run.header.get("implementations", [])}
    causes: dict[object, list[Noted]] = {}
    for number, finding in enumerate(findings):
        outcome, name = finding.outcome, finding.implementation
        told: object = number
        if isinstance(outcome, Errored) and finding.told.property_id == START:
            told = libraries.get(name, name), outcome.message.replace(name, "")
        causes.setdefault(told, []).append(finding)
    return tuple(
        replace(
            first,
            others=tuple(one.implementation for one in more),
            # Known is what is known of each.
            reason=first.reason if all(one.reason for one in more) else "",
        )
        for first, *more in causes.values()
    )


def _cause(result: Result, failed: Mapping[tuple[str, str], int]) -> str:
    """The broken promise through which another one is broken too: its own, where there is none."""
    own = (result.implementation, result.property_id)
    for cause, seen in THROUGH.items():
        grade = failed.get((result.implementation, cause))
        if grade is None or result.property_id not in seen:
            continue
        if result.property_id not in APART or failed[own] == grade:
            return cause
    return result.property_id


def _met(result: Result) -> tuple[str, ...] | None:
    """Where a failure was met and what was answered there; ``None`` where finite inputs fail as well."""
    outcome = _broken(result)
    if isinstance(outcome, Errored) or any(outcome.figures.get(count) for count in FINITE):
        return None
    return result.implementation, result.dtype, outcome.given, outcome.measured


def _broken(result: Result) -> Failed | Errored:
    outcome = result.outcome
    found = outcome.failure if isinstance(outcome, ExpectedFailure) else outcome
    if not isinstance(found, (Failed, Errored)):
        raise TypeError(f"{result.id} broke nothing")
    return found


def _noted(about: str, group: Sequence[Result]) -> Noted:
    outcomes = [_broken(result) for result in group]
    kinds: list[Kind] = [_kind(outcome) for outcome in outcomes]
    sizes = [o.severity for o in outcomes if isinstance(o, Failed) and o.severity is not None]
    known = {r.outcome.reason if isinstance(r.outcome, ExpectedFailure) else "" for r in group}
    # Of an exception, ``about`` is its message: whichever met it first tells it.
    every = sorted(group, key=lambda r: r.property_id != about)

    def telling(result: Result) -> tuple[bool, int, bool, bool]:
        known, foremost = isinstance(result.outcome, ExpectedFailure), result.property_id == every[0].property_id
        return known, KINDS.index(_kind(_broken(result))), not foremost, result.dtype != "float32"

    return Noted(
        kind=min(kinds, key=KINDS.index),
        severity=max(sizes, default=None),
        implementation=group[0].implementation,
        properties=tuple(dict.fromkeys(r.property_id for r in every)),
        told=min(every, key=telling),
        results=tuple(every),
        # Known is what is known in every case.
        reason="" if "" in known else " ".join(sorted(known)),
    )


def _kind(outcome: Failed | Errored) -> Kind:
    return outcome.kind if isinstance(outcome, Failed) else "defect"


def _rank(finding: Noted) -> tuple[int, float]:
    # What has no size, a wrong dtype or an exception, is not small.
    return KINDS.index(finding.kind), -(math.inf if finding.severity is None else finding.severity)


PLURAL: Mapping[Kind, str] = {"defect": "defects", "weakness": "weaknesses", "difference": "differences"}


EARLY = "in what was judged before the run ended"
"""Where findings of a run that was not finished are from: the rest may hold more."""


def sentence(findings: Sequence[Noted], complete: bool = True) -> str:
    """How many of each kind: ``12 defects and 1 difference in 9 implementations; 2 known and explained.``.

    ``complete`` is whether everything was judged.
    """
    if not findings:
        return "Nothing was found." if complete else f"Nothing was found {EARLY}."
    kinds = Counter(finding.kind for finding in findings)
    found = listed(plural(kinds[kind], kind, PLURAL[kind]) for kind in KINDS if kinds[kind])
    where = plural(len({name for finding in findings for name in finding.implementations}), "implementation")
    known = sum(bool(finding.reason) for finding in findings)
    aside = f"; {known} known and explained" if known else ""
    return f"{found} in {where}{'' if complete else f', {EARLY}'}{aside}."
