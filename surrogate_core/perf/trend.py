"""Whether a series of ratios rose: in steps, or by a drift that no two neighbours show.

Each entry is the mean log-ratio of a run to the bare operation. The latest level counts, against the lowest that there
was before: a slowdown that was undone is none, and one after an improvement is one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from surrogate_core.perf.levels import FEWEST, LEAST_SPREAD, Stretch, fitted, stretches

__all__ = ["FEWEST", "RISEN", "State", "Trend", "noise_floor", "trends"]

MOST = 200
"""The latest entries that are looked at."""

LASTING = 3
"""Entries of a level that later ones are held against: fewer may be one lucky day of the machine."""

State = Literal["steady", "step", "drift", "inconclusive", "too few"]

RISEN = frozenset({"step", "drift"})
"""The slowdowns."""


@dataclass(frozen=True)
class Trend:
    """What became of one benchmark over time.

    Attributes:
        state: ``step`` and ``drift`` are slowdowns; ``steady``: a rise by the effect or more is excluded;
            ``inconclusive``: neither; ``too few``: nothing can be said.
        change: by how much the latest level lies above the lowest earlier one, as a share; 0 where it did not rise.
        at: the index of the first entry after the step, after that which passed the middle where there were several;
            ``None`` where there is no step.
        most: the rise that is not excluded, as a share; infinite where nothing can be said.
        stretches: the levels that were found, the oldest first.
    """

    state: State
    change: float = 0.0
    at: int | None = None
    most: float = math.inf
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True)
class _Fit:
    """A series with its levels.

    Attributes:
        values: the series.
        parts: its stretches.
        since: the index of the entry whose level was accepted; 0 where none was.
    """

    values: np.ndarray
    parts: tuple[Stretch, ...]
    since: int

    @property
    def rest(self) -> np.ndarray:
        return self.values - fitted(self.parts)

    @property
    def freedom(self) -> int:
        return max(1, len(self.values) - len(self.parts) - self.parts[-1].drifts)

    def spread(self, less: np.ndarray | float = 0.0, lost: int = 0) -> np.ndarray:
        """Of the noise about the levels; ``less``: squares that a further step explains, with ``lost`` freedom."""
        squares = float((self.rest**2).sum()) - less
        return np.sqrt(np.maximum(squares / max(1, self.freedom - lost), LEAST_SPREAD**2))

    @property
    def earlier(self) -> tuple[Stretch, ...]:
        """The levels, from the accepted one on, that the latest one is held against."""
        before = tuple(part for part in self.parts[:-1] if part.last >= self.since)
        return tuple(part for part in before if part.length >= LASTING) or before


@dataclass(frozen=True)
class _Rise:
    """Of the latest level.

    Attributes:
        size: in the logarithm.
        scale: its standard error, in spreads of the noise.
        over: the level that it rose over; ``None`` where it rose along a line.
    """

    size: float
    scale: float
    over: Stretch | None = None


def trends(
    series: Mapping[str, Sequence[float]],
    effect: float = 0.02,
    level: float = 0.01,
    accepted: Mapping[str, int] | None = None,
) -> dict[str, Trend]:
    """Every benchmark's trend; any false alarm among them all has at most the chance ``level``, in one look.

    Args:
        series: benchmark -> log-ratios, the oldest first.
        effect: the least rise that counts, as a share.
        level: the chance of a false alarm in a family that does not change, and of a rise by the effect or more in one
            that is called steady.
        accepted: benchmark -> index of the entry whose level is the one to hold later ones against.
    """
    family = sum(len(values) >= FEWEST for values in series.values())
    return {
        name: _trend(values, effect, level, family, (accepted or {}).get(name, 0)) for name, values in series.items()
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


def _trend(values: Sequence[float], effect: float, level: float, family: int, since: int) -> Trend:
    if len(values) < FEWEST:
        return Trend("too few")
    left_out = max(0, len(values) - MOST)
    shown = np.asarray(values[left_out:], float)
    # One half for changes that are none, one half for rises over levels that the series came back to.
    allowed = level / family / 2
    fit = _Fit(shown, stretches(shown, allowed), max(0, since - left_out))
    rises = [*_rises(fit)]
    most = math.expm1(max((*_bounds(fit, rises, level), *_later(fit, level)), default=-math.inf))
    placed = tuple(Stretch(p.first + left_out, p.last + left_out, p.start, p.end, p.drifts) for p in fit.parts)
    highest = max(rises, key=lambda rise: rise.size, default=None)
    if highest is None or not _counts(highest, fit, effect, allowed / len(rises)):
        return Trend("steady" if most < effect else "inconclusive", most=most, stretches=placed)
    change = math.expm1(highest.size)
    if highest.over is None:
        return Trend("drift", change, None, most, placed)
    return Trend("step", change, _passed(fit, highest.over) + left_out, most, placed)


def _counts(rise: _Rise, fit: _Fit, effect: float, level: float) -> bool:
    if rise.size <= 0 or math.expm1(rise.size) < effect:
        return False
    return special.stdtr(fit.freedom, -rise.size / (float(fit.spread()) * rise.scale)) <= level


def _rises(fit: _Fit) -> Iterator[_Rise]:
    """Of the latest level over each earlier one, and along itself where it is a line."""
    last = fit.parts[-1]
    distance = _distance(last)
    for part in fit.earlier:
        own = 1 / last.length + ((last.length - 1) / 2 * distance) ** 2 * last.drifts
        yield _Rise(last.end - part.end, math.sqrt(1 / part.length + own), part)
    if last.drifts:
        runs = last.last - max(last.first, fit.since)
        yield _Rise((last.end - last.start) / (last.length - 1) * runs, distance * runs)


def _distance(stretch: Stretch) -> float:
    """The standard error of a line's slope, in spreads of the noise."""
    time = np.arange(stretch.length) - (stretch.length - 1) / 2
    return 1 / math.sqrt(float(time @ time)) if stretch.length > 1 else 0.0


def _bounds(fit: _Fit, rises: Sequence[_Rise], level: float) -> Iterator[float]:
    """What each rise is at the most."""
    far = float(special.stdtrit(fit.freedom, 1 - level) * fit.spread())
    for rise in rises:
        yield rise.size + far * rise.scale


def _later(fit: _Fit, level: float) -> Iterator[float]:
    """What a step within the latest stretch is at the most, wherever it may be.

    Whoever names a place where it rose by the effect or more is refuted by the bound at that place: no chance adds up.
    A creep too slight to be found is seen here, too: its last run lies above the mean of those before.
    """
    last, rest = fit.parts[-1], fit.rest[fit.parts[-1].first :]
    before = np.arange(max(last.first, fit.since) + 1, last.last + 1) - last.first
    if not len(before):
        return
    after = last.length - before
    sums = np.cumsum(rest)[before - 1]
    high, low = -sums / after, sums / before  # what is left of a fit has the mean 0
    explained = (high - low) ** 2 * before * after / last.length
    far = special.stdtrit(max(1, fit.freedom - 1), 1 - level) * fit.spread(explained, 1)
    yield float((high - low + far * np.sqrt(1 / before + 1 / after)).max())
    for part in fit.earlier:
        yield float((last.end + high - part.end + far * np.sqrt(1 / after + 1 / part.length)).max())


def _passed(fit: _Fit, lowest: Stretch) -> int:
    """The first entry after the step that passed the middle between the lowest level and the latest."""
    middle = (lowest.end + fit.parts[-1].end) / 2
    return max(part.last for part in fit.parts[:-1] if part.end < middle) + 1
