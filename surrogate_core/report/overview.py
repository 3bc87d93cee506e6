"""All findings of a run in one list, the worst first: what a survey is read for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from surrogate_core.engine import Result, Run
from surrogate_core.properties.outcome import KINDS, Errored, ExpectedFailure, Failed, Kind
from surrogate_core.report.words import listed, plural

__all__ = ["Noted", "noted", "sentence"]


THROUGH = {
    "gradient.oracle": (
        "gradient.peak",
        "gradient.symmetry",
        "gradient.range",
        "gradient.decay",
        "gradient.area",
        "gradient.scaling",
        "chain.affine",
        "chain.recurrent",
        "state.instances",
        "pointwise.patterns",
    ),
    "forward.step": ("state.instances", "chain.recurrent", "pointwise.patterns"),
}
"""Properties that look at the same curve or the same step in another way: where the first is broken, so are they."""


@dataclass(frozen=True)
class Noted:
    """One property that one implementation breaks, or one exception that it ends in.

    Attributes:
        kind: the worst of its cases; an exception is a defect.
        severity: the largest error as a share of the peak; ``None`` where the promise has no size.
        properties: the one that tells it best, then those that only see the same through it; of an exception all
            that met it.
        told: the case to tell: one that is not known, in float32, where there is one.
        results: every case, that of the first property foremost.
        reason: why it is known; empty where it is not.
    """

    kind: Kind
    severity: float | None
    implementation: str
    properties: tuple[str, ...]
    told: Result
    results: tuple[Result, ...]
    reason: str

    @property
    def cases(self) -> int:
        """How many cases there are."""
        return len(self.results)

    @property
    def outcome(self) -> Failed | Errored:
        """What came of the case that is told."""
        return _broken(self.told)


def noted(run: Run) -> tuple[Noted, ...]:
    """Every finding, by kind and severity, then in the order of the run."""
    broken = [r for r in run.results if isinstance(r.outcome, (Failed, Errored, ExpectedFailure))]
    failed = {(r.implementation, r.property_id) for r in broken if isinstance(_broken(r), Failed)}
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in broken:
        outcome = _broken(result)
        about = f"error: {outcome.message}" if isinstance(outcome, Errored) else _cause(result, failed)
        groups.setdefault((result.implementation, about), []).append(result)
    return tuple(sorted((_noted(about, group) for (_, about), group in groups.items()), key=_rank))


def _cause(result: Result, failed: Set[tuple[str, str]]) -> str:
    """The broken promise through which another one is broken too: its own, where there is none."""
    causes = (cause for cause, seen in THROUGH.items() if result.property_id in seen)
    return next((cause for cause in causes if (result.implementation, cause) in failed), result.property_id)


def _broken(result: Result) -> Failed | Errored:
    outcome = result.outcome
    found = outcome.failure if isinstance(outcome, ExpectedFailure) else outcome
    if not isinstance(found, (Failed, Errored)):
        raise TypeError(f"{result.id} broke nothing")
    return found


def _noted(about: str, group: Sequence[Result]) -> Noted:
    outcomes = [_broken(result) for result in group]
    kinds: list[Kind] = [outcome.kind if isinstance(outcome, Failed) else "defect" for outcome in outcomes]
    sizes = [o.severity for o in outcomes if isinstance(o, Failed) and o.severity is not None]
    known = {r.outcome.reason if isinstance(r.outcome, ExpectedFailure) else "" for r in group}
    # Of an exception, ``about`` is its message: whichever met it first tells it.
    every = sorted(group, key=lambda r: r.property_id != about)
    first = [r for r in every if r.property_id == every[0].property_id]
    unexplained = [r for r in first if not isinstance(r.outcome, ExpectedFailure)] or first
    return Noted(
        kind=min(kinds, key=KINDS.index),
        severity=max(sizes, default=None),
        implementation=group[0].implementation,
        properties=tuple(dict.fromkeys(r.property_id for r in every)),
        told=next((r for r in unexplained if r.dtype == "float32"), unexplained[0]),
        results=tuple(every),
        # Known is what is known in every case.
        reason="" if "" in known else " ".join(sorted(known)),
    )


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
    where = plural(len({finding.implementation for finding in findings}), "implementation")
    known = sum(bool(finding.reason) for finding in findings)
    aside = f"; {known} known and explained" if known else ""
    return f"{found} in {where}{'' if complete else f', {EARLY}'}{aside}."
