"""Claims: the promises beside the formula, each able to name the point where a formula breaks it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import mpmath
import sympy
from sympy import Expr, Symbol

from surrogate_core.errors import BadInput

__all__ = ["Area", "Claim", "Even", "Formula", "LogLinearDecay", "NonIncreasing", "Peak", "verify"]

DIGITS = 40
AGREEMENT = mpmath.mpf(10) ** -25
"""Relative disagreement that counts as broken: 15 digits above the working precision's rounding."""

DISTANCES = [mpmath.mpf(2) ** k for k in range(-12, 0)] + [mpmath.mpf(k) / 8 for k in range(1, 257)] + [mpmath.mpf(64)]
"""Distances from the threshold at which a claim is compared with the formula: close in, densely up to 32, far."""


@dataclass(frozen=True)
class Formula:
    """A gradient formula at fixed parameter values, evaluated to ``DIGITS`` digits.

    ``at(x)`` is g'(x); ``value(expr)`` evaluates an expression in the parameters alone.
    """

    at: Callable[[Any], Any]
    value: Callable[[Any], Any]


@runtime_checkable
class Claim(Protocol):
    """A promise beside the formula."""

    def sentence(self) -> str:
        """The promise as a person reads it."""
        ...

    def breaks(self, formula: Formula) -> str | None:
        """Where and how the formula breaks the promise; ``None`` where it is kept."""
        ...


def _differ(a: Any, b: Any) -> bool:
    return abs(a - b) > AGREEMENT * max(abs(a), abs(b), AGREEMENT)


def _show(value: Any) -> str:
    return str(mpmath.nstr(value, 8))


@dataclass(frozen=True)
class Peak:
    """g' is ``value`` at ``x = at`` and nowhere larger."""

    value: Expr | float
    at: Expr | float = 0

    def sentence(self) -> str:
        return f"the pseudo-derivative peaks at x = {self.at} with the value {self.value}"

    def breaks(self, formula: Formula) -> str | None:
        peak, at = formula.value(self.value), formula.value(self.at)
        if _differ(formula.at(at), peak):
            return f"at x={_show(at)} the formula is {_show(formula.at(at))}, the claimed peak is {_show(peak)}"
        for point in (at + sign * d for d in DISTANCES for sign in (1, -1)):
            if formula.at(point) > peak * (1 + AGREEMENT):
                return f"at x={_show(point)} the formula is {_show(formula.at(point))}, above the peak {_show(peak)}"
        return None


@dataclass(frozen=True)
class Even:
    """g'(-x) = g'(x)."""

    def sentence(self) -> str:
        return "the pseudo-derivative is even: g'(-x) = g'(x)"

    def breaks(self, formula: Formula) -> str | None:
        for d in DISTANCES:
            if _differ(formula.at(d), formula.at(-d)):
                return f"at x=±{_show(d)} the formula is {_show(formula.at(d))} and {_show(formula.at(-d))}"
        return None


@dataclass(frozen=True)
class LogLinearDecay:
    """log g'(x) = log g'(0) + slope*|x|."""

    slope: Expr | float

    def sentence(self) -> str:
        return f"the logarithm of the pseudo-derivative falls linearly in |x| with slope {self.slope}"

    def breaks(self, formula: Formula) -> str | None:
        slope, peak = formula.value(self.slope), formula.at(mpmath.mpf(0))
        for point in (sign * d for d in DISTANCES for sign in (1, -1)):
            if _differ(formula.at(point), peak * mpmath.exp(slope * abs(point))):
                measured = (mpmath.log(formula.at(point)) - mpmath.log(peak)) / abs(point)
                return f"at x={_show(point)} the slope from the peak is {_show(measured)}, claimed {_show(slope)}"
        return None


@dataclass(frozen=True)
class NonIncreasing:
    """g' does not increase with the distance |x| from the threshold, on either side."""

    def sentence(self) -> str:
        return "the pseudo-derivative does not increase with |x|"

    def breaks(self, formula: Formula) -> str | None:
        points = sorted([mpmath.mpf(0), *DISTANCES])
        for sign in (1, -1):
            for near, far in itertools.pairwise(points):
                low, high = formula.at(sign * near), formula.at(sign * far)
                if high > low * (1 + AGREEMENT):
                    return f"it rises from {_show(low)} to {_show(high)} at x={_show(sign * far)}"
        return None


@dataclass(frozen=True)
class Area:
    """The integral of g' over the real line."""

    value: Expr | float

    def sentence(self) -> str:
        return f"the area under the pseudo-derivative is {self.value}"

    def breaks(self, formula: Formula) -> str | None:
        claimed = formula.value(self.value)
        measured = mpmath.quad(formula.at, [-mpmath.inf, 0, mpmath.inf])
        # Quadrature is not exact to 40 digits for a formula with a kink away from 0.
        if abs(measured - claimed) > mpmath.mpf(10) ** -8 * abs(claimed):
            return f"the formula integrates to {_show(measured)}, claimed {_show(claimed)}"
        return None


def _formulas(gradient: Expr, x: Symbol, symbols: tuple[Symbol, ...], grid: tuple[Any, ...]) -> Iterator[Any]:
    g = sympy.lambdify((x, *symbols), gradient, "mpmath")
    for values in grid:
        numbers = [mpmath.mpf(v) for _, v in values]

        def value(expression: Any, numbers: list[Any] = numbers) -> Any:
            return sympy.lambdify(symbols, expression, "mpmath")(*numbers) * mpmath.mpf(1)

        def at(point: Any, numbers: list[Any] = numbers) -> Any:
            return g(point, *numbers)

        yield values, Formula(at=at, value=value)


@functools.cache
def verify(
    claim: Claim, gradient: Expr, x: Symbol, symbols: tuple[Symbol, ...], grid: tuple[Any, ...], spec: str
) -> None:
    """Compare a claim with the formula at every parameter set; raises :class:`BadInput` where it breaks."""
    with mpmath.workdps(DIGITS):
        for values, formula in _formulas(gradient, x, symbols, grid):
            if where := claim.breaks(formula):
                given = ", ".join(f"{name}={v:g}" for name, v in values)
                raise BadInput(
                    f"spec {spec!r} claims that {claim.sentence()}, but for {given or 'no parameters'} {where}",
                    f"a claim that the formula {gradient} keeps",
                    "correct the formula or the claim",
                )
