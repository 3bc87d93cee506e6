"""Formulas of cases at NaN: there every comparison is false, so that one of the cases answers, whichever it is."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import sympy
from sympy import Expr

from surrogate_core.spec.evaluate import Parameters, number
from surrogate_core.spec.model import Spec, x

__all__ = ["MOST", "at_nan", "cases"]

MOST = 256
"""Combinations of cases that are followed up; a formula of more is taken to depend on x in all of them."""


def at_nan(spec: Spec, parameters: Parameters) -> tuple[float, ...]:
    """What the pseudo-derivative may be at NaN beside NaN: the cases of its formula that do not depend on x."""
    symbols, values = spec.symbols[1:], [v for _, v in parameters]
    constant = (case for case in cases(spec.gradient) if x not in case.free_symbols)
    return tuple(sorted({float(number(case, symbols, values)) for case in constant if case.is_finite is not False}))


@functools.lru_cache(maxsize=256)
def cases(formula: Expr) -> frozenset[Expr]:
    """The formula in each of its cases: ``k*Heaviside(x)`` is 0 or k, ``Max(0, x)`` is 0 or x."""
    choices = _choices(formula)
    if choices is not None:
        return frozenset().union(*(cases(sympy.sympify(choice)) for choice in choices))
    inner = [sorted(cases(a), key=str) if x in a.free_symbols else [a] for a in _operands(formula)]
    count = 1
    for options in inner:
        count *= len(options)
    if count == 1 or count > MOST:
        return frozenset([formula])
    rebuild: Any = formula.func
    return frozenset(rebuild(*operands) for operands in itertools.product(*inner))


def _operands(formula: Expr) -> tuple[Any, ...]:
    operands: tuple[Any, ...] = formula.args
    return operands


def _choices(formula: Any) -> tuple[Any, ...] | None:
    """What a node chooses from by comparing x; ``None`` for a node that does not."""
    if x not in formula.free_symbols:
        return None
    match formula:
        case sympy.Piecewise():
            branches: tuple[Any, ...] = formula.args
            return tuple(value for value, _ in branches)
        case sympy.Heaviside():
            return (0, 1, formula.args[1])
        case sympy.sign():
            return (-1, 0, 1)
        case sympy.Max() | sympy.Min():
            return formula.args
    return None
