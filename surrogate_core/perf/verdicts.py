"""From the samples of a run to its verdicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogate_core.perf.comparison import NEW, OLD
from surrogate_core.perf.decide import Verdict, decide, medians, not_comparable
from surrogate_core.perf.evidence import changes, count_changes
from surrogate_core.perf.job import BARE, Measured
from surrogate_core.perf.request import FEWEST
from surrogate_core.perf.store import BenchRun, Sample

__all__ = ["Comparison", "comparable", "compare", "exit_code", "first_line", "paired"]


@dataclass(frozen=True)
class Comparison:
    """One benchmark of a gate.

    Attributes:
        benchmark: its name.
        verdict: what became of it.
        new: seconds per call, the median over processes; ``None`` where it was not measured.
        old: likewise.
        evidence: what differs without any clock, a phrase each; ``None`` where nothing could be counted on both sides.
        error: what an arm that could not be measured raised, a line and its traceback; empty where none did.
    """

    benchmark: str
    verdict: Verdict
    new: float | None
    old: float | None
    evidence: tuple[str, ...] | None
    error: str


def paired(samples: tuple[Sample, ...]) -> np.ndarray:
    """Medians of log(new / old), one a process; between two interpreters, relative to the bare operation of each."""
    both = [s for s in samples if {NEW, OLD} <= s.arms.keys()]
    if both:
        return medians([s.arms[NEW].seconds for s in both], [s.arms[OLD].seconds for s in both])
    sides: dict[str, dict[int, float]] = {NEW: {}, OLD: {}}
    for sample in samples:
        for name, found in sides.items():
            if {name, BARE} <= sample.arms.keys():
                found[sample.process] = float(medians([sample.arms[name].seconds], [sample.arms[BARE].seconds])[0])
    return np.array([sides[NEW][p] - sides[OLD][p] for p in sorted(sides[NEW].keys() & sides[OLD].keys())])


def comparable(run: BenchRun, look: int) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """(medians of log-ratios by benchmark, why others have none)."""
    found: dict[str, np.ndarray] = {}
    refused: dict[str, str] = dict(run.header["not_comparable"])
    for name in run.benchmarks:
        samples = run.of(name, look)
        logs = paired(samples)
        errors = {arm: first_line(text) for s in samples for arm, text in s.errors.items()}
        if errors:
            failed = sum(bool(s.errors) for s in samples)
            some = f" (in {failed} of {len(samples)} processes)" if failed < len(samples) else ""
            refused[name] = "; ".join(f"{arm}: {text}" for arm, text in errors.items()) + some
        elif len(logs) >= FEWEST:
            found[name] = logs
        elif look == 1:
            refused[name] = f"measured in {len(logs)} of {run.rule.processes} processes"
    return found, refused


def compare(run: BenchRun) -> tuple[Comparison, ...]:
    """Every benchmark of a gate, in the order of the header; those that could not be compared last."""
    (first, refused), (second, refused_then) = comparable(run, 1), comparable(run, 2)
    verdicts = decide(first, second, run.rule)
    refused |= refused_then
    verdicts |= {name: not_comparable(why) for name, why in refused.items()}
    return tuple(_comparison(run, name, verdicts[name]) for name in dict.fromkeys((*run.benchmarks, *refused)))


def _comparison(run: BenchRun, name: str, verdict: Verdict) -> Comparison:
    samples = run.of(name, max(verdict.looks, 1))
    errors = [text for s in samples for text in s.errors.values()]
    sides = {arm: [s.arms[arm] for s in samples if arm in s.arms] for arm in (NEW, OLD)}
    times = {arm: float(np.median([np.median(m.seconds) for m in found])) for arm, found in sides.items() if found}
    counted = len(times) == 2 and run.header["same_versions"] and any(m[0].counts for m in sides.values())
    evidence = _evidence(run, sides[OLD][0], sides[NEW][0]) if counted else None
    return Comparison(name, verdict, times.get(NEW), times.get(OLD), evidence, errors[0] if errors else "")


def _evidence(run: BenchRun, old: Measured, new: Measured) -> tuple[str, ...]:
    # What was frozen is not traced again, so that it never compiles what tracing does.
    frozen = run.header["against"]["kind"] == "artifact"
    return count_changes(old.counts, new.counts) if frozen else changes(old, new)


def first_line(text: str) -> str:
    """What an arm's error says in a line; its traceback follows."""
    return (text.strip().splitlines() or ["nothing was said"])[0]


def exit_code(run: BenchRun, strict: bool = False) -> int:
    """Of a gate: 4 where something regressed; 3 where something could not be compared, or nothing was decided; else 0.

    With ``strict``, 3 also where anything is inconclusive.
    """
    states = [c.verdict.state for c in compare(run)]
    if "regressed" in states:
        return 4
    undecided = "inconclusive" in states and (strict or "no regression" not in states)
    return 3 if not run.complete or not states or "not comparable" in states or undecided else 0
