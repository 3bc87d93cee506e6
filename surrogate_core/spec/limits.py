"""The limits of a formula at both infinities."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import mpmath
import sympy

from surrogate_core.spec.claims import Even, NonIncreasing
from surrogate_core.spec.evaluate import exactly
from surrogate_core.spec.model import Parameters, Spec, x

__all__ = ["BEYOND", "DIGITS", "FAINT", "STEPPING", "SWINGING", "limits"]

DIGITS = 50
"""Of the numbers that stand for the exact ones."""

BEYOND = mpmath.ldexp(1, 1 << 14)
"""A distance so far beyond every number of every format that its square root is, too, and the next ones."""

FAINT = 2.0**-160
"""An absolute error below every number that float32 holds."""

STEPPING = (sympy.floor, sympy.ceiling, sympy.frac, sympy.Mod)
SWINGING = (*STEPPING, sympy.sin, sympy.cos, sympy.tan)
"""Functions that may go on and on without a limit."""


@functools.cache
def limits(spec: Spec, parameters: Parameters) -> tuple[float, float]:
    """The limits of g' at -inf and +inf; NaN where there is none."""
    try:
        # Of a formula with cases sympy takes no limit, or takes its time; of one that swings it takes a range.
        numerically = spec.breakpoints or spec.gradient.has(*SWINGING)
        low, high = _values_far_away(spec, parameters) if numerically else _exact_limits(spec, parameters)
    except (TypeError, ValueError, NotImplementedError, sympy.PoleError):
        low, high = _values_far_away(spec, parameters)
    return float(low), float(high)


def _exact_limits(spec: Spec, parameters: Parameters) -> list[float]:
    # What falls for ever, and has come nearer to 0 than any number but it, has no other limit.
    if spec.claim(NonIncreasing) and all(v >= 0 and float(v) == 0 for v in _values_far_away(spec, parameters)):
        return [0.0, 0.0]
    if _vanishes(spec):
        return [0.0, 0.0]
    numbers: Any = {p.symbol: sympy.Rational(value) for p, (_, value) in zip(spec.parameters, parameters, strict=True)}
    found = [float(limit) for limit in _sympy_limits(spec, spec.gradient.subs(numbers))]
    return [found[0], found[-1]]


def _sympy_limits(spec: Spec, formula: Any) -> list[Any]:
    away = sympy.Symbol("t", positive=True)
    # One takes up to a second, and of an even formula both are the same.
    sides = (1,) if spec.claim(Even) else (-1, 1)
    return [sympy.limit(formula.subs(x, side * away), away, sympy.oo) for side in sides]


@functools.lru_cache(maxsize=256)
def _vanishes(spec: Spec) -> bool:
    """Whether the limits are 0 whatever the parameters are: found out once for all their values."""
    if not all(parameter.symbol.is_positive for parameter in spec.parameters):
        return False  # a limit may depend on a sign
    with contextlib.suppress(TypeError, ValueError, NotImplementedError, sympy.PoleError):
        return all(limit == 0 for limit in _sympy_limits(spec, spec.gradient))
    return False


def _values_far_away(spec: Spec, parameters: Parameters) -> list[Any]:
    if not spec.gradient.has(*SWINGING):
        with mpmath.workdps(DIGITS):
            return [exactly((spec.gradient,), spec.symbols, side * BEYOND, parameters)[0] for side in (-1, 1)]
    found = []
    # A fraction is seen with as many digits as lie before the point: beyond float64, and no farther.
    with mpmath.workprec(2400):
        for side in (-1, 1):
            places = [side * (mpmath.ldexp(1, 1100) + mpmath.phi**k) for k in range(-4, 12)]
            values = [exactly((spec.gradient,), spec.symbols, at, parameters)[0] for at in places]
            found.append(values[0] if all(abs(v - values[0]) <= FAINT for v in values) else mpmath.nan)
    return found
