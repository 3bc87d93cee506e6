"""Claims: the promises beside the formula, each able to name the point where a formula breaks it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import mpmath
import sympy
from sympy import Expr, Symbol

from surrogate_core.errors import BadInput
from surrogate_core.spec.breakpoints import breakpoints_at
from surrogate_core.spec.evaluate import Parameters, compiled, number

__all__ = ["Area", "Claim", "Even", "Formula", "LogLinearDecay", "NonIncreasing", "Peak", "ScalesWith", "verify"]

DIGITS = 40
AGREEMENT = mpmath.mpf(10) ** -25
"""Relative disagreement that counts as broken: 15 digits above the working precision's rounding."""

DISTANCES = [mpmath.mpf(2) ** k for k in range(-12, 0)] + [mpmath.mpf(k) / 8 for k in range(1, 257)] + [mpmath.mpf(64)]
"""Distances from the threshold at which a claim is compared with the formula: close in, densely up to 32, far."""


@dataclass(frozen=True)
class Formula:
    """A gradient formula at fixed parameter values, evaluated to ``DIGITS`` digits.

    ``at(x)`` is g'(x); ``value(expr)`` evaluates an expression in the parameters alone;
    ``elsewhere(symbol, value)`` is g' with that parameter at another value; ``breakpoints()`` are the places
    in x where the formula jumps or has a kink, ascending.
    """

    at: Callable[[Any], Any]
    value: Callable[[Any], Any]
    elsewhere: Callable[[Symbol, Any], Callable[[Any], Any]]
    breakpoints: Callable[[], Sequence[Any]]


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
        # Quadrature converges between breakpoints, and over none.
        nodes = sorted({mpmath.mpf(0), *formula.breakpoints()})
        # Coarse quadrature is enough for most, and five times as fast; what it refutes is integrated finely.
        for digits, most_steps in ((20, 5), (DIGITS, None)):
            with mpmath.workdps(digits):
                measured = mpmath.quad(formula.at, [-mpmath.inf, *nodes, mpmath.inf], maxdegree=most_steps)
            if abs(measured - claimed) <= mpmath.mpf(10) ** -8 * abs(claimed):
                return None
        return f"the formula integrates to {_show(measured)}, claimed {_show(claimed)}"


@dataclass(frozen=True)
class ScalesWith:
    """g' depends on x and one parameter through their product alone: g'(x; p) = g'(p*x; 1)."""

    parameter: Symbol

    def sentence(self) -> str:
        p = self.parameter
        return f"the pseudo-derivative at x is that for {p} = 1 at {p}*x: g'(x; {p}) = g'({p}*x; 1)"

    def breaks(self, formula: Formula) -> str | None:
        value, unscaled = formula.value(self.parameter), formula.elsewhere(self.parameter, 1)
        for point in (sign * d for d in DISTANCES for sign in (1, -1)):
            if _differ(formula.at(point), unscaled(value * point)):
                shown = _show(formula.at(point)), _show(unscaled(value * point))
                return f"at x={_show(point)} the formula is {shown[0]}, and {shown[1]} at {_show(value * point)} for 1"
        return None


@functools.lru_cache(maxsize=32)
def _formula(gradient: Expr, declared: tuple[Any, ...], symbols: tuple[Symbol, ...], parameters: Parameters) -> Formula:
    """The formula at one parameter set; what one claim evaluates, the next finds."""
    numbers = [mpmath.mpf(v) for _, v in parameters]

    def elsewhere(symbol: Symbol, value: Any) -> Callable[[Any], Any]:
        others = [mpmath.mpf(value) if s == symbol else v for s, v in zip(symbols[1:], numbers, strict=True)]
        return _function(gradient, symbols, others)

    return Formula(
        at=_function(gradient, symbols, numbers),
        value=lambda expression: _finite(number(expression, symbols[1:], numbers)),
        elsewhere=elsewhere,
        breakpoints=lambda: sorted(b.at for b in breakpoints_at(gradient, declared, symbols, parameters)),
    )


def _finite(value: Any) -> Any:
    if not isinstance(value, mpmath.mpf) or not mpmath.isfinite(value):
        raise ValueError(f"{_show(value)} is no finite real number")
    return value


def _function(gradient: Expr, symbols: tuple[Symbol, ...], numbers: list[Any]) -> Callable[[Any], Any]:
    function = compiled((gradient,), symbols, "mpmath")
    known: dict[Any, Any] = {}

    def at(point: Any) -> Any:
        key = point, mpmath.mp.prec
        if key not in known:
            known[key] = function(point, *numbers)[0]
        return known[key]

    return at


def verify(
    claim: Claim,
    gradient: Expr,
    declared: tuple[Any, ...],
    symbols: tuple[Symbol, ...],
    grid: tuple[Parameters, ...],
    spec: str,
) -> None:
    """Compare a claim with the formula at every parameter set.

    Args:
        claim: the promise.
        gradient: the formula.
        declared: its declared breakpoints.
        symbols: the variable x, then the parameters.
        grid: parameter sets.
        spec: its name, for the message.

    Raises:
        BadInput: the claim breaks, or is none.
    """
    if isinstance(claim, type) or not isinstance(claim, Claim):
        raise BadInput(
            f"spec {spec!r} with the claim {claim!r}",
            "a Claim: an object with the methods sentence() and breaks(formula)",
            f"write {claim.__name__}(...)" if isinstance(claim, type) else "see surrogate_core.spec.claims",
        )
    try:
        hash(claim)
    except TypeError as error:
        raise BadInput(
            f"spec {spec!r} with the claim {claim!r}, which has no hash: {error}",
            "a claim that can be a key, as the spec is: a frozen dataclass of numbers and expressions",
            "make it hashable",
        ) from None
    uses = set().union(*(v.free_symbols for v in getattr(claim, "__dict__", {}).values() if isinstance(v, sympy.Basic)))
    if unknown := sorted(map(str, uses - {*symbols[1:]})):
        raise BadInput(
            f"spec {spec!r} with the claim {claim}, which uses {', '.join(unknown)}",
            f"numbers and the declared parameters ({', '.join(map(str, symbols[1:])) or 'none'})",
            f"declare {', '.join(unknown)} as Parameter, or correct the claim",
        )
    _compare(claim, gradient, declared, symbols, grid, spec)


@functools.lru_cache(maxsize=256)
def _compare(
    claim: Claim,
    gradient: Expr,
    declared: tuple[Any, ...],
    symbols: tuple[Symbol, ...],
    grid: tuple[Parameters, ...],
    spec: str,
) -> None:
    with mpmath.workdps(DIGITS):
        for parameters in grid:
            given = ", ".join(f"{name}={v:g}" for name, v in parameters) or "no parameters"
            try:
                where = claim.breaks(_formula(gradient, declared, symbols, parameters))
            except (ArithmeticError, AttributeError, NameError, TypeError, ValueError, sympy.SympifyError) as error:
                raise BadInput(
                    f"spec {spec!r} with the claim {claim}, which cannot be compared with the formula {gradient} "
                    f"for {given}: {type(error).__name__}: {error}",
                    "a claim whose values are numbers, or expressions in the parameters",
                    "correct the claim or the formula",
                ) from error
            if where:
                raise BadInput(
                    f"spec {spec!r} claims that {claim.sentence()}, but for {given} {where}",
                    f"a claim that the formula {gradient} keeps",
                    "correct the formula or the claim",
                )
