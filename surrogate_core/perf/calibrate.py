"""A machine's own noise: how often a gate accuses what did not change, and which slowdowns it sees.

Every fresh process measures a surrogate, the same again, and the same with real work added. From the spread of the
paired log-ratios between processes follows what any number of processes and rounds would see.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from surrogate_core.errors import BadInput
from surrogate_core.perf.decide import Rule, decide, flagged, medians
from surrogate_core.perf.job import Job
from surrogate_core.perf.plan import Plan
from surrogate_core.perf.processes import answers

__all__ = ["ARMS", "Calibration", "Power", "calibration", "extras", "gates", "needed", "power", "samples"]

ARMS: dict[str, float] = {"same": 0.0, "+5 %": 0.05, "+10 %": 0.10}
"""Arms beside ``old``, and by how much each is meant to be slower."""

OLD = "old"

TRIAL = 20_000
"""Exponentials that are added to find out what one of them costs; smaller than a cache, larger than any overhead."""

MOST = 60
"""Processes that one would still start."""

Record = Mapping[str, Sequence[float]]
"""Of one process and benchmark: arm -> seconds, one a round."""


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
        bias: the mean of it, as a share: far from 0, the two arms are not treated alike.
        achieved: arm -> the slowdown that its extra work amounts to.
        gates: arm -> (gates that called it regressed, gates), in disjoint groups of processes.
        curve: predicted power.
    """

    processes: int
    spread: Mapping[int, float]
    bias: float
    achieved: Mapping[str, float]
    gates: Mapping[str, tuple[int, int]]
    curve: tuple[Power, ...]


def extras(plan: Plan) -> dict[tuple[str, str], int]:
    """(benchmark, arm) -> exponentials to add, so that each arm is about as much slower as it is meant to be.

    Found in one process by adding :data:`TRIAL` of them; what is achieved is measured afterwards.
    """
    arm = plan.target
    job = Job(
        plan.benchmarks, {OLD: arm, "trial": replace(arm, extra=TRIAL)}, plan.rule.rounds, int(plan.header["seed"])
    )
    found: dict[tuple[str, str], int] = {}
    for answer in answers("measure", job.to_json()):
        taken = {name: float(np.median(a["seconds"])) for name, a in _whole(answer).items()}
        each = max(taken["trial"] - taken[OLD], 1e-9) / TRIAL
        for name, slowdown in ARMS.items():
            found[answer["benchmark"], name] = round(slowdown * taken[OLD] / each)
    return found


def samples(plan: Plan, added: Mapping[tuple[str, str], int], first: int = 0) -> Iterator[tuple[int, str, Record]]:
    """(process, benchmark, seconds of every arm) as they are measured, from process number ``first`` on."""
    arm = plan.target
    arms = {OLD: arm, **dict.fromkeys(ARMS, arm)}
    for process in range(first, plan.rule.processes):
        job = Job(plan.benchmarks, arms, plan.rule.rounds, int(plan.header["seed"]) + process, added)
        for answer in answers("measure", job.to_json()):
            yield process, answer["benchmark"], {name: a["seconds"] for name, a in _whole(answer).items()}


def _whole(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arms of an answer, if none of them failed."""
    for error in answer["errors"].values():
        raise BadInput(f"{answer['benchmark']}: {error}", "a target that can be timed", "choose others with --bench")
    return answer["arms"]


def logs(records: Sequence[Record], arm: str, rounds: int) -> np.ndarray:
    """Medians of log(arm / old), one a process, from its first ``rounds`` rounds."""
    return medians([r[arm][:rounds] for r in records], [r[OLD][:rounds] for r in records])


def gates(family: Mapping[str, np.ndarray], rule: Rule) -> list[dict[str, str]]:
    """The verdicts of real gates: each takes the next processes, and as many again where it looks twice.

    Args:
        family: benchmark -> medians of log-ratios, one a process, the same processes for all.
        rule: how to decide.
    """
    found: list[dict[str, str]] = []
    count, at = min(map(len, family.values())), 0
    while at + rule.processes <= count:
        first = {name: values[at : at + rule.processes] for name, values in family.items()}
        at += rule.processes
        second: dict[str, np.ndarray] = {}
        if alarms := flagged(first, rule):
            if at + rule.processes > count:
                break  # the second look would need processes that there are not
            second = {name: family[name][at : at + rule.processes] for name in alarms}
            at += rule.processes
        found.append({name: verdict.state for name, verdict in decide(first, second, rule).items()})
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


def calibration(records: Mapping[str, Sequence[Record]], rule: Rule) -> dict[str, Calibration]:
    """What the measured processes say of each benchmark; their number of rounds is that of the rule or more."""
    return {name: _calibration(measured, rule, len(records)) for name, measured in records.items()}


def _calibration(measured: Sequence[Record], rule: Rule, family: int) -> Calibration:
    most = len(measured[0][OLD])
    rounds = sorted({min(rule.rounds, most), most})
    same = {r: logs(measured, "same", r) for r in rounds}
    spread = {r: float(values.std(ddof=1)) for r, values in same.items()}
    achieved = {arm: math.expm1(float(np.median(logs(measured, arm, most)))) for arm in ARMS}
    counted = {}
    for arm in ARMS:
        states = [g[arm] for g in gates({arm: logs(measured, arm, rule.rounds)}, rule)]
        counted[arm] = (states.count("regressed"), len(states))
    curve = tuple(
        Power(processes, r, slowdown, power(spread[r], slowdown, replace(rule, processes=processes), family))
        for r in rounds
        for processes in (5, 7, 10, 15, 20)
        for slowdown in (0.03, 0.05, 0.10, 0.20)
    )
    bias = math.expm1(float(same[most].mean()))
    return Calibration(len(measured), spread, bias, achieved, counted, curve)
