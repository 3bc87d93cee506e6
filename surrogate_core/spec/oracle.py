"""What a spec expects at given inputs: values from its formula, and how far an answer may be off.

The reference is float64 for f16, bf16 and f32, where its own error is far below the format's, and
50 digits of mpmath, rounded to a pair of float64, for float64 itself or where float64 loses the formula.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy
from jaxtyping import Float64

from surrogate_core.spec.formats import Format
from surrogate_core.spec.model import Parameters, Spec, x

__all__ = ["Expectation", "expect", "float64_is_sound", "forward", "limits"]

DIGITS = 50
Points = Float64[np.ndarray, " points"]
BEYOND = mpmath.mpf(2) ** 1100
"""A distance beyond every finite number of every format."""
SOUND = 2.0**-40
"""Relative error above which float64 may not serve as the oracle of float32 (u = 2^-24)."""


@dataclass(frozen=True, eq=False)
class Expectation:
    """What the spec promises at each input, in exact-enough arithmetic.

    Attributes:
        gradient: g'(x), rounded to float64; NaN where x is NaN, the limit where x is infinite.
        rest: g'(x) - gradient, the part that float64 could not hold (0 below float64).
        bound: the derived bound B on the absolute error.
        floor: the flush-to-zero threshold f; where |g'| - B <= f any value in [0, f + B] is accepted.
        peak: the largest expected |g'|.
    """

    gradient: Points
    rest: Points
    bound: Points
    floor: float
    peak: float

    def error(self, measured: Points) -> Points:
        """Signed error of ``measured``; the first subtraction is exact where the two are close."""
        with np.errstate(invalid="ignore"):
            return (measured - self.gradient) - self.rest

    def within(self, measured: Points) -> np.ndarray:
        """Whether each value is acceptable (equal NaNs and infinities are)."""
        with np.errstate(invalid="ignore"):
            near = np.abs(self.error(measured)) <= self.bound
            sign = np.where(self.gradient < 0, -1.0, 1.0)
            flushed = np.abs(self.gradient) - self.bound <= self.floor
            tiny = flushed & (sign * measured >= 0) & (np.abs(measured) <= self.floor + self.bound)
            same = (measured == self.gradient) | (np.isnan(measured) & np.isnan(self.gradient))
        return near | tiny | same


@functools.cache
def _compiled(expression: Any, symbols: tuple[Any, ...], module: str) -> Callable[..., Any]:
    return sympy.lambdify(symbols, expression, module)


def _symbols(spec: Spec) -> tuple[Any, ...]:
    return (x, *(p.symbol for p in spec.parameters))


def _float64(spec: Spec, expression: Any, parameters: Parameters, points: Points) -> Points:
    with np.errstate(all="ignore"):
        values = _compiled(expression, _symbols(spec), "numpy")(points, *(v for _, v in parameters))
    return np.broadcast_to(np.asarray(values, np.float64), points.shape)


def _mpmath(spec: Spec, expression: Any, parameters: Parameters, points: Points) -> tuple[Points, Points]:
    function = _compiled(expression, _symbols(spec), "mpmath")
    with mpmath.workdps(DIGITS):
        exact = [function(mpmath.mpf(float(p)), *(mpmath.mpf(v) for _, v in parameters)) for p in points]
        high = np.array([float(v) for v in exact], np.float64)
        rest = np.array([float(v - mpmath.mpf(h)) for v, h in zip(exact, high.tolist(), strict=True)])
    return high, rest


@functools.cache
def float64_is_sound(spec: Spec, parameters: Parameters) -> bool:
    """Whether float64 evaluates the formula well enough to judge float32, checked against mpmath.

    ``1 - tanh(x)**2`` is not: it is 0 in float64 at x = 14.6, where float32 still holds 8e-13.
    """
    points = np.concatenate([s * 2.0 ** np.arange(-30, 12, 0.37) for s in (1, -1)])
    exact, _ = _mpmath(spec, spec.gradient, parameters, points)
    bound = _bound_terms(spec, parameters, points)
    error = np.abs(_float64(spec, spec.gradient, parameters, points) - exact)
    return bool(np.all(error <= SOUND * bound + 2.0**-160))


def _bound_terms(spec: Spec, parameters: Parameters, points: Points) -> Points:
    """4*|g| + 2*|x*dg/dx| + 2*sum|p*dg/dp|: two ulp, and two roundings of the input and each parameter."""
    g = np.abs(_float64(spec, spec.gradient, parameters, points))
    total = 4 * g
    for symbol, value in [(x, points), *((p.symbol, dict(parameters)[p.name]) for p in spec.parameters)]:
        with np.errstate(all="ignore"):
            slope = _float64(spec, _derivative(spec.gradient, symbol), parameters, points)
            total = total + 2 * np.nan_to_num(np.abs(value * slope), nan=0.0, posinf=np.inf)
    return total


@functools.cache
def _derivative(expression: Any, symbol: Any) -> Any:
    return sympy.diff(expression, symbol)


@functools.cache
def limits(spec: Spec, parameters: Parameters) -> tuple[float, float]:
    """The limits of g' at -inf and +inf."""
    away = sympy.Symbol("t", positive=True)
    formula = spec.gradient
    for p in spec.parameters:
        formula = formula.subs(p.symbol, sympy.Rational(dict(parameters)[p.name]))
    try:
        low, high = (sympy.limit(formula.subs(x, side * away), away, sympy.oo) for side in (-1, 1))
        return float(low), float(high)
    except (TypeError, ValueError, NotImplementedError):
        # sympy takes no limit of a formula with cases (Piecewise, Max); its value out there serves.
        function = _compiled(spec.gradient, _symbols(spec), "mpmath")
        with mpmath.workdps(DIGITS):
            low, high = (function(side * BEYOND, *(mpmath.mpf(v) for _, v in parameters)) for side in (-1, 1))
            return float(low), float(high)


def expect(spec: Spec, parameters: Parameters, fmt: Format, points: Points) -> Expectation:
    """What ``spec`` promises for the gradient at ``points`` (exact values of ``fmt``), and the bound there."""
    finite = np.isfinite(points)
    inside = np.where(finite, points, 0.0)
    if fmt.name == "float64" or not float64_is_sound(spec, parameters):
        gradient, rest = _mpmath(spec, spec.gradient, parameters, inside)
    else:
        gradient = _float64(spec, spec.gradient, parameters, inside).copy()
        rest = np.zeros_like(gradient)
    low, high = limits(spec, parameters)
    gradient[~finite] = np.where(points > 0, high, np.where(points < 0, low, np.nan))[~finite]
    rest[~finite] = 0.0
    with np.errstate(over="ignore"):
        bound = fmt.unit_roundoff * _bound_terms(spec, parameters, inside)
    bound[~finite] = 0.0
    subnormal = (np.abs(inside) < fmt.smallest_normal) & (inside != 0)
    if spec.flushing_tolerated and subnormal.any():
        # A platform that takes a subnormal input for zero answers with the gradient there.
        at_zero = _float64(spec, spec.gradient, parameters, np.zeros(1))[0]
        bound[subnormal] += np.abs(gradient[subnormal] - at_zero)
    peak = float(np.nanmax(np.abs(gradient), initial=0.0))
    return Expectation(gradient, rest, bound, fmt.smallest_normal * max(1.0, peak), peak)


def forward(spec: Spec, parameters: Parameters, points: Points) -> Points:
    """The promised forward value at each point; NaN where nothing is promised (at NaN without ``at_nan``)."""
    values = _float64(spec, spec.step, parameters, points).copy()
    values[np.isnan(points)] = np.nan if spec.at_nan is None else spec.at_nan
    return values
