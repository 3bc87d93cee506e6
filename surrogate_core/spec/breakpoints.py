"""Where a formula jumps or has a kink.

A formula changes its branch where the argument of a Heaviside, sign, Abs, Max, ... changes its sign: at its
switches. Their sign changes are found numerically, so no formula is too odd to be looked at.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import Expr, Symbol

from surrogate_core.errors import BadInput
from surrogate_core.spec.evaluate import Parameters, compiled, derivative, exactly, in_float64

__all__ = ["PRECISION", "Breakpoint", "beside", "breakpoints_at", "declared_at", "verify_breakpoints"]

PRECISION = 4096
"""Bits in which breakpoints are computed, so that a point beside one is told from it."""

BISECTIONS = 600
"""Enough to place a root nearer to itself than the points beside it."""

SHORT = 64
"""Bisections after which a root that float64 holds, such as 1/2, is recognised."""

MOST = 16
"""Sign changes of one switch that are followed up, the nearest to the threshold first."""

_DISTANCES = 2.0 ** np.arange(-120, 121, 1 / 16)
GRID = np.concatenate([-_DISTANCES[::-1], [0.0], _DISTANCES])
"""Points between which a switch is looked at for a change of its sign."""


@dataclass(frozen=True)
class Breakpoint:
    """A point x where the formula changes its branch, at fixed parameter values.

    Attributes:
        at: where it is.
        sensitivity: sum of |p * d at/dp| over the parameters: how far a relative change of all of them moves it.
        exact: its exact expression in numbers where it was declared, or ``None``.
    """

    at: Any
    sensitivity: float
    exact: Any = None


def beside(at: Any) -> Any:
    """The distance from a breakpoint at which its one-sided values are taken, for :data:`PRECISION` bits."""
    return mpmath.ldexp(abs(at), -400) if at else mpmath.ldexp(1, -1200)


def switches(formula: Expr, x: Symbol, *, kinks: bool) -> tuple[Expr, ...]:
    """Expressions at whose sign changes the formula may jump; with ``kinks`` also those where it may only bend."""
    found = dict.fromkeys(
        switch
        for node in sympy.preorder_traversal(formula)
        for switch in _switches_of(node, kinks)
        if x in switch.free_symbols
    )
    return tuple(found)


def _switches_of(node: Any, kinks: bool) -> Sequence[Any]:
    args: Any = node.args
    match node:
        case sympy.Heaviside() | sympy.sign() | sympy.log() | sympy.acot():
            return [args[0]]
        case sympy.Abs() if kinks:
            # A kink at the threshold itself is none that rounding moves.
            return [] if args[0].is_Symbol else [args[0]]
        case sympy.Max() | sympy.Min() if kinks:
            return [a - b for a, b in itertools.combinations(args, 2)]
        case sympy.core.relational.Relational():
            return [args[0] - args[1]]
        case sympy.floor() | sympy.ceiling() | sympy.frac():
            return [sympy.sin(sympy.pi * args[0])]
        case sympy.Mod():
            return [sympy.sin(sympy.pi * args[0] / args[1])]
        case sympy.tan() | sympy.sec():
            return [sympy.cos(args[0])]
        case sympy.cot() | sympy.csc():
            return [sympy.sin(args[0])]
        case sympy.coth() | sympy.csch():
            return [args[0]]
        case sympy.Pow():
            base, power = args
            whole = power.is_integer and power.is_nonnegative
            return [] if whole or base.is_nonzero or base.is_positive else [base]
    return []


def declared_at(declared: tuple[Expr, ...], symbols: tuple[Symbol, ...], parameters: Parameters) -> list[Breakpoint]:
    """The declared breakpoints at these parameter values, those that are no real number left out."""
    rest, given = symbols[1:], [mpmath.mpf(v) for _, v in parameters]
    rationals = {s: sympy.Rational(v) for s, (_, v) in zip(rest, parameters, strict=True)}
    found = []
    with mpmath.workprec(PRECISION):
        for expression in declared:
            at = exactly((expression,), symbols, mpmath.mpf(0), parameters)[0]
            if not isinstance(at, mpmath.mpf) or not mpmath.isfinite(at):
                continue
            slopes = [exactly((derivative(expression, s),), symbols, mpmath.mpf(0), parameters)[0] for s in rest]
            moved = sum(abs(v * slope) for v, slope in zip(given, slopes, strict=True))
            found.append(Breakpoint(at, _finite(moved), expression.xreplace(rationals)))
    return found


def _finite(moved: Any) -> float:
    """A sensitivity as a float; 0 where it is infinite, at the end of the range where the place exists."""
    return float(moved) if mpmath.isfinite(moved) else 0.0


def _sign_changes(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Neighbouring grid points between which the sign changes, the nearest to zero first."""
    sign = np.sign(np.nan_to_num(values))
    change = np.flatnonzero(sign[:-1] != sign[1:])
    order = np.argsort(np.minimum(np.abs(GRID[change]), np.abs(GRID[change + 1])), kind="stable")
    for i in change[order][:MOST].tolist():
        # A zero that stands alone on the grid is the root itself.
        if sign[i] == 0 and i and sign[i - 1] != 0:
            yield i, i
        elif sign[i + 1] == 0 and i + 2 < sign.size and sign[i + 2] != 0:
            yield i + 1, i + 1
        else:
            yield i, i + 1


def _bisect(switch: Expr, symbols: tuple[Symbol, ...], parameters: Parameters, low: float, high: float) -> Any:
    """The point between ``low`` and ``high`` where the sign of ``switch`` stops being the one at ``low``."""
    if low == high:
        return mpmath.mpf(low)
    if low == 0 or high == 0:
        return mpmath.mpf(0)
    function, given = compiled((switch,), symbols, "mpmath"), [mpmath.mpf(v) for _, v in parameters]
    left, right = mpmath.mpf(low), mpmath.mpf(high)
    with mpmath.workprec(2 * BISECTIONS):
        before = mpmath.sign(function(left, *given)[0])
        for done in range(BISECTIONS):
            if done == SHORT and (short := _short_root(function, given, left, right)) is not None:
                return short
            middle = (left + right) / 2
            if mpmath.sign(function(middle, *given)[0]) == before:
                left = middle
            else:
                right = middle
    return right


def _short_root(function: Any, given: list[Any], left: Any, right: Any) -> Any:
    """The float64 number of a bisected interval where the sign changes: bisection may never meet it; or ``None``."""
    short = mpmath.mpf(float((left + right) / 2))
    return short if short and left <= short <= right and _turns(function, given, short) else None


def _found(switch: Expr, symbols: tuple[Symbol, ...], parameters: Parameters, known: list[Any]) -> Iterator[Breakpoint]:
    """Where ``switch`` changes its sign, the ``known`` places left out."""
    (values,) = in_float64((switch,), symbols, GRID, parameters)
    function, given = compiled((switch,), symbols, "mpmath"), [mpmath.mpf(v) for _, v in parameters]
    for i, j in _sign_changes(values):
        low, high = float(GRID[i]), float(GRID[j])
        if any(low <= k <= high and _turns(function, given, k) for k in known):
            continue
        at = _bisect(switch, symbols, parameters, low, high)
        slopes = [exactly((derivative(switch, s),), symbols, at, parameters)[0] for s in symbols]
        # The implicit function theorem: d at/dp = -(d switch/dp) / (d switch/dx).
        moved = sum(abs(p * s) for p, s in zip(given, slopes[1:], strict=True))
        yield Breakpoint(at, _finite(moved / abs(slopes[0])) if slopes[0] else 0.0)


def _turns(function: Any, given: list[Any], at: Any) -> bool:
    step = beside(at)
    return mpmath.sign(function(at - step, *given)[0]) != mpmath.sign(function(at + step, *given)[0])


def _jump(formula: Expr, symbols: tuple[Symbol, ...], at: Any, parameters: Parameters) -> list[Any]:
    """The formula's values left of ``at``, there, and right of it; empty where it is continuous.

    It is where the differences shrink with the distance, or are those of constants with float64's digits.
    """
    # A root that was bisected lies on one side or the other.
    sides = (-1, 0, 1) if float(at) == at else (-1, 1)
    nearer, farther = (
        [exactly((formula,), symbols, at + side * step, parameters)[0] for side in sides]
        for step in (beside(at), mpmath.ldexp(beside(at), 200))
    )
    near, far = ([abs(a - b) for a, b in itertools.pairwise(values)] for values in (nearer, farther))
    around = [*nearer, exactly((formula,), symbols, mpmath.mpf(0), parameters)[0]]
    noise = max((mpmath.ldexp(abs(v), -50) for v in around if mpmath.isfinite(v)), default=0)
    shrinks = all(n <= max(mpmath.ldexp(f, -20), noise) for n, f in zip(near, far, strict=True))
    grows = any(abs(n) > mpmath.ldexp(abs(f), 20) for n, f in zip(nearer, farther, strict=True))
    return nearer if grows or not shrinks else []


@functools.lru_cache(maxsize=256)
def breakpoints_at(
    formula: Expr, declared: tuple[Expr, ...], symbols: tuple[Symbol, ...], parameters: Parameters
) -> tuple[Breakpoint, ...]:
    """The declared breakpoints at these parameter values, and whatever else a switch of the formula shows.

    A kink at the threshold itself is left out: x = 0 is exact, so nothing moves it.
    """
    found = declared_at(declared, symbols, parameters)
    with mpmath.workprec(PRECISION):
        for switch in switches(formula, symbols[0], kinks=True):
            known = [b.at for b in found]
            for place in _found(switch, symbols, parameters, known):
                if place.at or _jump(formula, symbols, place.at, parameters):
                    found.append(place)
    return tuple(found)


def verify_breakpoints(
    formula: Expr, declared: tuple[Expr, ...], symbols: tuple[Symbol, ...], grid: Sequence[Parameters], spec: str
) -> None:
    """Raise :class:`BadInput` where a breakpoint is no place in x, or where the formula jumps undeclared."""
    for expression in declared:
        if unknown := sorted(map(str, expression.free_symbols - {*symbols[1:]})):
            raise BadInput(
                f"spec {spec!r} with a breakpoint at {expression}, which uses {', '.join(unknown)}",
                f"places in x, from numbers and the declared parameters ({', '.join(map(str, symbols[1:])) or 'none'})",
                "write where in x it is, not x itself",
            )
    jumping = switches(formula, symbols[0], kinks=False)
    for parameters in grid:
        places = declared_at(declared, symbols, parameters)
        given = ", ".join(f"{name}={value:g}" for name, value in parameters) or "no parameters"
        if len(places) < len(declared):
            raise BadInput(
                f"spec {spec!r} with the breakpoints {', '.join(map(str, declared))}",
                f"a finite real number for each, also for {given}",
                "correct the expression, or the domain of the parameter",
            )
        with mpmath.workprec(PRECISION):
            for switch in jumping:
                for place in _found(switch, symbols, parameters, [p.at for p in places]):
                    if values := _jump(formula, symbols, place.at, parameters):
                        left, *there, right = (mpmath.nstr(value, 8) for value in values)
                        middle = f", {there[0]} there" if there else ""
                        raise BadInput(
                            f"spec {spec!r}: for {given} the formula {formula} jumps at "
                            f"x={mpmath.nstr(place.at, 8)}: {left} on the left{middle}, {right} on the right",
                            "every jump in Spec.breakpoints (a kink needs no entry)",
                            f"declare where in x {switch} changes its sign",
                        )
