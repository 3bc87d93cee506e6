"""Real work added to a surrogate until it is as much slower as it is meant to be, and seen to be.

What units of work cost is measured, not assumed: adding any may cost something by itself, a few may hide behind memory,
and many may cost more each than a few. Wherever a line through two measured points says that the wish is met, it is
measured whether it is, in fresh processes, before anything is called so much slower.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from surrogate_core.errors import BadInput
from surrogate_core.perf.decide import medians
from surrogate_core.perf.job import Job, Seconds
from surrogate_core.perf.plan import Plan
from surrogate_core.perf.processes import Died, answers

__all__ = ["OLD", "Added", "every_arm", "inject", "next_units", "settled", "sure"]

OLD = "old"
"""The arm to which nothing is added."""

FIRST = (8, 32)
"""Units that are tried at first."""

GROWTH = 8
"""How far beyond what was measured a line is believed."""

MOST = 2048
"""Units: more of them a compiler would take minutes over."""

NEAR = 0.1
"""How far off, as a share of it, a slowdown may be; what it is in truth is told beside it."""

LEAST = 0.5
"""What share of a slowdown is taken in its place where nothing nearer is found: less is harder to see, and flatters no
gate."""

LOOKS = 6
"""How often trials are chosen: what is near, but too uncertain, is tried again, and all its processes count."""


@dataclass(frozen=True)
class Added:
    """Work that was found.

    Attributes:
        units: (benchmark, arm) -> units of work.
        seen: (benchmark, arm) -> the slowdown that they were measured to be, as a share.
        refused: (benchmark, arm) -> why there are none.
    """

    units: Mapping[tuple[str, str], int]
    seen: Mapping[tuple[str, str], float]
    refused: Mapping[tuple[str, str], str]


Points = dict[int, list[float]]
"""Units -> log-ratios to the arm without, one a process."""


def inject(
    plan: Plan, wanted: Mapping[str, float], processes: int = 5, advance: Callable[[], object] = lambda: None
) -> Added:
    """How much work makes each benchmark of a plan as much slower as an arm is meant to be.

    Args:
        plan: of one target.
        wanted: arm -> slowdown as a share.
        processes: fresh ones for each look.
        advance: called after each process.

    Raises:
        BadInput: the target cannot be timed.
    """
    points: dict[str, Points] = {b.id: {} for b in plan.benchmarks}
    for look in range(LOOKS):
        trials = {name: _trials(known, wanted) for name, known in points.items()}
        trials = {name: units for name, units in trials.items() if units}
        if not trials:
            break
        for process in range(processes):
            for name, logs in _tried(plan, trials, 1000 * look + process).items():
                for units, log in logs.items():
                    points[name].setdefault(units, []).append(log)
            advance()
    return _added(points, wanted)


def _trials(known: Points, wanted: Mapping[str, float]) -> tuple[int, ...]:
    """What to try next; nothing where every wish is met, or cannot be."""
    if not known:
        return FIRST
    slowdowns = _slowdowns(known)
    found = {s: settled(slowdowns, s) for s in wanted.values() if not _too_coarse(slowdowns, s)}
    tries = {s: next_units(slowdowns, s) if units is None else units for s, units in found.items()}
    return tuple(dict.fromkeys(units for s, units in tries.items() if found[s] is None or not sure(known[units], s)))


def _slowdowns(known: Points) -> dict[int, float]:
    # Medians, since on a busy machine one process in ten is far off.
    return {units: math.expm1(float(np.median(logs))) for units, logs in sorted(known.items())}


def settled(slowdowns: Mapping[int, float], wanted: float) -> int | None:
    """The units that were measured to be nearest to the wish; ``None`` where none are near."""
    nearest = min(slowdowns, key=lambda units: abs(slowdowns[units] - wanted), default=None)
    return nearest if nearest is not None and abs(slowdowns[nearest] - wanted) <= NEAR * wanted else None


def sure(logs: Sequence[float], wanted: float) -> bool:
    """Whether what was measured could not as well be far off.

    Spread is told by the median of deviations, as the slowdown is by a median: what one process in ten says must not
    decide. 1.48 makes it a standard deviation where errors are normal; 1.25 is how much wider a median spreads than a
    mean.
    """
    off = np.abs(np.asarray(logs) - np.median(logs))
    return len(logs) > 2 and 1.25 * 1.48 * float(np.median(off)) / math.sqrt(len(logs)) <= NEAR * wanted


def _too_coarse(slowdowns: Mapping[int, float], wanted: float) -> bool:
    """Whether the least work that there is, is already too much."""
    return slowdowns.get(1, 0.0) > (1 + NEAR) * wanted


def next_units(slowdowns: Mapping[int, float], wanted: float) -> int:
    """Where the line ``slowdown = a + b * units`` through two measured points meets the wish.

    The two that enclose it, else the two nearest to it; believed up to :data:`GROWTH` times what was measured.

    Args:
        slowdowns: units -> slowdown as a share, in the order of the units; at least two.
        wanted: slowdown as a share.
    """
    pairs = list(itertools.pairwise(slowdowns))
    enclosing = [(low, high) for low, high in pairs if slowdowns[low] <= wanted <= slowdowns[high]]
    low, high = enclosing[0] if enclosing else pairs[0] if slowdowns[pairs[0][0]] > wanted else pairs[-1]
    slope = (slowdowns[high] - slowdowns[low]) / (high - low)
    furthest = min(GROWTH * high, MOST)
    if slope <= 0:  # noise alone: what was tried is too little to be seen, or too much to begin with
        return furthest if slowdowns[high] < wanted else max(1, low // GROWTH)
    return min(max(1, round(low + (wanted - slowdowns[low]) / slope)), furthest)


def _tried(plan: Plan, trials: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, dict[int, float]]:
    """What one fresh process says: benchmark -> units -> log-ratio to the arm without."""
    most = max(map(len, trials.values()))
    extras = {
        (name, f"trial {number}"): units[min(number, len(units) - 1)]
        for name, units in trials.items()
        for number in range(most)
    }
    arms = dict.fromkeys([OLD, *(f"trial {number}" for number in range(most))], plan.target)
    chosen = tuple(b for b in plan.benchmarks if b.id in trials)
    job = Job(chosen, arms, plan.rule.rounds, int(plan.header["seed"]) + seed, extras)
    found: dict[str, dict[int, float]] = {}
    for name, seconds in every_arm(job):
        logs = [float(medians([taken], [seconds[OLD]])[0]) for arm, taken in seconds.items() if arm != OLD]
        found[name] = dict(zip(trials[name], logs, strict=False))
    return found


def every_arm(job: Job) -> Iterator[tuple[str, dict[str, Seconds]]]:
    """(benchmark, arm -> seconds of every go of its rounds) of one fresh process.

    Raises:
        BadInput: an arm cannot be timed, or takes the process along.
    """
    wanted, todo = "a target that can be timed", "choose other benchmarks with --bench, or mend the error above"
    try:
        for answer in answers("measure", job.to_json()):
            for error in answer["errors"].values():
                raise BadInput(f"{answer['benchmark']}: {error}", wanted, todo)
            yield answer["benchmark"], {arm: answer["arms"][arm]["seconds"] for arm in job.arms}
    except Died as died:
        raise BadInput(str(died), wanted, todo) from None


def _added(points: Mapping[str, Points], wanted: Mapping[str, float]) -> Added:
    units: dict[tuple[str, str], int] = {}
    seen: dict[tuple[str, str], float] = {}
    refused: dict[tuple[str, str], str] = {}
    for name, known in points.items():
        slowdowns = _slowdowns(known)
        for arm, slowdown in wanted.items():
            enough = {n: s for n, s in slowdowns.items() if sure(known[n], slowdown)}
            found = settled(enough, slowdown) or _less(enough, slowdown)
            if found is not None:
                units[name, arm], seen[name, arm] = found, slowdowns[found]
            else:
                refused[name, arm] = _why(slowdowns, slowdown)
    return Added(units, seen, refused)


def _less(slowdowns: Mapping[int, float], wanted: float) -> int | None:
    """The units that make it slower by most, but by less than was wished; ``None`` where none come half as far."""
    less = {units: s for units, s in slowdowns.items() if LEAST * wanted <= s <= wanted}
    return max(less, key=lambda units: less[units], default=None)


def _why(slowdowns: Mapping[int, float], wanted: float) -> str:
    nearest = min(slowdowns, key=lambda units: abs(slowdowns[units] - wanted))
    if _too_coarse(slowdowns, wanted):
        return f"work cannot be added so finely: the least there is makes it {100 * slowdowns[1]:.0f} % slower"
    came = f"the nearest came out {100 * slowdowns[nearest]:.1f} % slower"
    return f"not found in {LOOKS} looks, or processes differ too much to tell: {came}"
