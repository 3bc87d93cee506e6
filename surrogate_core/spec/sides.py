"""Either side of a breakpoint: the value that an answer may have within two roundings of it.

Two of x and two of every parameter, as in the bound B (see bound.py): what is right for an input and parameters that
were so perturbed has changed its branch so far from the breakpoint at the most. One of each is not enough. The
parameter is rounded to the format, the breakpoint that is computed from it is rounded, and so may be what x is scaled
by, and x when it is: XLA compiles x / w as x * (1/w). So |x| / w <= 1 with w = 1/(2*alpha), each step as near as the
format allows, stands on the other side at up to 1.47 times one rounding of x and alpha, in float16 and float32.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy
from jaxtyping import Float64, Int64

from surrogate_core.spec.bound import bound_terms, formulas
from surrogate_core.spec.breakpoints import PRECISION, Breakpoint, beside, breakpoints_at
from surrogate_core.spec.evaluate import below, chunks, exactly
from surrogate_core.spec.expectation import Side
from surrogate_core.spec.formats import Format
from surrogate_core.spec.model import Parameters, Spec, x

__all__ = ["breakpoints", "sides_near"]

DIGITS = 50
Points = Float64[np.ndarray, " points"]

ALIKE = mpmath.mpf(10) ** -40
"""Relative difference of two values that are one, computed in different ways."""


def breakpoints(spec: Spec, parameters: Parameters) -> tuple[Breakpoint, ...]:
    """Where the formula changes its branch: declared breakpoints and kinks that were found."""
    return breakpoints_at(spec.gradient, tuple(spec.breakpoints), spec.symbols, parameters)


@dataclass(frozen=True)
class _Branch:
    """One side of a breakpoint, continued along its tangent: value + slope*(x - at).

    Attributes:
        place: the breakpoint.
        value: the limit of g' on this side.
        slope: dg'/dx there.
        by_parameters: 2*sum|p * dg'/dp| there.
        swing: how much g' changes on this side within that distance of the breakpoint; more than the slope
            tells where that is infinite.
    """

    place: Breakpoint
    value: Any
    slope: float
    by_parameters: float
    swing: float


def _radius(place: Breakpoint, fmt: Format, point: Any) -> Any:
    """How far from a breakpoint its sides are accepted: two roundings of x and of every parameter.

    The threshold itself is exact, so nothing but x = 0 is near it. Elsewhere a rounding is never finer
    than the format's subnormals.
    """
    size = np.maximum(np.abs(point), fmt.smallest_normal) if place.at else np.abs(point)
    return 2 * fmt.unit_roundoff * size + 2 * fmt.unit_roundoff * place.sensitivity


@functools.lru_cache(maxsize=256)
def _branches(spec: Spec, parameters: Parameters, fmt: Format) -> tuple[_Branch, ...]:
    found = []
    with mpmath.workprec(PRECISION):
        for place in breakpoints(spec, parameters):
            # The slope is taken as far away as that: at the edge of a square root it is infinite.
            away = mpmath.mpf(float(_radius(place, fmt, float(place.at)))) or beside(place.at)
            here: list[_Branch] = []
            for side in (-1, 1):
                (value,) = exactly((spec.gradient,), spec.symbols, place.at + side * beside(place.at), parameters)
                farther, *slopes = exactly(formulas(spec), spec.symbols, place.at + side * away, parameters)
                if mpmath.isfinite(value) and isinstance(value, mpmath.mpf):
                    slope, *rest = (float(s) if mpmath.isfinite(s) else 0.0 for s in slopes)
                    by_parameters = float(bound_terms(0, [0.0, *rest], 0, parameters))
                    swing = float(abs(farther - value)) if mpmath.isfinite(farther) else 0.0
                    here.append(_Branch(place, value, slope, by_parameters, swing))
            found += here
            middle = _at(spec, parameters, place)
            if here and middle is not None and all(abs(middle - b.value) > ALIKE * abs(middle) for b in here):
                by_parameters = max(branch.by_parameters for branch in here)
                found.append(_Branch(place, middle, 0.0, by_parameters, max(branch.swing for branch in here)))
    return tuple(found)


def _at(spec: Spec, parameters: Parameters, place: Breakpoint) -> Any:
    """The formula exactly at a declared breakpoint, ``None`` where sympy cannot tell."""
    if place.exact is None:
        return None
    numbers = {p.symbol: sympy.Rational(v) for p, (_, v) in zip(spec.parameters, parameters, strict=True)}
    try:
        value = sympy.N(spec.gradient.xreplace(numbers).subs(x, place.exact), DIGITS)
        return mpmath.mpf(sympy.Float(value, DIGITS)._mpf_)
    except (AttributeError, TypeError, ValueError):
        return None


def _near(place: Breakpoint, fmt: Format, flushing: bool, points: Points) -> Int64[np.ndarray, " few"]:
    """Indices of the points within two roundings of a breakpoint (or flushed to the one at the threshold)."""
    if place.at == 0:
        return below(points, fmt.smallest_normal) if flushing else np.flatnonzero(points == 0)
    at, found = float(place.at), [np.array([], np.int64)]
    with np.errstate(over="ignore"):
        for part in chunks(points.size):
            inside = np.abs(points[part] - at) <= _radius(place, fmt, points[part])
            found.append(part.start + np.flatnonzero(inside))
    return np.concatenate(found)


def sides_near(spec: Spec, parameters: Parameters, fmt: Format, points: Points) -> tuple[Side, ...]:
    """Every side of every breakpoint, at the points within two roundings of it."""
    found = []
    for place, branches in itertools.groupby(_branches(spec, parameters, fmt), lambda branch: branch.place):
        index = _near(place, fmt, spec.flushing_tolerated, points)
        for branch in branches if index.size else ():
            at, at_rest = _pair(place.at)
            value, value_rest = _pair(branch.value)
            # What is taken for the threshold is at the threshold.
            here = points[index] if at else np.zeros(index.size)
            along = branch.slope * ((here - at) - at_rest)
            u = fmt.unit_roundoff
            moved = np.maximum(u * (2 * np.abs(branch.slope * here) + branch.by_parameters), branch.swing)
            bound = u * 4 * np.abs(value + along) + moved
            found.append(Side(index, np.full(index.size, value), value_rest + along, bound))
    return tuple(found)


def _pair(value: Any) -> tuple[float, float]:
    """A number as the sum of two float64."""
    with mpmath.workprec(PRECISION):
        return float(value), float(value - float(value))
