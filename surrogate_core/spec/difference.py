"""The central difference of an antiderivative in many digits, and how far it may be from the formula.

D = (S(x+h) - S(x-h)) / 2h of a function S with S' = g' is the mean of g' between x-h and x+h. Two things keep it
from g'(x), and their sum is allowed:

- the step: where g' rises or falls from x to either end, the mean lies between the values there and at x:
  T = max |g'(x +- h) - g'(x)|. That holds at a kink too, and across a jump. h = 2^-128 widths makes it
  smaller than the roundings of any format, but at a jump.
- the arithmetic of P = 1024 bits: each S is off by at most 2^-P times the sum of its intermediate results. That sum is
  granted 2^512 times the largest of |S| and of width times |g'|: R = 2^(512-P) * max(|S|, width * |g'|) / h, which is
  2^-384 of max(|S| / width, |g'|). What cancels more than that is not believed.

A constant that is missing from one branch of S is a jump of S, which makes of D as much as it is high over 2h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath
from sympy import Expr, Symbol

from surrogate_core.spec.evaluate import Parameters, exactly

__all__ = ["BITS", "STEP", "Difference", "difference"]

BITS = 1024
STEP = 2.0**-128
"""Half of the distance between the two places, in widths."""

GRANTED = 512
"""Bits by which intermediate results may exceed what comes of them."""


@dataclass(frozen=True)
class Difference:
    """A central difference at one point; numbers of mpmath, NaN where there is none.

    Attributes:
        slope: (S(x+h) - S(x-h)) / 2h.
        expected: g'(x).
        turned: T, how far g' goes from x to either end.
        rounded: R, how far the arithmetic may be off.
    """

    slope: Any
    expected: Any
    turned: Any
    rounded: Any

    @property
    def agrees(self) -> bool:
        """Whether the slope is that of an antiderivative of g'."""
        return bool(abs(self.slope - self.expected) <= self.turned + self.rounded)


def difference(
    smooth: Expr, formula: Expr, symbols: tuple[Symbol, ...], parameters: Parameters, point: Any, width: Any
) -> Difference:
    """The central difference of ``smooth`` at ``point``, and ``formula`` there.

    Args:
        smooth: S, an expression in ``symbols``.
        formula: g', likewise.
        symbols: the variable, then the parameters.
        parameters: their values.
        point: x.
        width: how far from x is far.
    """
    with mpmath.workprec(BITS):
        x, h = mpmath.mpf(point), mpmath.mpf(width) * STEP

        def at(expression: Expr, steps: int) -> Any:
            (value,) = exactly((expression,), symbols, x + steps * h, parameters)
            return value if isinstance(value, mpmath.mpf) else mpmath.nan

        ahead, behind, here = at(smooth, 1), at(smooth, -1), at(formula, 0)
        turned = max(abs(at(formula, side) - here) for side in (1, -1))
        largest = max(abs(ahead), abs(behind), width * abs(here))
        return Difference((ahead - behind) / (2 * h), here, turned, mpmath.ldexp(largest, GRANTED - BITS) / h)
