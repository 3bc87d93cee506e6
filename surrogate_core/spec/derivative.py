"""The derivatives of the pseudo-derivative, by x and by its parameters, and how far an answer may be off.

Automatic differentiation of an implementation of g' multiplies the derivatives of its elementary
operations along every path from the variable to the result, and adds up the paths. Its error has two parts.

The operations are evaluated at rounded operands: as in the bound B of g' itself, that is the exact answer for
an input and parameters perturbed by two roundings, 2*|x * dd/dx| + 2*sum_p |p * dd/dp| in units of u.

The arithmetic: each factor of a path may be off by two ulp (4u, what B grants g'), and is multiplied once:
5u a factor. The sum of n paths rounds n - 1 times. Paths may cancel, so that all of this counts relative to
M, the sum of their absolute values, and not to the derivative: (5*longest + n) * M, where the n-th rounding is
that of the reference to float64.

    bound = u * ( (5*longest + n) * M + 2*|x * dd/dx| + 2*sum_p |p * dd/dp| ),     d = dg'/dx or dg'/dp
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy
from jaxtyping import Bool, Float64
from sympy import Expr, Symbol

from surrogate_core.spec.evaluate import derivative, exactly
from surrogate_core.spec.formats import Format
from surrogate_core.spec.model import Parameters, Spec, x

__all__ = ["Slope", "slope"]

DIGITS = 50
Points = Float64[np.ndarray, " points"]

BESIDE = 8
"""Roundings of x on either side, between which a derivative that jumps is told from one that changes smoothly."""


@dataclass(frozen=True, eq=False)
class Slope:
    """A derivative of g' at each point, by one variable.

    Attributes:
        value: the derivative, rounded to float64.
        bound: how far an answer in the format may be off.
        smooth: where it exists, and neither g' nor its slope jumps within a few roundings of x.
    """

    value: Points
    bound: Points
    smooth: Bool[np.ndarray, " points"]


@dataclass(frozen=True)
class _Paths:
    """The paths from a variable to a formula: the sum of their absolute values, the longest, how many."""

    size: Expr
    longest: int
    count: int


def slope(spec: Spec, parameters: Parameters, fmt: Format, points: Points, by: str = "x") -> Slope:
    """The derivative of g' by ``x`` or by the parameter named ``by``, at finite ``points``."""
    formulas, paths, symbols = _formulas(spec, by)
    roundings = 5 * paths.longest + paths.count
    found = np.zeros((3, points.size))
    with mpmath.workdps(DIGITS):
        for i, point in enumerate(map(mpmath.mpf, points.tolist())):
            value, size, *slopes = exactly(formulas, symbols, point, parameters)
            moved = sum(abs(v * s) for v, s in zip([point, *(v for _, v in parameters)], slopes, strict=True))
            step = BESIDE * fmt.unit_roundoff * abs(point)
            jump = exactly(formulas[:1], symbols, point + step, parameters)[0]
            jump -= exactly(formulas[:1], symbols, point - step, parameters)[0]
            bound = fmt.unit_roundoff * (roundings * size + 2 * moved)
            found[:, i] = [float(mpmath.re(v)) for v in (value, bound, abs(jump))]
    value, bound, jump = found
    with np.errstate(invalid="ignore"):
        # Smoothly, x moved by BESIDE roundings either way changes it by 2*BESIDE*u*|x * dd/dx| <= BESIDE*bound.
        smooth = np.isfinite(value) & (points != 0) & (jump <= BESIDE * bound)
    return Slope(value, bound, smooth)


@functools.lru_cache(maxsize=64)
def _formulas(spec: Spec, by: str) -> tuple[tuple[Expr, ...], _Paths, tuple[Symbol, ...]]:
    """(derivative, sum of its paths, its own derivatives by x and the parameters), the paths, the symbols."""
    symbols: tuple[Symbol, ...] = (x, *(p.symbol for p in spec.parameters))
    variable = next(s for s in symbols if str(s) == by)
    found, paths = derivative(spec.gradient, variable), _paths(spec.gradient, variable)
    return (found, paths.size, *(derivative(found, s) for s in symbols)), paths, symbols


def _paths(formula: Any, variable: Symbol) -> _Paths:
    """All paths of the chain rule from ``variable`` to the formula as it is written."""
    if formula == variable:
        return _Paths(sympy.S.One, 0, 1)
    operands: tuple[Any, ...] = formula.args
    if isinstance(formula, sympy.Piecewise):
        branches = [(_paths(value, variable), condition) for value, condition in operands]
        size = sympy.Piecewise(*((paths.size, condition) for paths, condition in branches))
        return _Paths(size, max(p.longest for p, _ in branches), max(p.count for p, _ in branches))
    inner: dict[Any, Any] = {sympy.Dummy(real=True): a for a in operands if a.has(variable)}
    names = {argument: dummy for dummy, argument in inner.items()}
    if not inner:
        return _Paths(sympy.S.Zero, 0, 0)
    # The operation alone, its operands as variables.
    operation: Any = formula.func(*(names.get(a, a) for a in operands))
    factors: list[Any] = [derivative(operation, dummy).xreplace(inner) for dummy in inner]
    parts = [(_paths(a, variable), factor) for a, factor in zip(inner.values(), factors, strict=True)]
    size = sympy.Add(*(abs(factor) * paths.size for paths, factor in parts))
    return _Paths(size, 1 + max(p.longest for p, _ in parts), sum(p.count for p, _ in parts))
