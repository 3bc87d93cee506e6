"""Whether a series of ratios rose: in a step, or by a drift that no two neighbours show.

Each entry is the mean log-ratio of a run to the bare operation. Two statistics, both compared with what they are in
series that do not change (independent normal noise of one unknown spread), simulated once for each length: the
largest t statistic over all places where the mean may have stepped up, and the t statistic of a straight line.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from surrogate_core.perf.decide import holm

__all__ = ["FEWEST", "Trend", "noise_floor", "trends"]

FEWEST = 6
"""Entries: with fewer, a spread of unknown size leaves nothing to be seen."""

MOST = 200
"""The latest entries that are looked at."""

SIMULATED = 20_000


@dataclass(frozen=True)
class Trend:
    """What became of one benchmark over time.

    Attributes:
        state: ``step`` and ``drift`` are slowdowns; ``steady``: none was found; ``too few``: nothing can be said.
        change: by how much the time rose, as a share: at the step, or over the whole line; 0 where it did not.
        at: the index of the first entry after the step; ``None`` otherwise.
        p: chance of so clear a rise in a series that does not change.
    """

    state: Literal["steady", "step", "drift", "too few"]
    change: float = 0.0
    at: int | None = None
    p: float = 1.0


def trends(series: Mapping[str, Sequence[float]], effect: float = 0.02, level: float = 0.01) -> dict[str, Trend]:
    """Every benchmark's trend; any false alarm among them all has at most the chance ``level``.

    Args:
        series: benchmark -> log-ratios, the oldest first.
        effect: the least rise that counts, as a share.
        level: the chance of a false alarm in a family that does not change.
    """
    found = {name: _rise(np.asarray(values[-MOST:], float)) for name, values in series.items()}
    clear = holm({name: trend.p for name, trend in found.items() if trend.state != "too few"}, level)
    return {
        name: _shifted(trend, len(series[name]))
        if trend.state == "too few" or (name in clear and trend.change >= effect)
        else Trend("steady", p=trend.p)
        for name, trend in found.items()
    }


def noise_floor(values: Sequence[float]) -> float | None:
    """How far 99 % of the runs of one speed lie from it at the most, as a share; ``None`` with fewer than ``FEWEST``.

    From the differences of neighbours, whose median neither a step nor a slow drift moves: of independent normal
    noise of spread s, they have the spread s * sqrt(2).
    """
    if len(values) < FEWEST:
        return None
    differences = np.abs(np.diff(np.asarray(values[-MOST:], float)))
    spread = float(np.median(differences)) / special.ndtri(0.75) / math.sqrt(2)
    return math.expm1(float(special.ndtri(0.995)) * spread)


def _shifted(trend: Trend, length: int) -> Trend:
    """With the step's place counted from the first entry of all."""
    if trend.at is None:
        return trend
    return Trend(trend.state, trend.change, trend.at + max(0, length - MOST), trend.p)


def _rise(values: np.ndarray) -> Trend:
    count = len(values)
    if count < FEWEST:
        return Trend("too few")
    steps, lines = _null(count)
    t_steps = _step_statistics(values[None])[0]
    at = int(np.argmax(t_steps)) + 1
    step_p, line_p = (
        _share_above(steps, float(t_steps.max())),
        _share_above(lines, float(_line_statistics(values[None])[0])),
    )
    # Two looks at one series: the clearer counts, at twice its chance.
    p = min(1.0, 2 * min(step_p, line_p))
    time = np.arange(count) - (count - 1) / 2
    slope = float(time @ values / (time @ time))
    height = float(values[at:].mean() - values[:at].mean())
    flat_step = np.where(np.arange(count) < at, values[:at].mean(), values[at:].mean())
    straight = values.mean() + slope * time
    if ((values - flat_step) ** 2).sum() <= ((values - straight) ** 2).sum():
        return Trend("step", math.expm1(height), at, p)
    return Trend("drift", math.expm1(slope * (count - 1)), None, p)


def _share_above(null: np.ndarray, statistic: float) -> float:
    """The chance of a statistic so high, never 0: Davison & Hinkley, *Bootstrap Methods*, 1997, eq. 4.11."""
    return (1 + int((null >= statistic).sum())) / (1 + len(null))


def _step_statistics(series: np.ndarray) -> np.ndarray:
    """T of a step up before each entry but the first, with the pooled spread; series in rows."""
    count = series.shape[1]
    before = np.arange(1, count)
    sums = series.cumsum(1)
    total, squares = sums[:, -1:], (series**2).sum(1, keepdims=True)
    low, high = sums[:, :-1] / before, (total - sums[:, :-1]) / (count - before)
    within = np.maximum(squares - before * low**2 - (count - before) * high**2, 1e-30)
    return (high - low) / np.sqrt(within / (count - 2) * (1 / before + 1 / (count - before)))


def _line_statistics(series: np.ndarray) -> np.ndarray:
    """T of the slope of a straight line; series in rows."""
    count = series.shape[1]
    time = np.arange(count) - (count - 1) / 2
    slope = series @ time / (time @ time)
    rest = series - series.mean(1, keepdims=True) - slope[:, None] * time
    return slope / np.sqrt(np.maximum((rest**2).sum(1), 1e-30) / (count - 2) / (time @ time))


@functools.cache
def _null(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Both statistics in series that do not change."""
    random = np.random.default_rng(count)
    steps = [_step_statistics(random.standard_normal((1000, count))).max(1) for _ in range(SIMULATED // 1000)]
    # The slope's statistic has a t distribution: its quantiles stand for a simulation.
    lines = special.stdtrit(count - 2, (np.arange(SIMULATED) + 0.5) / SIMULATED)
    return np.concatenate(steps), lines
