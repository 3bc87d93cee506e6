"""What the processes of a proof show: how often each rule says that something became slower, and what that misses."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from surrogate_core.perf.calibrate import OLD, WANTED, gates, logs, proportion
from surrogate_core.perf.decide import Rule
from surrogate_core.perf.job import Seconds

__all__ = [
    "CYCLES",
    "NIGHT",
    "PUSH",
    "SECONDS",
    "Process",
    "Score",
    "allowed_alarms",
    "asked",
    "claim",
    "left",
    "missed",
    "scores",
    "seconds",
]

PUSH, NIGHT = Rule(processes=7, rounds=20), Rule(processes=10, rounds=40)
TIERS = {"7 x 20": PUSH, "10 x 40": NIGHT}

CYCLES: dict[str, tuple[tuple[Rule, tuple[str, ...]], ...]] = {
    "quiet": (
        (PUSH, ("same", "+10 %")),
        (PUSH, ("same",)),
        (NIGHT, ("same", "+5 %")),
        (PUSH, ("same",)),
    ),
    "burners": ((PUSH, ("same", "+10 %")), *((PUSH, ("same",)),) * 3),
}
"""What one process after the other measures: as many rounds as which gate takes, and which arms. Nobody builds by night
on a machine that is busy, so that what 5 % takes is asked of the quiet one alone."""

Process = Mapping[str, Mapping[str, Seconds]]
"""What one process measured: benchmark -> arm -> seconds of every go."""


@dataclasses.dataclass(frozen=True)
class Score:
    """How often one rule said that something became slower.

    Attributes:
        rule: in words.
        arm: what was compared with the surrogate as it is.
        benchmark: which was slower, beside others that were not; empty where none was, and any alarm counts.
        flagged: gates that flagged it.
        of: gates.
    """

    rule: str
    arm: str
    benchmark: str
    flagged: int
    of: int


def scores(processes: Sequence[Process]) -> list[Score]:
    """Every rule on every arm, where there is data for it."""
    slower = {(b, arm): None for p in processes for b, measured in p.items() for arm in measured if arm in WANTED}
    having = {(b, arm): [p for p in processes if arm in p[b]] for b, arm in slower}
    found: list[Score] = []
    for name, rule in TIERS.items():
        decided = _unchanged([p for p in processes if _rounds(p) >= rule.rounds], rule)
        looked = sum(any(v.looks == 2 for v in gate.values()) for gate in decided)
        regressed = sum(any(v.state == "regressed" for v in gate.values()) for gate in decided)
        found.append(Score(f"paired {name}", "same", "", regressed, len(decided)))
        found.append(Score(f"paired {name}, had it not looked twice", "same", "", looked, len(decided)))
        for (b, arm), those in having.items():
            enough = [p for p in those if _rounds(p) >= rule.rounds]
            states = [gate[b].state for gate in gates(_logs(enough, rule, {b: arm}), rule)] if enough else []
            found.append(Score(f"paired {name}", arm, b, states.count("regressed"), len(states)))
    alarms = [any(_mean_rule(old[b], new[b], "same") for b in new) for old, new in _pairs(processes)]
    found.append(Score("mean:10%", "same", "", sum(alarms), len(alarms)))
    for (b, arm), those in having.items():
        seen = [_mean_rule(old[b], new[b], arm) for old, new in _pairs(those)]
        found.append(Score("mean:10%", arm, b, sum(seen), len(seen)))
    return [score for score in found if score.of]


def left(known: Sequence[Process], count: int) -> int:
    """How many more processes it takes at least for ``count`` gates of what did not change."""
    least = (count + 1) * PUSH.processes  # the last gate, too, might have to look twice
    return max(0, least - len(known)) or max(0, count - len(_unchanged(known, PUSH))) * PUSH.processes


def _rounds(process: Process) -> int:
    return min(len(seconds) for arms in process.values() for seconds in arms.values())


def _logs(processes: Sequence[Process], rule: Rule, slower: Mapping[str, str]) -> dict[str, np.ndarray]:
    """A family in which some benchmarks became slower and the others did not change."""
    return {b: logs([p[b] for p in processes], slower.get(b, "same"), rule.rounds) for b in processes[0]}


def _unchanged(processes: Sequence[Process], rule: Rule) -> list[dict[str, Any]]:
    return gates(_logs(processes, rule, {}), rule) if processes else []


def _pairs(processes: Sequence[Process]) -> list[tuple[Process, Process]]:
    return list(zip(processes[::2], processes[1::2], strict=False))


def _mean_rule(old: Mapping[str, Seconds], new: Mapping[str, Seconds], arm: str) -> bool:
    """pytest-benchmark --benchmark-compare-fail=mean:10%: one process's mean against that of the one before."""
    return bool(np.mean(new[arm][: PUSH.rounds]) > 1.1 * np.mean(old[OLD][: PUSH.rounds]))


TARGETS = {"paired 7 x 20": "+10 %", "paired 10 x 40": "+5 %"}
"""What each tier is to see in 95 of 100 gates."""

SECONDS = 20.0
"""What 7 x 20 may take for a benchmark."""


def asked(condition: str, benchmarks: Collection[str]) -> list[tuple[str, str, str]]:
    """(rule, arm, benchmark) of everything that is to be known of a condition in the end."""
    arms = {arm for _, arms in CYCLES[condition] for arm in arms}
    powers = [(rule, arm, b) for rule, arm in TARGETS.items() if arm in arms for b in benchmarks]
    return [("paired 7 x 20", "same", ""), *powers]


def missed(found: Sequence[Score], wanted: Sequence[tuple[str, str, str]]) -> list[str]:
    """The targets that the observed rates miss, or of which nothing is known, in words."""
    known = {(s.rule, s.arm, s.benchmark): s for s in found}
    said: list[str] = []
    for rule, arm, benchmark in wanted:
        score = known.get((rule, arm, benchmark))
        what = f"{arm} of {benchmark}" if benchmark else "what did not change"
        if score is None:
            said.append(f"{rule} had no gate for {what}")
        elif not benchmark and 100 * score.flagged > score.of:
            said.append(f"{rule} accused {what} {score.flagged} times in {score.of}")
        elif benchmark and 100 * score.flagged < 95 * score.of:
            said.append(f"{rule} saw {what} {score.flagged} times in {score.of}")
    return said


def seconds(processes: Sequence[Mapping[str, Any]]) -> float:
    """What a gate of 7 x 20 takes for a benchmark, of what two arms took; infinite where no process has two."""
    took = [p["seconds"] / len(p["records"]) for p in processes if (p["arms"], p["rounds"]) == (2, PUSH.rounds)]
    return PUSH.processes * float(np.median(took)) if took else math.inf


def claim(unchanged: Score) -> str:
    """What the false alarms show, and what it would take to show 1 %."""
    low, high = proportion(unchanged.flagged, unchanged.of)
    allowed = allowed_alarms(unchanged.of)
    shown = (
        f"a rate above 1 % is excluded with 95 % confidence by at most {allowed} of them"
        if allowed is not None
        else "too few gates to exclude a rate above 1 %: that takes 299 without an alarm, or 473 with one"
    )
    return (
        f"false alarms of {unchanged.rule}: {unchanged.flagged} of {unchanged.of} gates, observed rate "
        f"{100 * unchanged.flagged / unchanged.of:.2f} %, exact 95 % interval {100 * low:.2f} to {100 * high:.2f} %; "
        f"an observed rate of 1 % at most means {unchanged.of // 100} alarms or fewer; {shown}"
    )


def allowed_alarms(gates: int, rate: float = 0.01, confidence: float = 0.95) -> int | None:
    """The most alarms in so many gates with which a higher rate is excluded, one-sided; ``None`` where none are."""
    counts = [k for k in range(20) if stats.binom.cdf(k, gates, rate) <= 1 - confidence]
    return max(counts, default=None)
