"""Where a surrogate is evaluated: all bit patterns of a 16-bit format, a stratified sample of a wider one.

Every sweep has the same build, which the judges rely on: its first half are non-negative values in
ascending order with the NaNs last, its second half the same with the sign bit set.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from surrogate_core.spec.expectation import Expectation
from surrogate_core.spec.formats import Format
from surrogate_core.spec.model import Parameters, Spec
from surrogate_core.spec.oracle import expect, last_above
from surrogate_core.spec.sides import breakpoints

__all__ = ["Sweep", "simplest", "sweep"]

SIZES = {"quick": (1 << 13, 1 << 11), "standard": (1 << 16, 1 << 12), "thorough": (1 << 20, 1 << 13)}
"""Profile -> points in float32, in float64 (whose 50-digit oracle costs 20 microseconds a point)."""

LADDER = 129
"""Rungs of the log-linear fit, equally spaced in |x| over the window where g' is normal."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """The inputs of one format, with what the spec expects there.

    Attributes:
        x: the inputs in their own format, built as the module says; shape (points,).
        exact: the same in float64.
        expected: the gradient's expectation at each.
        exhaustive: whether ``x`` holds every bit pattern of the format.
    """

    x: np.ndarray
    exact: Float64[np.ndarray, " points"]
    expected: Expectation
    exhaustive: bool

    @property
    def half(self) -> int:
        """Index of the first negative value; ``x[i]`` and ``x[half + i]`` are mirror images."""
        return self.x.size // 2

    def ladder(self, fmt: Format, sign: int) -> Int64[np.ndarray, " rungs"]:
        """Indices of rungs with x*sign > 0, about equally spaced while g' is surely no number that may be flushed."""
        start = 0 if sign > 0 else self.half
        side = slice(start, start + self.half)
        distance = np.abs(self.exact[side])
        usable = np.isfinite(distance) & (
            self.expected.gradient[side] - self.expected.bound[side] > self.expected.floor
        )
        reach = distance[usable].max(initial=0.0)
        nearest = np.searchsorted(distance, reach * (np.arange(1, LADDER) / LADDER))
        picked = np.unique(nearest[nearest < self.half])
        return start + picked[usable[picked] & (distance[picked] > 0)]


@functools.lru_cache(maxsize=64)  # all of a spec of four parameters: four formats, thirteen sets of values
def sweep(spec: Spec, parameters: Parameters, fmt: Format, profile: str, seed: int) -> Sweep:
    """The sweep of one format. Random mantissas come from ``seed``; the same seed gives the same points."""
    exhaustive = fmt.dtype.itemsize == 2
    count = 1 << (8 * fmt.dtype.itemsize - 1) if exhaustive else SIZES[profile][fmt.name == "float64"] // 2
    side = np.arange(count, dtype=fmt.bits_dtype) if exhaustive else _stratified(spec, parameters, fmt, count, seed)
    bits = np.concatenate([side, side | fmt.bits_dtype.type(1 << (8 * fmt.dtype.itemsize - 1))])
    x = bits.view(fmt.dtype)
    with np.errstate(invalid="ignore"):
        exact = x.astype(np.float64)
    return Sweep(x, exact, expect(spec, parameters, fmt, exact), exhaustive)


def _bits(values: Any, fmt: Format) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.abs(np.asarray(values, np.float64)).astype(fmt.dtype).view(fmt.bits_dtype)


def _stratified(spec: Spec, parameters: Parameters, fmt: Format, count: int, seed: int) -> np.ndarray:
    """``count`` non-negative bit patterns: the places where defects live first, random ones to fill up.

    A spec of very many breakpoints has more such places than that.
    """
    random = np.random.default_rng([seed, fmt.precision])
    top = fmt.precision - 1
    exponents = np.arange((1 << (8 * fmt.dtype.itemsize - 1 - top)) - 1, dtype=fmt.bits_dtype) << fmt.bits_dtype.type(
        top
    )
    if exponents.size > count // 4:
        exponents = exponents[:: -(-exponents.size // (count // 4))]
    infinity = int(_bits(np.inf, fmt))
    special = [0.0, fmt.smallest_subnormal, fmt.smallest_normal, fmt.largest, np.inf]
    decimals = [*range(1, 33), *(10.0**k for k in range(-10, 11)), *(np.arange(1, 100) / 10)]
    reach = _reach(spec, parameters, fmt)
    rungs = reach[0] * (np.arange(1, LADDER) / LADDER)
    near_zero = np.arange(64, dtype=fmt.bits_dtype)
    places = [*reach, *(float(place.at) for place in breakpoints(spec, parameters))]
    around = _bits(places, fmt)[:, None] + np.arange(-16, 17).astype(fmt.bits_dtype)
    fixed = np.concatenate(
        [
            _bits(special, fmt),
            _bits(decimals, fmt),
            _bits(rungs, fmt),
            near_zero,
            near_zero + fmt.bits_dtype.type(int(_bits(fmt.smallest_normal, fmt)) - 32),
            around.ravel(),
            np.array([infinity - 1, infinity + 1, infinity + (1 << (top - 1))], fmt.bits_dtype),
            exponents,
            exponents + fmt.bits_dtype.type((1 << top) - 1),
        ]
    )
    fixed = np.unique(fixed[fixed <= infinity + (1 << (top - 1))])
    # What is left goes half to every exponent alike, half to where the gradient is neither 1 nor 0.
    known = fixed
    while (missing := count - known.size) > 0:
        anywhere = random.integers(0, infinity, missing, dtype=fmt.bits_dtype)
        window = _bits(random.uniform(0, reach[-1], missing), fmt)
        known = np.union1d(known, np.where(np.arange(missing) % 2, anywhere, window))
    # Where more are fixed than were asked for, none of them is left out: the largest are infinity and NaN.
    return known if fixed.size > count else known[:count]


def _reach(spec: Spec, parameters: Parameters, fmt: Format) -> Float64[np.ndarray, " two"]:
    """The distances where |g'| last exceeds the smallest normal and the smallest subnormal number."""
    coarse = np.exp2(np.linspace(max(fmt.min_exponent, -100), min(fmt.max_exponent, 200), 2048))
    limits = (fmt.smallest_normal, fmt.smallest_subnormal)
    return np.array([last_above(spec, parameters, limit, coarse) for limit in limits])


def simplest(x: Any, failing: Bool[np.ndarray, " points"]) -> int:
    """Index of the failing input that a person grasps at once: 0, then 1, small numbers, short decimals.

    Raises:
        ValueError: nothing fails.
    """
    indices = np.flatnonzero(failing)
    if not indices.size:
        raise ValueError("nothing fails, so there is no simplest failing input")
    if indices.size > 2048:
        # Few significant bits go with few digits: keep zero, short decimals and the roundest, then look closer.
        with np.errstate(invalid="ignore"):
            distance = np.abs(x[indices].astype(np.float64))
        mantissa, _ = np.frexp(np.nan_to_num(distance, nan=0.0, posinf=0.0))
        odd = (mantissa * 2.0**53).astype(np.int64)
        roundness = odd & -odd
        short = np.isin(distance, (np.arange(100) / 10).astype(x.dtype).astype(np.float64))
        indices = indices[np.argsort(np.where(short, -np.inf, -roundness.astype(np.float64)), kind="stable")[:2048]]
    with np.errstate(invalid="ignore", over="ignore"):
        # Rounding the largest number to fewer digits overflows, and a signalling NaN is no news.
        return int(indices[_least_effort(x[indices])])


def _least_effort(values: Any) -> int:
    """Which of the values it costs the least to grasp; the first of several."""
    size = np.abs(values.astype(np.float64))
    finite = np.flatnonzero(np.isfinite(size))
    if not finite.size:
        return min(range(values.size), key=lambda i: (bool(np.isnan(size[i])), bool(np.signbit(values[i]))))
    fewest = _fewest_characters(size[finite])
    best, at = None, 0
    for place in np.argsort(fewest, kind="stable"):
        if best and fewest[place] > best[1]:
            break  # nor are those after it any shorter
        i = int(finite[place])
        effort = _effort(values[i], best[1] if best else DIGITS)
        if effort and (best is None or (effort, i) < (best, at)):
            best, at = effort, i
    return at


DECADES = 10.0 ** np.arange(-4, 5)
CHARACTERS = np.array([5, 6, 5, 4, 3, 1, 2, 3, 4, 5])
"""What numbers up to each of these take at the least, when they are written: 0.01 takes 4 characters, 1e-05 takes 5."""


def _fewest_characters(size: Float64[np.ndarray, " few"]) -> Int64[np.ndarray, " few"]:
    """The least that each number may take when it is written; a format's 0.1 may lie on either side of 0.1."""
    low, high = (CHARACTERS[np.searchsorted(DECADES, size * near, side="right")] for near in (0.99, 1.01))
    return np.where(size == 0, 0, np.minimum(low, high))


DIGITS = 17
"""Decimal digits that tell any number of any format."""


def _effort(value: Any, most: int) -> tuple[bool, int, float, bool] | None:
    """What it costs a person to grasp a number: zero is free, then fewer characters, then nearer to zero.

    ``None`` where it takes more than ``most`` digits, and so as many characters at the least.
    """
    number, kind = float(value), type(value)
    for digits in range(1, min(most, DIGITS) + 1):
        if digits == DIGITS or kind(float(f"{number:.{digits}g}")) == value:
            return number != 0, len(f"{abs(number):.{digits}g}"), abs(number), bool(np.signbit(value))
    return None
