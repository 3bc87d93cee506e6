"""How large a gradient may be that a platform gives as zero: the flush-to-zero threshold f.

A result below the smallest normal number N may be flushed, and so may an intermediate, which costs the result N times
whatever multiplies it. Where that intermediate is a bump of height 1, as in h*exp(-x**2), this is the peak of g'. In
alpha*e/(1 + e)**2 with e = exp(-alpha*|x|) it is not: the peak is alpha/4, yet where e is flushed g' is alpha*e.

So the tail of g' is written with the exponentials exp(+-u) that stand in the formula, as |g'| = C*exp(-p*|u|): where
exp(-p*|u|) leaves the normal numbers, g' is C*N. The power p makes it a matter of the function and not of how it is
written: 1 - tanh(u)**2, sech(u)**2 and 4/(exp(u) + exp(-u))**2 all fall as 4*exp(-2*|u|). Of several exponentials the
one with the least C counts, and of the two sides the larger one:

    f = N * max(1, peak of g', C, R)

R, where there is an exponential, is the product of those constant factors of g' that exceed 1: a product may be
multiplied out in any order, so that the exponential meets the other ones first, and is flushed before these raise it.
What stands for one factor is what the formula has, the numbers together and each power of a parameter: height/s for
height/(s*sqrt(2*pi)) * exp(-u), if both height and 1/s exceed 1.

Of a sum of several such tails one may be flushed while the others are not: then f is granted beside the bound B, too.

C is 1 for SLAYER, and so is R. Only a product with N is granted, so nothing else that a formula loses in its tail is:
not what overflows on the way, nor what cancels.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import Expr
from sympy.functions.elementary.hyperbolic import HyperbolicFunction

from surrogate_core.spec.bound import formulas
from surrogate_core.spec.breakpoints import PRECISION
from surrogate_core.spec.claims import Even
from surrogate_core.spec.evaluate import derivative, exactly, in_float64, number
from surrogate_core.spec.formats import Format
from surrogate_core.spec.model import Parameters, Spec, x

__all__ = ["flush_floor", "has_several_tails"]

FAR = (512.0, 1024.0)
"""|u| of the two points that p is taken from: beyond every format's exponentials, within the reach of PRECISION."""

STEADY = 2.0**-5
"""Relative difference of p between the two, above which exp(-p*|u|) is no tail of g'."""

_DISTANCES = np.exp2(np.linspace(-200, 200, 2048))


def flush_floor(spec: Spec, parameters: Parameters, fmt: Format, peak: float) -> float:
    """The threshold f of the format, for a g' whose largest value is ``peak``."""
    sides = (1,) if spec.claim(Even) else (-1, 1)
    factor = max(_factor(spec, parameters, fmt.min_exponent, side) for side in sides)
    return fmt.smallest_normal * max(1.0, peak, factor, _raised(spec, parameters) if factor else 0.0)


@functools.lru_cache(maxsize=256)
def has_several_tails(spec: Spec) -> bool:
    """Whether g' is a sum of several terms with an exponential, each of which may be flushed by itself."""
    terms = sympy.Add.make_args(sympy.expand_mul(spec.gradient))
    return sum(next(_exponents(term), None) is not None for term in terms) > 1


@functools.lru_cache(maxsize=256)
def _raised(spec: Spec, parameters: Parameters) -> float:
    """R, where there is an exponential."""
    constant: Any = spec.gradient.as_independent(x, as_Add=False)[0]
    numbers, powers = constant.as_independent(*spec.symbols, as_Add=False)
    factors = (numbers, *sympy.Mul.make_args(powers))
    return math.prod(max(1.0, abs(float(number(f, spec.symbols[1:], [v for _, v in parameters])))) for f in factors)


@functools.lru_cache(maxsize=1024)
def _factor(spec: Spec, parameters: Parameters, min_exponent: int, side: int) -> float:
    """C on one side; 0 where no exponential gives the tail of g'."""
    found = []
    with mpmath.workprec(PRECISION):
        for exponent, power in _tails(spec, parameters, side):
            # There exp(-p*|u|) is the smallest normal number.
            at = _where(spec, parameters, exponent, side, float(-min_exponent * mpmath.log(2) / power))
            if at is not None:
                gradient, size = exactly((spec.gradient, exponent), spec.symbols, at, parameters)
                found.append(float(abs(gradient) * mpmath.exp(power * abs(size))))
    return min(found, default=0.0)


@functools.lru_cache(maxsize=256)
def _tails(spec: Spec, parameters: Parameters, side: int) -> tuple[tuple[Expr, Any], ...]:
    """(u, p) of every exponential of which the tail on one side is a power."""
    found = []
    with mpmath.workprec(PRECISION):
        for exponent in dict.fromkeys(_exponents(spec.gradient)):
            powers = [_power(spec, parameters, exponent, _where(spec, parameters, exponent, side, u)) for u in FAR]
            near, far = powers
            if near and far and near > 0 and abs(far - near) <= STEADY * near:
                # What else stands in front of it, a power of x, say, adds a multiple of 1/|u|.
                found.append((exponent, 2 * far - near))
    return tuple(found)


def _exponents(formula: Expr) -> Iterator[Any]:
    """The arguments of the exponentials that depend on x, however they are written."""
    for node in sympy.preorder_traversal(formula):
        args: Any = node.args
        match node:
            case sympy.exp() | HyperbolicFunction() if node.has(x):
                yield args[0]
            case sympy.erf() | sympy.erfc() if node.has(x):
                yield args[0] ** 2
            case sympy.Pow() if args[1].has(x):
                yield args[1] * sympy.log(args[0])


def _where(spec: Spec, parameters: Parameters, exponent: Expr, side: int, size: float) -> Any:
    """The point on one side beyond which |u| stays above ``size``, to a few digits; ``None`` where it never does."""
    distances = _DISTANCES
    for _ in range(2):
        (found,) = in_float64((exponent,), spec.symbols, side * distances, parameters)
        below = np.flatnonzero(~(np.abs(found) >= size))
        if not below.size or below[-1] + 1 == distances.size:
            return None
        distances = np.linspace(distances[below[-1]], distances[below[-1] + 1], 512)
    return side * mpmath.mpf(float(distances[-1]))


def _power(spec: Spec, parameters: Parameters, exponent: Expr, at: Any) -> Any:
    """The p of |g'| = C*exp(-p*|u|) at a point: how fast the logarithm of g' falls, over how fast |u| grows."""
    if at is None:
        return None
    gradient, slope = exactly(formulas(spec)[:2], spec.symbols, at, parameters)
    size, growth = exactly((exponent, derivative(exponent, x)), spec.symbols, at, parameters)
    given = (gradient, slope, size, growth)
    # At a jump of u, the float64 in which the point was found and these digits may stand on different sides of it.
    if not all(isinstance(v, mpmath.mpf) and mpmath.isfinite(v) for v in given) or not (gradient and growth and size):
        return None
    return -(slope / gradient) / (growth * mpmath.sign(size))
