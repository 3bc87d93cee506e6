"""How far an answer may be off: the exact answer for inputs that were rounded, give or take two ulp.

In a format with unit roundoff u, an answer for g'(x) is accepted within

    B = u * (4*|g'| + 2*|x * dg'/dx| + 2 * sum_p |p * dg'/dp|)

which two roundings of the result, of x and of every parameter p explain to first order (forward error
analysis: Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, section 1.6).

A power multiplies what its base was rounded by with its exponent, as exp(-a*y) does with its exponent; and what
1 + k*|x|, or a function's value, is rounded by is no rounding of x or k. So for each factor b^e of g' with such a base,
and an exponent that is neither 1 nor -1, two roundings of its base are granted beside: 2 * |e * g'|.

Far out, a rounding of x carries a formula that swings (by sines and cosines) a good part of a swing on. At a crest,
where the slope is 0, the first order tells nothing of that; where two swings of different pace have opposite slopes,
the sum tells nothing of them, and each of them is rounded by itself. So each summand s of such a formula counts for
itself, and to second order, yet for no more than the way from crest to trough, 2*A_s:

    B = u * 4*|g'| + sum_s min( 2u * sum_v |v * ds/dv| + 2u^2 * sum_v sum_w |v * w * d2s/dv dw|, 2*A_s ),

v and w being x and every parameter. Beyond the second order there is nothing: 1 - cos(t) <= t^2 / 2 for every t.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import sympy
from sympy import Expr

from surrogate_core.spec.evaluate import Parameters, derivative
from surrogate_core.spec.model import Spec, x

__all__ = ["bound_terms", "formulas", "moved", "swings"]

SWINGING = (sympy.sin, sympy.cos)
"""What may pass from crest to trough within a rounding of a large x."""


@functools.lru_cache(maxsize=64)
def formulas(spec: Spec) -> tuple[Expr, ...]:
    """g', its derivatives by x and by every parameter, and e * g' for each power that is a factor of it (see above)."""
    formula: Any = spec.gradient
    powers = [f.exp for f in sympy.Mul.make_args(formula) if isinstance(f, sympy.Pow) and _rounded(f.base)]
    steep = [e * formula for e in powers if abs(e) != 1]
    return (formula, *(derivative(formula, s) for s in spec.symbols), *steep)


def _rounded(base: Any) -> bool:
    """Whether it is rounded by itself: a sum or a function of x, and no product of x and parameters alone."""
    parts = [f for f in sympy.Mul.make_args(base) if f.has(x)]
    return any(f.is_Add or (f.is_Function and not isinstance(f, sympy.Abs)) for f in parts)


def bound_terms(gradient: Any, slopes: Sequence[Any], point: Any, parameters: Parameters) -> Any:
    """B / u at one point or many; ``slopes`` are the other values of :func:`formulas`."""
    terms = 4 * abs(gradient)
    values = [point, *(v for _, v in parameters)]
    for slope, value in zip(slopes, values + [1] * (len(slopes) - len(values)), strict=True):
        terms = terms + 2 * abs(value * slope)
    return terms


@functools.lru_cache(maxsize=64)
def swings(spec: Spec) -> tuple[Expr, ...]:
    """Of a formula that swings, for each summand: its first and its second order, and its way from crest to trough.

    Empty for any other formula; see :func:`moved`.
    """
    if not spec.gradient.has(*SWINGING):
        return ()
    found: list[Any] = []
    for summand in sympy.Add.make_args(sympy.expand_mul(spec.gradient)):
        slopes = {v: derivative(summand, v) for v in spec.symbols}
        first = sympy.Add(*(sympy.Abs(v * slope) for v, slope in slopes.items()))
        second = sympy.Add(*(sympy.Abs(v * w * derivative(slopes[v], w)) for v in slopes for w in slopes))
        crest = summand.replace(lambda e: isinstance(e, SWINGING), lambda _: sympy.S.One)
        found += [first, second, 2 * sympy.Abs(crest)]
    return tuple(found)


def moved(values: Sequence[Any], unit_roundoff: float, smaller: Callable[[Any, Any], Any]) -> Any:
    """What two roundings of x and of every parameter do to a formula that swings, at one point or many.

    Args:
        values: those of :func:`swings`.
        unit_roundoff: of the format.
        smaller: the smaller one of two values, NaN left out.
    """
    u, orders = unit_roundoff, zip(values[::3], values[1::3], values[2::3], strict=True)
    return sum(smaller(2 * u * first + 2 * u**2 * second, most) for first, second, most in orders)
