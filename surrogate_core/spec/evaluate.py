"""Formulas as functions of numbers: float64 arrays through NumPy, any number of digits through mpmath."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import mpmath
import numpy as np
import sympy
from jaxtyping import Float64, Int64
from sympy import Expr, Symbol
from sympy.printing.numpy import NumPyPrinter, SciPyPrinter

__all__ = [
    "Parameters",
    "below",
    "chunks",
    "compiled",
    "derivative",
    "exactly",
    "exactly_at_many",
    "in_float64",
    "number",
]

Parameters = tuple[tuple[str, float], ...]
"""Parameter values by name, in the order of the spec: hashable, picklable, printable."""

Points = Float64[np.ndarray, " points"]
SPECIAL = (sympy.erf, sympy.erfc, sympy.erfi, sympy.gamma, sympy.loggamma, sympy.LambertW)
"""Functions that NumPy lacks and scipy has; scipy is slow to import and seldom needed."""

PRINTED = {"fully_qualified_modules": False, "inline": True}
"""How functions are written: by their own names alone."""

CHUNK = 1 << 14
"""Points at a time in float64: their temporaries (128 KiB each) stay in the cache."""


@functools.lru_cache(maxsize=512)
def compiled(
    expressions: tuple[Expr, ...], symbols: tuple[Symbol, ...], module: Literal["numpy", "mpmath"]
) -> Callable[..., list[Any]]:
    """A function of ``symbols`` that returns the values of all ``expressions``, common parts computed once."""
    gated = [_gated(e) for e in expressions]
    if module == "mpmath":
        return sympy.lambdify(symbols, gated, module, cse=True)
    printer = (SciPyPrinter if any(e.has(*SPECIAL) for e in expressions) else NumPyPrinter)(PRINTED)
    # Given a printer, sympy imports the functions that it needs, in place of all of NumPy with its compilers.
    return sympy.lambdify(symbols, gated, [{}], printer=printer, cse=True)


def _gated(expression: Any) -> Any:
    """Products with a step as cases: where the step is 0, an infinite factor would make a NaN of it."""
    return expression.replace(lambda e: e.is_Mul and any(isinstance(a, sympy.Heaviside) for a in e.args), _as_cases)


def _as_cases(product: Any) -> Any:
    step: Any = next(a for a in product.args if isinstance(a, sympy.Heaviside))
    argument, at_zero = step.args
    others = _gated(product / step)
    return sympy.Piecewise((others, argument > 0), (at_zero * others, sympy.Eq(argument, 0)), (0, True))


def number(expression: Any, symbols: tuple[Symbol, ...], values: Sequence[Any]) -> Any:
    """``expression`` at ``values`` in mpmath's working precision."""
    return compiled((sympy.sympify(expression),), symbols, "mpmath")(*values)[0] * mpmath.mpf(1)


def chunks(count: int) -> Iterator[slice]:
    """Slices of ``count`` points, :data:`CHUNK` at a time."""
    return (slice(start, start + CHUNK) for start in range(0, count, CHUNK))


def below(points: Points, limit: float) -> Int64[np.ndarray, " few"]:
    """Indices of the points with |x| < ``limit``."""
    found = [np.array([], np.int64)]
    found += [part.start + np.flatnonzero(np.abs(points[part]) < limit) for part in chunks(points.size)]
    return np.concatenate(found)


def in_float64(
    expressions: tuple[Expr, ...], symbols: tuple[Symbol, ...], points: Points, parameters: Parameters
) -> list[Points]:
    """The values of ``expressions`` at all ``points``; the first symbol is the variable."""
    function, given = compiled(expressions, symbols, "numpy"), [v for _, v in parameters]
    found = [np.empty(points.shape) for _ in expressions]
    with np.errstate(all="ignore"):
        for part in chunks(points.size):
            for values, value in zip(found, function(points[part], *given), strict=True):
                values[part] = np.real(value)  # Lambert W is complex in scipy
    return found


def exactly(
    expressions: tuple[Expr, ...], symbols: tuple[Symbol, ...], point: Any, parameters: Parameters
) -> list[Any]:
    """The values of ``expressions`` at one point in mpmath's working precision; NaN where there is none."""
    given = [mpmath.mpf(v) for _, v in parameters]
    try:
        return [v * mpmath.mpf(1) for v in compiled(expressions, symbols, "mpmath")(point, *given)]
    except (ZeroDivisionError, ValueError, OverflowError):
        if len(expressions) == 1:
            return [mpmath.nan]
        return [exactly((e,), symbols, point, parameters)[0] for e in expressions]


def exactly_at_many(
    expressions: tuple[Expr, ...], symbols: tuple[Symbol, ...], parameters: Parameters
) -> Callable[[Any], list[Any]]:
    """:func:`exactly` as a function of the point, for the working precision of now.

    What the parameters alone decide is evaluated once: that is most of a formula, and each step takes microseconds.
    """
    variable, *others = symbols
    varying, constants = _parted(expressions, variable)
    try:
        given = compiled(tuple(constants.values()), tuple(others), "mpmath")(*(mpmath.mpf(v) for _, v in parameters))
    except (ZeroDivisionError, ValueError, OverflowError):
        # In a branch, perhaps, that is never taken.
        return lambda point: exactly(expressions, symbols, point, parameters)
    function, one = compiled(varying, (variable, *constants), "mpmath"), mpmath.mpf(1)

    def at(point: Any) -> list[Any]:
        try:
            return [v * one for v in function(point, *given)]
        except (ZeroDivisionError, ValueError, OverflowError):
            return exactly(expressions, symbols, point, parameters)

    return at


@functools.lru_cache(maxsize=128)
def _parted(expressions: tuple[Expr, ...], variable: Symbol) -> tuple[tuple[Expr, ...], dict[Any, Expr]]:
    """The expressions with a symbol in place of each part that the variable is not in, and those parts by symbol."""
    names: dict[Any, Any] = {}

    def name(part: Any) -> Any:
        return part if part.is_Integer else names.setdefault(part, sympy.Dummy(real=part.is_real))

    def varying(part: Any) -> Any:
        if not isinstance(part, Expr) or not part.has(variable):
            return name(part) if isinstance(part, Expr) else part.func(*map(varying, part.args)) if part.args else part
        if not (part.is_Mul or part.is_Add):
            # An exponent such as 1/2 is a root, which is more than a number.
            return part.func(*(a if a.is_Rational else varying(a) for a in part.args)) if part.args else part
        fixed = [a for a in part.args if not a.has(variable)]
        rest = [varying(a) for a in part.args if a.has(variable)]
        return part.func(*[name(part.func(*fixed))] * bool(fixed), *rest)

    return tuple(map(varying, expressions)), {symbol: part for part, symbol in names.items()}


@functools.cache
def derivative(expression: Expr, symbol: Symbol) -> Expr:
    """The derivative where there is one: what a jump would add (Dirac's delta) is left out.

    Steps such as floor have the derivative 0 between their jumps.
    """
    # Of a symbol that nobody declared real, sympy differentiates |.| by way of real and imaginary parts.
    free: set[Any] = {symbol, *expression.free_symbols}
    real: Mapping[Any, Any] = {s: sympy.Dummy(s.name, real=True) for s in free if not s.is_extended_real}
    smooth: Any = expression.xreplace(real).replace(sympy.Mod, lambda a, n: a - n * sympy.floor(a / n))
    smooth = smooth.replace(sympy.frac, lambda a: a - sympy.floor(a))
    slope: Any = sympy.diff(smooth, real.get(symbol, symbol)).replace(sympy.DiracDelta, lambda *_: sympy.S.Zero)
    slope = slope.replace(
        lambda e: isinstance(e, sympy.Derivative) and e.has(sympy.floor, sympy.ceiling), lambda _: sympy.S.Zero
    ).replace(sympy.Subs, lambda *args: sympy.Subs(*args).doit())
    return slope.xreplace({dummy: symbol for symbol, dummy in real.items()})
