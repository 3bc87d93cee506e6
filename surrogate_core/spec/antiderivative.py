"""The smooth function whose derivative a formula is: integrated branch by branch, glued, compared."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import mpmath
import sympy
from sympy import Expr, Symbol
from sympy.integrals.manualintegrate import manualintegrate
from sympy.integrals.rationaltools import ratint

from surrogate_core.spec.breakpoints import breakpoints_at, switches
from surrogate_core.spec.difference import difference
from surrogate_core.spec.evaluate import Parameters
from surrogate_core.spec.patience import OutOfPatience, at_most

__all__ = ["antiderivative"]

PATIENCE = 10.0
"""Seconds after which no antiderivative is found."""

HYPERBOLIC = [sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.csch]

DIGITS = 50
"""In which places are computed; both functions are evaluated with more."""


def antiderivative(
    formula: Expr, declared: tuple[Any, ...], symbols: tuple[Symbol, ...], grid: Sequence[Parameters]
) -> Expr | None:
    """The function with the derivative ``formula`` that is continuous and 0 at x = 0.

    ``None`` where sympy finds none within :data:`PATIENCE`, or one whose derivative is another.

    Args:
        formula: an expression in ``symbols``.
        declared: breakpoints of the formula.
        symbols: the variable, then the parameters.
        grid: parameter sets at which the derivative is compared.
    """
    # What is written as 0.1 is one binary number, which sympy would round again and again.
    integrand, *places = (_exact(e) for e in (formula, *declared))

    def searched() -> Expr | None:
        found = _glued(integrand, tuple(places), symbols, grid[0])
        return found if found is not None and _verified(found, integrand, tuple(places), symbols, grid) else None

    try:
        return at_most(PATIENCE, searched)
    except (OutOfPatience, Exception):
        # sympy gives up in a hundred ways, and every one of them means that nothing was found.
        return None


def _exact(expression: Any) -> Any:
    return expression.replace(lambda e: e.is_Float, sympy.Rational)


def _glued(formula: Expr, declared: tuple[Any, ...], symbols: tuple[Symbol, ...], base: Parameters) -> Expr | None:
    x, values = symbols[0], {s: sympy.Rational(v) for s, (_, v) in zip(symbols[1:], base, strict=True)}
    edges = _edges(formula, declared, x, values)
    # One point inside each branch tells which branch it is.
    inside = [(a.xreplace(values) + b.xreplace(values)) / 2 for a, b in itertools.pairwise(edges)]
    first, last = (edges[i].xreplace(values) for i in (0, -1)) if edges else (sympy.S.Zero, sympy.S.Zero)
    inside = [first - 1, *inside, last + 1] if edges else [sympy.S.Zero]
    pieces: list[Any] = []
    for point in inside:
        piece = _integral(_branch(formula, {x: point, **values}), x)
        if piece is None:
            return None
        pieces.append(_real(piece, {x: point, **values}))
    for i, edge in enumerate(edges):
        pieces[i + 1] += sympy.simplify(pieces[i].subs(x, edge) - pieces[i + 1].subs(x, edge))
    zero = next((i for i, edge in enumerate(edges) if edge.xreplace(values) >= 0), len(edges))
    offset = sympy.simplify(pieces[zero].subs(x, 0))
    cases = [(a - offset, x < edge) for (a, b), edge in zip(itertools.pairwise(pieces), edges, strict=True) if a != b]
    glued = sympy.Piecewise(*cases, (pieces[-1] - offset, True))
    return None if glued.has(sympy.oo, sympy.zoo, sympy.nan) else glued


def _edges(formula: Expr, declared: tuple[Any, ...], x: Symbol, values: dict[Any, Any]) -> list[Any]:
    """The ends of the branches, in ascending order: declared breakpoints, and where a switch is linear its root."""
    edges: list[Any] = [*declared, *([sympy.S.Zero] if formula.has(sympy.Abs(x)) else [])]
    for switch in switches(formula, x, kinks=True):
        for side in (-1, 1):
            line = _branch(switch, {x: sympy.Integer(side), **values})
            slope = sympy.diff(line, x)
            if slope != 0 and x not in slope.free_symbols:
                edges.append(sympy.simplify(-line.subs(x, 0) / slope))
    distinct = {sympy.N(edge.xreplace(values), 15): edge for edge in edges}
    return [distinct[at] for at in sorted(distinct)]


def _branch(expression: Any, point: dict[Symbol, Any]) -> Any:
    """The smooth expression that equals ``expression`` around ``point``."""
    if isinstance(expression, sympy.Piecewise):
        pieces: Any = expression.args
        return next(_branch(value, point) for value, condition in pieces if bool(condition.subs(point)))
    if not expression.args:
        return expression
    args: list[Any] = [_branch(a, point) for a in expression.args]
    numbers = [sympy.N(a.subs(point)) for a in args] if isinstance(expression, _CASES) else []
    match expression:
        case sympy.Abs():
            return args[0] if numbers[0] > 0 else -args[0]
        case sympy.sign():
            return sympy.Integer(1 if numbers[0] > 0 else -1)
        case sympy.Heaviside():
            return sympy.Integer(1 if numbers[0] > 0 else 0)
        case sympy.Max():
            return args[numbers.index(max(numbers))]
        case sympy.Min():
            return args[numbers.index(min(numbers))]
    return expression.func(*args)


_CASES = (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.Max, sympy.Min)


def _integral(formula: Any, x: Symbol) -> Any:
    spread = formula.replace(sympy.exp, lambda a: sympy.exp(sympy.expand(a)))
    for attempt in (_rational, _of_exponentials, manualintegrate):
        found = attempt(spread, x)
        if found is not None and not found.has(sympy.Integral, sympy.RootSum):
            return found
    return None


def _rational(formula: Any, x: Symbol) -> Any:
    return ratint(formula, x) if formula.is_rational_function(x) else None


def _of_exponentials(formula: Any, x: Symbol) -> Any:
    """The integral of a rational function of exp(k*x), by the substitution u = exp(k*x)."""
    rewritten = sympy.expand(formula.rewrite(HYPERBOLIC, sympy.exp), power_exp=False, mul=False)
    exponents = [sympy.expand(e.args[0]) for e in rewritten.atoms(sympy.exp) if e.has(x)]
    if not exponents:
        return None
    rates = [sympy.diff(e, x) for e in exponents]
    shares = [sympy.cancel(rate / rates[0]) for rate in rates]
    if rates[0].has(x) or not all(share.is_Rational for share in shares):
        return None
    rate, u = rates[0] / math.lcm(*(int(share.q) for share in shares)), sympy.Dummy("u", positive=True)
    known = {sympy.exp(e): sympy.exp(e.subs(x, 0)) * u ** sympy.cancel(sympy.diff(e, x) / rate) for e in exponents}
    in_u = sympy.cancel(rewritten.xreplace(known))
    if in_u.has(x) or not in_u.is_rational_function(u):
        return None
    return ratint(sympy.cancel(in_u / (rate * u)), u).subs(u, sympy.exp(rate * x))


def _real(function: Any, point: dict[Any, Any]) -> Any:
    """The same with logarithms of positive numbers: a constant i*pi is none of ours."""
    return function.replace(sympy.log, lambda a: sympy.log(-a if sympy.N(a.subs(point)) < 0 else a))


def _verified(
    found: Expr, formula: Expr, declared: tuple[Any, ...], symbols: tuple[Symbol, ...], grid: Sequence[Parameters]
) -> bool:
    """Whether ``found`` is real and continuous with the derivative ``formula``, at every parameter set."""
    with mpmath.workdps(DIGITS):
        return all(
            _agrees(
                found,
                formula,
                symbols,
                parameters,
                [b.at for b in breakpoints_at(formula, declared, symbols, parameters)],
            )
            for parameters in grid
        )


def _agrees(found: Expr, formula: Expr, symbols: tuple[Symbol, ...], parameters: Parameters, edges: list[Any]) -> bool:
    points = [side * mpmath.mpf(d) for side in (1, -1) for d in ("0.013", "0.31", "1.7", "5.3")]
    points += [edge * (1 + step) for edge in edges if edge for step in (-mpmath.mpf(1) / 64, mpmath.mpf(1) / 64)]
    # Where branches are glued the difference shows whether the function jumps.
    points += [mpmath.mpf(0), *edges]
    return all(difference(found, formula, symbols, parameters, p, abs(p) or 1).agrees for p in points)
