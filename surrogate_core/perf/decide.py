"""When a slowdown is told from noise: paired log-ratios, a t bound between processes, Holm, a second look.

Every process that measured a benchmark gives one number. In each of its rounds the goes of either arm are put in order,
from the fastest on; the logarithms of the time of the new arm over that of the old one, of goes of the same rank in the
faster half, are taken together over all rounds, and their median is the number. So what disturbs less than half of the
calls disturbs nothing, and where calls take one of two times (see :mod:`.turns`), a rank at which the one arm's time is
another than the other's is one of many. What slows fewer than half of the calls is not seen. Between processes these
numbers vary, and only that variation says how far their mean can be trusted: rounds within one process share its memory
layout and its compiled code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import special

from surrogate_core.perf.job import Seconds

__all__ = [
    "GATE",
    "Interval",
    "Rule",
    "State",
    "Verdict",
    "decide",
    "flagged",
    "holm",
    "interval",
    "medians",
    "not_comparable",
    "p_values",
]

State = Literal["regressed", "no regression", "inconclusive", "not comparable"]
"""What can be said of a benchmark. Only ``no regression`` is good news."""


@dataclass(frozen=True)
class Rule:
    """How a gate decides.

    Attributes:
        effect: the least slowdown that counts, as a share of the old time.
        confidence: of every bound, and of the whole family of benchmarks against a false alarm.
        processes: fresh processes.
        rounds: rounds in each; in every round each arm has one turn.
    """

    effect: float = 0.02
    confidence: float = 0.99
    processes: int = 7
    rounds: int = 20

    @property
    def level(self) -> float:
        """The chance of a false alarm that is allowed in one look at all benchmarks."""
        return 1 - self.confidence


GATE = Rule()
"""7 x 20: for every push."""


@dataclass(frozen=True)
class Interval:
    """A ratio of times, with the two one-sided bounds that the confidence of the rule gives it."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Verdict:
    """What became of one benchmark.

    Attributes:
        state: see :data:`State`.
        ratio: new time over old time, of the look that decided; ``None`` where nothing was compared.
        looks: how often it was measured: 2 where the first look raised an alarm.
        reason: the state in a sentence.
    """

    state: State
    ratio: Interval | None
    looks: int
    reason: str


def medians(new: Sequence[Seconds], old: Sequence[Seconds]) -> np.ndarray:
    """One number a process: the median of log(new / old), over all rounds and the faster half of the ranks of goes."""
    return np.array([np.median(np.log(_faster(n) / _faster(o))) for n, o in zip(new, old, strict=True)])


def _faster(seconds: Seconds) -> np.ndarray:
    """The faster half of every round, in order; the go in the middle of an odd number counts in."""
    goes = np.sort(np.asarray(seconds), axis=-1)
    return goes[..., : math.ceil(goes.shape[-1] / 2)]


def p_values(logs: np.ndarray, effect: float) -> np.ndarray:
    """Chance of medians so high where the slowdown is ``effect`` or less: one-sided t test.

    Args:
        logs: medians of log-ratios, processes along the last axis.
        effect: the slowdown as a share, 0.02 for 2 %.
    """
    count = logs.shape[-1]
    excess, spread = logs.mean(-1) - math.log1p(effect), logs.std(-1, ddof=1) / math.sqrt(count)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Ratios that do not vary at all give an infinity: they leave nothing to doubt.
        found = special.stdtr(count - 1, -excess / spread)
    # All of them at the very effect: neither above nor below.
    return np.where(np.isnan(found), 0.5, found)


def interval(logs: np.ndarray, confidence: float) -> Interval:
    """The ratio that the medians of log-ratios give, with its one-sided bounds; at least two processes."""
    count, middle = len(logs), float(np.mean(logs))
    spread = float(special.stdtrit(count - 1, confidence) * np.std(logs, ddof=1) / math.sqrt(count))
    return Interval(math.exp(middle), math.exp(middle - spread), math.exp(middle + spread))


def holm(p: Mapping[str, float], level: float) -> set[str]:
    """Those of a family that are rejected so that any false rejection has at most the chance ``level``.

    Holm, *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics 1979.
    """
    rejected: set[str] = set()
    for left, (name, value) in zip(range(len(p), 0, -1), sorted(p.items(), key=lambda item: item[1]), strict=True):
        if value * left > level:
            break
        rejected.add(name)
    return rejected


def flagged(logs: Mapping[str, np.ndarray], rule: Rule) -> set[str]:
    """The benchmarks of one look that seem slower by more than the effect."""
    return holm({name: float(p_values(found, rule.effect)) for name, found in logs.items()}, rule.level)


def decide(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray], rule: Rule) -> dict[str, Verdict]:
    """The verdict on every benchmark.

    Args:
        first: medians of log-ratios of every benchmark, one a process.
        second: likewise, of fresh processes, for those that the first look flagged.
        rule: how to decide.
    """
    alarms = flagged(first, rule)
    confirmed = flagged({name: second[name] for name in alarms & second.keys()}, rule)
    return {name: _verdict(name in alarms, name in confirmed, first[name], second.get(name), rule) for name in first}


def _verdict(alarm: bool, confirmed: bool, first: np.ndarray, second: np.ndarray | None, rule: Rule) -> Verdict:
    if alarm:
        looks = 1 if second is None else 2
        ratio = interval(first if second is None else second, rule.confidence)
        if confirmed:
            return Verdict("regressed", ratio, looks, f"slower by {_percent(ratio.value - 1)}, seen twice")
        why = "and was not measured again" if second is None else "and not when measured again"
        return Verdict("inconclusive", ratio, looks, f"seemed slower at first, {why}")
    ratio = interval(first, rule.confidence)
    if ratio.high < 1 + rule.effect:
        return Verdict("no regression", ratio, 1, f"no regression of {_percent(rule.effect)} or more")
    return Verdict("inconclusive", ratio, 1, f"a slowdown of up to {_percent(ratio.high - 1)} is not excluded")


def not_comparable(reason: str) -> Verdict:
    """The verdict on a benchmark of which only one side could be measured, or two that do not belong together."""
    return Verdict("not comparable", None, 0, reason)


def _percent(share: Any) -> str:
    return f"{100 * share:.3g} %"
