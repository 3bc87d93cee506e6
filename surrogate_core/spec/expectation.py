"""An expectation: values that a spec promises, how far off an answer may be, and who is within."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64

from surrogate_core.spec.digits import plus_minus

__all__ = ["Expectation", "Side"]

Points = Float64[np.ndarray, " points"]


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a breakpoint, accepted as well at the inputs within two roundings of it (see sides.py).

    Attributes:
        index: those inputs.
        gradient, rest, bound: as in :class:`Expectation`, for each of them.
    """

    index: Int64[np.ndarray, " near"]
    gradient: Float64[np.ndarray, " near"]
    rest: Float64[np.ndarray, " near"]
    bound: Float64[np.ndarray, " near"]


@dataclass(frozen=True, eq=False)
class Expectation:
    """What the spec promises at each input, in exact-enough arithmetic.

    Attributes:
        gradient: g'(x), rounded to float64; NaN where x is NaN, the limit where x is infinite.
        rest: g'(x) - gradient, the part that float64 could not hold (0 below float64).
        bound: the derived bound B on the absolute error.
        floor: the flush-to-zero threshold f (see flushing.py); where |g'| - B <= f any value in [0, f + B] is accepted.
        peak: the largest expected |g'|.
        sides: what is accepted beside g' near the formula's breakpoints.
    """

    gradient: Points
    rest: Points
    bound: Points
    floor: float
    peak: float
    sides: tuple[Side, ...] = ()

    def error(self, measured: Points) -> Points:
        """Signed error of ``measured``, near a breakpoint that against the nearest side.

        The first subtraction is exact where the two are close.
        """
        nearest = self.nearest(measured)
        return _error(measured, nearest.gradient, nearest.rest)

    def within(self, measured: Points) -> Bool[np.ndarray, " points"]:
        """Whether each value is acceptable (equal NaNs and infinities are)."""
        nearest = self.nearest(measured)
        return _within(measured, nearest.gradient, nearest.rest, nearest.bound, self.floor)

    def nearest(self, measured: Points) -> Expectation:
        """The same for these answers: near a breakpoint the side that accepts the answer, or comes nearest."""
        if not self.sides:
            return self
        gradient, rest, bound = self.gradient.copy(), np.array(self.rest), self.bound.copy()
        for side in self.sides:
            i = side.index
            mine, other = (gradient[i], rest[i], bound[i]), (side.gradient, side.rest, side.bound)
            accepts, would_accept = (_within(measured[i], *values, self.floor) for values in (mine, other))
            off, would_be_off = (np.abs(_error(measured[i], *values[:2])) for values in (mine, other))
            better = np.where(accepts == would_accept, would_be_off < off, would_accept)
            for array, values in zip((gradient, rest, bound), other, strict=True):
                array[i[better]] = values[better]
        return replace(self, gradient=gradient, rest=rest, bound=bound, sides=())

    def accepted(self, index: int) -> str:
        """What is accepted at one input, for a person to read."""
        choices = [(self.gradient[index], self.bound[index])]
        for side in self.sides:
            choices += [(side.gradient[i] + side.rest[i], side.bound[i]) for i in np.flatnonzero(side.index == index)]
        return " or ".join(dict.fromkeys(plus_minus(value, bound) for value, bound in choices))

    @functools.cached_property
    def near(self) -> Bool[np.ndarray, " points"]:
        """Whether an input lies within two roundings of a breakpoint."""
        mask = np.zeros(self.gradient.shape, bool)
        for side in self.sides:
            mask[side.index] = True
        return mask

    @functools.cached_property
    def slack(self) -> Points:
        """How far an acceptable answer may be from the formula at the most, flushing apart."""
        if not self.sides:
            return self.bound
        slack = self.bound.copy()
        for side in self.sides:
            away = np.abs((side.gradient - self.gradient[side.index]) + (side.rest - self.rest[side.index]))
            slack[side.index] = np.fmax(slack[side.index], away + side.bound)
        return slack

    @functools.cached_property
    def jumps(self) -> Bool[np.ndarray, " points"]:
        """Whether the sides of a breakpoint near an input differ by more than rounding explains."""
        mask = np.zeros(self.gradient.shape, bool)
        for side in self.sides:
            i = side.index
            away = np.abs((side.gradient - self.gradient[i]) + (side.rest - self.rest[i]))
            mask[i] |= away > side.bound + self.bound[i]
        return mask

    @functools.cached_property
    def flushed(self) -> Bool[np.ndarray, " points"]:
        """Whether an answer may be flushed to zero."""
        return np.abs(self.gradient) - self.bound <= self.floor

    def tolerance(self) -> Points:
        """How far two acceptable answers may lie apart.

        Each may be off by B or stand on the other side of a breakpoint, and each may be flushed.
        """
        tolerance = 2 * self.bound
        if self.sides:
            low, high = self.gradient - self.bound, self.gradient + self.bound
            for side in self.sides:
                i, reach = side.index, side.bound + np.abs(side.rest)
                low[i], high[i] = np.fmin(low[i], side.gradient - reach), np.fmax(high[i], side.gradient + reach)
            tolerance = np.where(self.near, high - low + 2 * np.abs(self.rest), tolerance)
        return np.where(self.flushed | self.near, tolerance + self.floor, tolerance)


def _error(measured: Points, gradient: Points, rest: Points) -> Points:
    with np.errstate(invalid="ignore"):
        return (measured - gradient) - rest


def _within(measured: Points, gradient: Points, rest: Points, bound: Points, floor: float) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        near = np.abs(_error(measured, gradient, rest)) <= bound
        sign = np.where(gradient < 0, -1.0, 1.0)
        flushed = np.abs(gradient) - bound <= floor
        tiny = flushed & (sign * measured >= 0) & (np.abs(measured) <= floor + bound)
        same = (measured == gradient) | (np.isnan(measured) & np.isnan(gradient))
    return near | tiny | same
