"""What a spec expects at given inputs: values from its formula, and how far an answer may be off.

The reference is float64 for f16, bf16 and f32, where its own error is far below the format's, and
50 digits of mpmath, rounded to a pair of float64, for float64 itself and wherever float64 loses the formula.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
from jaxtyping import Bool, Float64

from surrogate_core.spec.bound import bound_terms, formulas, moved, swings
from surrogate_core.spec.claims import Even, NonIncreasing
from surrogate_core.spec.evaluate import below, chunks, exactly, exactly_at_many, in_float64
from surrogate_core.spec.expectation import Expectation
from surrogate_core.spec.flushing import flush_floor, has_several_tails
from surrogate_core.spec.formats import FORMATS, Format
from surrogate_core.spec.limits import BEYOND, DIGITS, FAINT, STEPPING, SWINGING, limits
from surrogate_core.spec.model import Parameters, Spec
from surrogate_core.spec.sides import breakpoints, sides_near

__all__ = ["expect", "float64_is_sound", "forward", "last_above", "reach"]

Points = Float64[np.ndarray, " points"]
SOUND = 2.0**-40
"""Relative error above which float64 may not serve as the oracle of float32 (u = 2^-24)."""

NOWHERE = np.array([], np.int64)
"""No indices."""

PROBES = 2.0 ** np.arange(-30, 12, 0.37)
"""Distances from the threshold at which float64 is compared with mpmath."""


def _in_float64(spec: Spec, parameters: Parameters, points: Points) -> tuple[Points, Points]:
    """(g', bound terms), in float64."""
    gradient, terms = np.empty(points.shape), np.empty(points.shape)
    with np.errstate(all="ignore"):
        for part in chunks(points.size):
            gradient[part], *slopes = in_float64(formulas(spec), spec.symbols, points[part], parameters)
            terms[part] = bound_terms(gradient[part], slopes, points[part], parameters)
    return gradient, terms


def _halved(spec: Spec, points: Points, evaluate: Callable[[Points], Sequence[Points]]) -> Sequence[Points]:
    """What ``evaluate`` answers at the points, where it is even if the formula is: of mirror images it is asked one."""
    half, odd = divmod(points.size, 2)
    if odd or not spec.claim(Even) or not np.array_equal(points[:half], -points[half:]):
        return evaluate(points)
    return [np.concatenate([values, values]) for values in evaluate(points[:half])]


def _in_mpmath(
    spec: Spec, parameters: Parameters, points: Points, *, bounds: bool = True
) -> tuple[Points, Points, Points]:
    """(g', what float64 cannot hold of it, bound terms), in mpmath; the terms are 0 without ``bounds``."""
    if spec.claim(Even) and (distances := np.unique(np.abs(points))).size < points.size:
        # A point costs microseconds by the dozen, and its mirror image has the same.
        gradient, rest, terms = _in_mpmath(spec, parameters, distances, bounds=bounds)
        at = np.searchsorted(distances, np.abs(points))
        return gradient[at], rest[at], terms[at]
    expressions = formulas(spec) if bounds else (spec.gradient,)
    with mpmath.workdps(DIGITS):
        # Of what swings no digit is sure far out: it is evaluated as it is written, so that everybody gets the same.
        swinging = spec.gradient.has(*SWINGING)
        exact = (_as_written if swinging else exactly_at_many)(expressions, spec.symbols, parameters)

        def one(point: float) -> tuple[float, float, float]:
            gradient, *slopes = exact(mpmath.mpf(point))
            high = float(mpmath.re(gradient))
            # The derivative at a kink is none, and counts nothing.
            slopes = [0 if mpmath.isnan(s) else s for s in slopes]
            terms = float(bound_terms(gradient, slopes, mpmath.mpf(point), parameters)) if bounds else 0.0
            return high, float(mpmath.re(gradient) - high), terms

        if bounds or swinging or not spec.claim(NonIncreasing):
            found = np.array([one(point) for point in points.tolist()]).reshape(-1, 3)
        else:
            found = np.empty((points.size, 3))
            for negative in (False, True):
                side = np.flatnonzero(np.signbit(points) == negative)
                side = side[np.argsort(np.abs(points[side]))]
                found[side] = _falling(one, points[side])
    return found[:, 0], found[:, 1], found[:, 2]


def _falling(at: Callable[[float], tuple[float, ...]], points: Points) -> np.ndarray:
    """``at`` each of the points, of what falls from one to the next: what it is at two of them, it is between them.

    Near the threshold, and far away, that are half of all exponents of float64.
    """
    found = np.empty((points.size, 3))
    stretches = [(0, points.size - 1)] if points.size else []
    for end in (0, -1) if points.size else ():
        found[end] = at(float(points[end]))
    while stretches:
        first, last = stretches.pop()
        if np.array_equal(found[first], found[last]):
            found[first:last] = found[first]
        elif last - first > 1:
            middle = (first + last) // 2
            found[middle] = at(float(points[middle]))
            stretches += [(first, middle), (middle, last)]
    return found


def _as_written(expressions: Any, symbols: Any, parameters: Parameters) -> Callable[[Any], list[Any]]:
    return lambda point: exactly(expressions, symbols, point, parameters)


@functools.lru_cache(maxsize=256)
def _sound(spec: Spec, parameters: Parameters) -> Bool[np.ndarray, "signs cells"]:
    """For x > 0 and x < 0, between which probes float64 evaluates formula and bound well enough."""
    sound = []
    exact_at = _in_mpmath(spec, parameters, np.concatenate([PROBES, -PROBES]))
    for sign, side in ((1, slice(None, PROBES.size)), (-1, slice(PROBES.size, None))):
        exact, _, terms = (values[side] for values in exact_at)
        gradient, rough = _in_float64(spec, parameters, sign * PROBES)
        with np.errstate(invalid="ignore"):
            good = np.abs(gradient - exact) <= SOUND * terms + FAINT
            good &= np.abs(rough - terms) <= terms / 1024 + FAINT
        sound.append(np.concatenate([good[:1], good[1:] & good[:-1], good[-1:]]))
    return np.array(sound)


def float64_is_sound(spec: Spec, parameters: Parameters) -> bool:
    """Whether float64 evaluates the formula well enough to judge float32, checked against mpmath.

    ``1 - tanh(x)**2`` is not: it is 0 in float64 at x = 14.6, where float32 still holds 8e-13.
    """
    return bool(_sound(spec, parameters).all())


def _smooth(
    spec: Spec, parameters: Parameters, fmt: Format, points: Points, near: Any = NOWHERE
) -> tuple[Points, Points, Points]:
    """(g', rest, bound terms) at finite points, on the branch where each point lies.

    ``near`` are indices of points so near to a breakpoint that float64 might take the other branch.
    """
    gradient, terms = _halved(spec, points, lambda half: _in_float64(spec, parameters, half))
    rest = np.broadcast_to(0.0, points.shape)
    lost = ~np.isfinite(terms)
    lost[near] = True
    if not float64_is_sound(spec, parameters):
        cell = np.searchsorted(PROBES, np.abs(points))
        lost |= ~_sound(spec, parameters)[np.signbit(points).astype(np.intp), cell]
    if fmt.name == "float64":
        # Below what float32 holds nobody has compared the bound: a power in it may have overflowed.
        lost |= (gradient != 0) & (np.abs(gradient) < FAINT / SOUND)
        # Where its own numbers are whole, float64 has the slope of a floor's argument from another cell.
        lost |= spec.gradient.has(*STEPPING) & (np.abs(points) >= 1)
        kept = ~lost
        rest = np.empty(points.shape)
        gradient[kept], rest[kept], _ = _in_mpmath(spec, parameters, points[kept], bounds=False)
    if lost.any():
        rest = rest.copy()
        gradient[lost], rest[lost], terms[lost] = _in_mpmath(spec, parameters, points[lost])
    return gradient, rest, terms


def _bound_at_infinity(spec: Spec, parameters: Parameters, fmt: Format, side: int) -> float:
    """The bound at -inf or inf; 0 where the limit is 0, infinite, or a number that the format holds."""
    limit = limits(spec, parameters)[side > 0]
    if limit == 0 or not np.isfinite(limit):
        return 0.0
    with mpmath.workdps(DIGITS):
        _, *slopes = exactly(formulas(spec), spec.symbols, side * BEYOND, parameters)
        # The distance times the slope there vanishes, or the limit is none.
        slopes = [0, *(s if mpmath.isfinite(s) else 0 for s in slopes[1:])]
        rounded = float(fmt.dtype.type(limit)) != limit or any(slopes)
        return fmt.unit_roundoff * float(bound_terms(limit, slopes, 0, parameters)) if rounded else 0.0


def expect(spec: Spec, parameters: Parameters, fmt: Format, points: Points) -> Expectation:
    """What ``spec`` promises for the gradient at ``points`` (exact values of ``fmt``), and the bound there."""
    finite = np.isfinite(points)
    inside = points if finite.all() else np.where(finite, points, 0.0)
    sides = sides_near(spec, parameters, fmt, np.where(finite, points, np.nan)) if breakpoints(spec, parameters) else ()
    near = np.unique(np.concatenate([NOWHERE, *(side.index for side in sides)]))
    # What is subnormal is near the threshold, of which float64 knows on which side it is.
    near = near[np.abs(inside[near]) >= fmt.smallest_normal]
    gradient, rest, terms = _smooth(spec, parameters, fmt, inside, near)
    bound = np.multiply(terms, fmt.unit_roundoff, out=terms)
    if swinging := swings(spec):
        swung = _halved(spec, inside, lambda half: in_float64(swinging, spec.symbols, half, parameters))
        bound = 4 * fmt.unit_roundoff * np.abs(gradient) + moved(swung, fmt.unit_roundoff, np.fmin)
    if spec.flushing_tolerated and not any(place.at == 0 for place in breakpoints(spec, parameters)):
        subnormal = below(inside, fmt.smallest_normal)
        subnormal = subnormal[inside[subnormal] != 0]
        if subnormal.size:
            # A platform that takes a subnormal input for zero answers with the gradient there.
            at_zero = _smooth(spec, parameters, fmt, np.zeros(1))[0][0]
            bound[subnormal] += np.abs(gradient[subnormal] - at_zero)
    if not finite.all():
        gradient[~finite], bound[~finite] = np.nan, 0.0
        for side, limit in zip((-1, 1), limits(spec, parameters), strict=True):
            gradient[points == side * np.inf] = limit
            bound[points == side * np.inf] = _bound_at_infinity(spec, parameters, fmt, side)
        rest = np.where(finite, rest, 0.0)
    values = [gradient, *(side.gradient for side in sides)]
    peak = float(max(max(np.fmax.reduce(v, initial=0.0), -np.fmin.reduce(v, initial=0.0)) for v in values))
    floor = flush_floor(spec, parameters, fmt, peak)
    if has_several_tails(spec):
        bound[finite] += floor
    return Expectation(gradient, rest, bound, floor, peak, sides)


def _gradient(spec: Spec, parameters: Parameters, points: Points) -> Points:
    """The gradient alone at finite points, as good as float32 needs it."""
    return _smooth(spec, parameters, FORMATS["float32"], points)[0]


def last_above(spec: Spec, parameters: Parameters, limit: float, distances: Points) -> float:
    """The distance from the threshold where |g'| last exceeds ``limit`` on either side, to a few digits.

    ``distances`` are those to look at first, ascending: the first of them where it exceeds the limit
    nowhere, the last of them where it does so to the end.
    """
    for _ in range(2):
        # A few digits are enough, so float64 arithmetic finds it for every format.
        gradient = _gradient(spec, parameters, np.concatenate([distances, -distances]))
        above = np.flatnonzero(np.abs(gradient).reshape(2, -1).max(axis=0) > limit)
        last = int(above[-1]) if above.size else 0
        distances = np.linspace(distances[last], distances[min(last + 1, distances.size - 1)], 512)
    return float(distances[0])


@functools.lru_cache(maxsize=1024)
def reach(spec: Spec, parameters: Parameters) -> float:
    """The distance from the threshold within which |g'| exceeds a hundredth of its peak: the scale of inputs.

    Where it does so however far away, the farthest breakpoint; 1 where there is none either.
    """
    # Of a formula that swings float64 knows nothing where its numbers are whole.
    distances = np.exp2(np.linspace(-200, 40 if spec.gradient.has(*SWINGING) else 200, 2048))
    around = np.concatenate([[0.0], distances, -distances])
    peak = float(np.fmax.reduce(np.abs(_gradient(spec, parameters, around))))
    end = last_above(spec, parameters, peak / 100, distances)
    if distances[0] < end < distances[-1]:
        return end
    return max((abs(float(place.at)) for place in breakpoints(spec, parameters)), default=0.0) or 1.0


def forward(spec: Spec, parameters: Parameters, points: Points) -> Points:
    """The promised forward value at each point; NaN where nothing is promised (at NaN without ``at_nan``)."""
    (values,) = in_float64((spec.step,), spec.symbols, points, parameters)
    values[np.isnan(points)] = np.nan if spec.at_nan is None else spec.at_nan
    return values
