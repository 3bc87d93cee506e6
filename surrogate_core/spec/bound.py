"""How far an answer may be off: the exact answer for inputs that were rounded, give or take two ulp.

In a format with unit roundoff u, an answer for g'(x) is accepted within

    B = u * (4*|g'| + 2*|x * dg'/dx| + 2 * sum_p |p * dg'/dp|)

which two roundings of the result, of x and of every parameter p explain to first order (forward error
analysis: Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, section 1.6).
"""

from __future__ import annotations

import functools
from typing import Any

from sympy import Expr

from surrogate_core.spec.evaluate import Parameters, derivative
from surrogate_core.spec.model import Spec

__all__ = ["bound_terms", "formulas"]


@functools.lru_cache(maxsize=64)
def formulas(spec: Spec) -> tuple[Expr, ...]:
    """g', and its derivatives by x and by every parameter."""
    return (spec.gradient, *(derivative(spec.gradient, s) for s in spec.symbols))


def bound_terms(gradient: Any, slopes: list[Any], point: Any, parameters: Parameters) -> Any:
    """B / u at one point or many; ``slopes`` are the derivatives by x and by every parameter."""
    terms = 4 * abs(gradient)
    for slope, value in zip(slopes, [point, *(v for _, v in parameters)], strict=True):
        terms = terms + 2 * abs(value * slope)
    return terms
