"""Where the level of a series changed: its stretches of one level, of which the last may be a straight line.

Noise is taken for independent and normal, of one unknown spread. Two neighbouring stretches of one level then differ by
a t statistic whose chance is known exactly, whatever the rest of the series did, and so is that of the slope of a line.
Many windows are looked at, and their chances add up to at most the level (Bonferroni): the chance of a change that is
found in a window where there is none. Of those in which there is one, the narrowest tells where (Baranowski, Chen and
Fryzlewicz, *Narrowest-over-threshold detection of multiple change points*, J. R. Stat. Soc. B 2019), so that neither a
bump nor an improvement before a slowdown hides it.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

__all__ = ["FEWEST", "LEAST_SPREAD", "Stretch", "fitted", "stretches"]

FEWEST = 6
"""Entries: with fewer, a spread of unknown size leaves nothing to be seen."""

LEAST_SPREAD = 1e-9
"""Of log-ratios: series that vary by less differ by the rounding of sums."""

WHOLE, INNER, LINE = 0.5, 0.25, 0.25
"""Shares of the level: of all places where the whole series may step, of all windows within it, and of lines."""

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Entries on either side of a place, beside all that there are."""


@dataclass(frozen=True)
class Stretch:
    """Entries of one level, or along a straight line.

    Attributes:
        first: index of the first entry.
        last: of the last one.
        start: the level at the first one.
        end: at the last one; another only along a line.
        drifts: whether it is a line.
    """

    first: int
    last: int
    start: float
    end: float
    drifts: bool = False

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def stretches(values: np.ndarray, level: float) -> tuple[Stretch, ...]:
    """The stretches of ``FEWEST`` entries or more; any change that is none has at most the chance ``level``."""
    changes = _narrowest(values, _clear(values, level), 0, len(values))
    drift, changes = _drift(values, changes, level * LINE / (len(values) - FEWEST + 1))
    found = [_flat(values, first, end) for first, end in itertools.pairwise((0, *changes, len(values)))]
    if drift is None:
        return tuple(found)
    line = _line(values[drift:])
    return (*(s for s in found if s.first < drift), Stretch(drift, len(values) - 1, line[0], line[-1], True))


def fitted(found: Sequence[Stretch]) -> np.ndarray:
    """The level at every entry."""
    return np.concatenate([np.linspace(s.start, s.end, s.length) for s in found])


def _flat(values: np.ndarray, first: int, end: int) -> Stretch:
    level = float(values[first:end].mean())
    return Stretch(first, end - 1, level, level)


@functools.cache
def _windows(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of (first entry, first one after the change, end): over the whole series, and within it."""
    whole = {(0, change, count) for change in range(1, count)}
    inner = {
        (change - before, change, change + after)
        for change in range(1, count)
        for before in (*(n for n in LENGTHS if n < change), change)
        for after in (*(n for n in LENGTHS if n < count - change), count - change)
        if before + after >= FEWEST
    }
    return np.array(sorted(whole)), np.array(sorted(inner - whole), int).reshape(-1, 3)


def _clear(values: np.ndarray, level: float) -> list[tuple[int, int]]:
    """First and end of the windows whose two sides differ, the narrowest first, of equally wide ones the clearest."""
    found: list[tuple[int, float, tuple[int, int]]] = []
    for windows, share in zip(_windows(len(values)), (WHOLE, INNER), strict=True):
        chances = _chances(values, windows)
        for at in np.flatnonzero(chances * len(windows) <= level * share):
            first, _, end = (int(index) for index in windows[at])
            found.append((end - first, float(chances[at]), (first, end)))
    return [window for *_, window in sorted(found)]


def _chances(values: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Of so large a difference between the two sides of every window where there is none: a two-sided t test."""
    centred = values - values.mean()
    sums, squares = (np.concatenate([[0.0], np.cumsum(powers)]) for powers in (centred, centred**2))
    first, change, end = windows.T
    before, after = change - first, end - change
    low, high = (sums[change] - sums[first]) / before, (sums[end] - sums[change]) / after
    freedom = before + after - 2
    within = squares[end] - squares[first] - before * low**2 - after * high**2
    spread = np.sqrt(np.maximum(within / freedom, LEAST_SPREAD**2) * (1 / before + 1 / after))
    return 2 * special.stdtr(freedom, -np.abs(high - low) / spread)


def _narrowest(values: np.ndarray, clear: Sequence[tuple[int, int]], first: int, end: int) -> tuple[int, ...]:
    """The changes within a part of the series, by the windows that lie in it."""
    inside = [window for window in clear if window[0] >= first and window[1] <= end]
    if not inside:
        return ()
    change = inside[0][0] + _best_split(values[slice(*inside[0])])
    return (*_narrowest(values, inside, first, change), change, *_narrowest(values, inside, change, end))


def _best_split(values: np.ndarray) -> int:
    """Where two levels fit best."""
    before = np.arange(1, len(values))
    sums = np.cumsum(values - values.mean())[:-1]
    return int(np.argmax(sums**2 * (1 / before + 1 / (len(values) - before)))) + 1


def _drift(values: np.ndarray, changes: tuple[int, ...], level: float) -> tuple[int | None, tuple[int, ...]]:
    """(from where on the series is a line, or nowhere, the changes): a line where it explains more than steps do."""
    for first in (0, *changes):
        rest = values[first:]
        if len(rest) < FEWEST or _chance_of_slope(rest) > level:
            continue
        known = [change - first for change in changes if change > first]
        steps = known or [_best_split(rest)]
        stairs = np.concatenate([np.full(len(part), part.mean()) for part in np.split(rest, steps)])
        if _cost(rest - _line(rest), 2) <= _cost(rest - stairs, 2 * len(steps) + 1):
            return first, changes
        if not known:
            return None, (*changes, first + steps[0])
    return None, changes


def _line(values: np.ndarray) -> np.ndarray:
    """The straight line through a series."""
    time = np.arange(len(values)) - (len(values) - 1) / 2
    return values.mean() + time * float(time @ values / (time @ time))


def _chance_of_slope(values: np.ndarray) -> float:
    """Of so steep a line in a series that has none: a two-sided t test."""
    count = len(values)
    line = _line(values)
    spread = max(float(((values - line) ** 2).sum() / (count - 2)), LEAST_SPREAD**2)
    steepness = float(((line - line.mean()) ** 2).sum())
    return float(2 * special.stdtr(count - 2, -math.sqrt(steepness / spread)))


def _cost(rest: np.ndarray, parameters: int) -> float:
    """Schwarz's criterion: what a fit leaves, and what its parameters are worth."""
    count = len(rest)
    return count * math.log(max(float((rest**2).mean()), LEAST_SPREAD**2)) + parameters * math.log(count)
