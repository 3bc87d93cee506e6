"""A machine's own noise: how often a gate accuses what did not change, and which slowdowns it sees.

Every fresh process measures a surrogate, the same again, and the same with real work added. From the spread of the
paired log-ratios between processes follows what any number of processes and rounds would see.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from surrogate_core.perf.decide import Interval, Rule, Verdict, decide, flagged, interval, medians
from surrogate_core.perf.inject import OLD, Added, every_arm
from surrogate_core.perf.job import Job, Seconds
from surrogate_core.perf.plan import Plan

__all__ = [
    "ARMS",
    "OLD",
    "WANTED",
    "Calibration",
    "Power",
    "at_most",
    "calibration",
    "gates",
    "logs",
    "needed",
    "power",
    "proportion",
    "samples",
]

ARMS: dict[str, float] = {"same": 0.0, "+5 %": 0.05, "+10 %": 0.10}
"""Arms beside ``old``, and by how much each is meant to be slower."""

WANTED = {arm: slowdown for arm, slowdown in ARMS.items() if slowdown}
"""Those that need work to be added."""

Record = Mapping[str, Seconds]
"""Of one process and benchmark: what every arm took."""


@dataclass(frozen=True)
class Power:
    """What a number of processes and rounds sees.

    Attributes:
        processes: how many.
        rounds: in each.
        slowdown: as a share.
        power: the chance that both looks flag it, with normal medians of the measured spread.
    """

    processes: int
    rounds: int
    slowdown: float
    power: float


@dataclass(frozen=True)
class Calibration:
    """What was found for one benchmark.

    Attributes:
        processes: that were measured.
        spread: standard deviation, between processes, of the median log-ratio of the same to the same; by rounds.
        achieved: arm -> how much slower its extra work makes it in truth, as a ratio.
        gates: arm -> (gates that called it regressed, gates), in disjoint groups of processes.
        curve: predicted power.
    """

    processes: int
    spread: Mapping[int, float]
    achieved: Mapping[str, Interval]
    gates: Mapping[str, tuple[int, int]]
    curve: tuple[Power, ...]


def samples(
    plan: Plan, added: Added, processes: Iterable[int], beside: Sequence[str] = tuple(ARMS)
) -> Iterator[tuple[int, str, Record]]:
    """(process, benchmark, seconds of every arm) as they are measured, in processes of these numbers.

    Args:
        plan: of one target.
        added: the work of the arms that are to be slower; one for which none was found is not in the record.
        processes: their numbers.
        beside: the arms beside ``old``.
    """
    arms = dict.fromkeys([OLD, *beside], plan.target)
    for process in processes:
        job = Job(plan.benchmarks, arms, plan.rule.rounds, int(plan.header["seed"]) + process, added.units)
        for name, seconds in every_arm(job):
            yield process, name, {arm: taken for arm, taken in seconds.items() if (name, arm) not in added.refused}


def logs(records: Sequence[Record], arm: str, rounds: int) -> np.ndarray:
    """Medians of log(arm / old), one a process, from its first ``rounds`` rounds."""
    return medians([r[arm][:rounds] for r in records], [r[OLD][:rounds] for r in records])


def gates(family: Mapping[str, np.ndarray], rule: Rule) -> list[dict[str, Verdict]]:
    """The verdicts of real gates: each takes the next processes, and as many again where it looks twice.

    Args:
        family: benchmark -> medians of log-ratios, one a process, the same processes for all.
        rule: how to decide.
    """
    found: list[dict[str, Verdict]] = []
    count, at = min(map(len, family.values())), 0
    # None is begun that could not look twice: else the last one would count where it is quiet, and not where it alarms.
    while at + 2 * rule.processes <= count:
        first = {name: values[at : at + rule.processes] for name, values in family.items()}
        at += rule.processes
        second: dict[str, np.ndarray] = {}
        if alarms := flagged(first, rule):
            second = {name: family[name][at : at + rule.processes] for name in alarms}
            at += rule.processes
        found.append(decide(first, second, rule))
    return found


def power(spread: float, slowdown: float, rule: Rule, family: int = 1) -> float:
    """The chance that both looks flag a slowdown, with normal medians.

    The first look is held to the level over a ``family`` of benchmarks, the second to that of the one flagged.
    """
    excess = math.log1p(slowdown) - math.log1p(rule.effect)
    freedom, shift = rule.processes - 1, excess / spread * math.sqrt(rule.processes)
    looks = [stats.nct.sf(stats.t.isf(rule.level / size, freedom), freedom, shift) for size in (family, 1)]
    return float(np.prod(looks))


def needed(
    spread: float, slowdown: float, rule: Rule, family: int = 1, wished: float = 0.95, most: int = 60
) -> int | None:
    """The fewest processes that see a slowdown with the chance ``wished``; ``None`` where ``most`` do not."""
    counts = range(3, most + 1)
    return next((n for n in counts if power(spread, slowdown, replace(rule, processes=n), family) >= wished), None)


def at_most(spread: float, processes: int) -> float:
    """The spread that so many processes, in which it came out as ``spread``, still leave open: 95 %, one-sided."""
    return spread * math.sqrt((processes - 1) / float(stats.chi2.ppf(0.05, processes - 1)))


def proportion(count: int, of: int) -> tuple[float, float]:
    """The exact two-sided 95 % interval of a rate.

    Clopper & Pearson, *The use of confidence or fiducial limits illustrated in the case of the binomial*, 1934.
    """
    found = stats.binomtest(count, of).proportion_ci(0.95, method="exact")
    return float(found.low), float(found.high)


def calibration(records: Mapping[str, Sequence[Record]], rule: Rule) -> dict[str, Calibration]:
    """What the measured processes say of each benchmark; their number of rounds is that of the rule or more."""
    return {name: _calibration(measured, rule, len(records)) for name, measured in records.items()}


def _calibration(measured: Sequence[Record], rule: Rule, family: int) -> Calibration:
    most = len(measured[0][OLD])
    rounds = sorted({min(rule.rounds, most), most})
    same = {r: logs(measured, "same", r) for r in rounds}
    spread = {r: float(values.std(ddof=1)) for r, values in same.items()}
    there = [arm for arm in ARMS if arm in measured[0]]
    achieved = {arm: interval(logs(measured, arm, most), rule.confidence) for arm in there}
    counted = {}
    for arm in there:
        states = [g[arm].state for g in gates({arm: logs(measured, arm, rule.rounds)}, rule)]
        counted[arm] = (states.count("regressed"), len(states))
    curve = tuple(
        Power(processes, r, slowdown, power(spread[r], slowdown, replace(rule, processes=processes), family))
        for r in rounds
        for processes in (5, 7, 10, 15, 20)
        for slowdown in (0.03, 0.05, 0.10, 0.20)
    )
    return Calibration(len(measured), spread, achieved, counted, curve)
