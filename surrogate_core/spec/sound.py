"""Whether a formula is what a spec can hold: one real, finite number at every x, for all parameter values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mpmath
import sympy
from sympy import Symbol
from sympy.core.function import AppliedUndef

from surrogate_core.errors import BadInput
from surrogate_core.spec.breakpoints import declared_at
from surrogate_core.spec.evaluate import Parameters, compiled, derivative

__all__ = ["UNEVALUATED", "formula_of", "verify_derivatives", "verify_values"]

POINTS = [mpmath.mpf(0), *(sign * mpmath.mpf(2) ** k for k in range(-20, 11) for sign in (1, -1))]
"""Where a formula is evaluated: at the threshold, near it, and far off, on both sides."""

UNEVALUATED = (ArithmeticError, ValueError, TypeError, LookupError, NameError, AttributeError, NotImplementedError)
"""What comes of a formula that mpmath has no function for, or that sympy cannot print as a program."""

SHOWN = 200
"""Characters kept of a formula in a message."""


def formula_of(given: Any, what: str, spec: str) -> Any:
    """``given`` as a sympy expression.

    Raises:
        BadInput: it is none: a string that cannot be read, a condition, a matrix, a function that is not defined.
    """
    try:
        found = sympy.sympify(given)
    except Exception as error:  # sympify evaluates strings: anything may come of them
        raise _refused(given, what, spec, f"which sympy cannot read: {type(error).__name__}: {error}") from None
    if not isinstance(found, sympy.Expr) or getattr(found, "is_Matrix", False):
        raise _refused(given, what, spec, f"which is a {type(found).__name__}")
    if undefined := found.atoms(AppliedUndef):
        raise _refused(given, what, spec, f"in which {min(map(str, undefined))} is not defined")
    if found.has(sympy.DiracDelta):
        raise _refused(given, what, spec, "in which DiracDelta has no value at 0")
    return found


def _refused(given: Any, what: str, spec: str, why: str) -> BadInput:
    return BadInput(
        f"spec {spec!r} with the {what} {str(given)[:SHOWN]}, {why}",
        "a sympy expression in x and the declared parameters",
        "build it from sympy's functions, such as exp(-alpha * Abs(x))",
    )


def verify_values(
    formula: Any,
    what: str,
    declared: tuple[Any, ...],
    symbols: tuple[Symbol, ...],
    grid: Sequence[Parameters],
    spec: str,
) -> None:
    """Raise :class:`BadInput` where the formula is no real, finite number, other than at a declared breakpoint."""
    for parameters in grid:
        places = {place.at for place in declared_at(declared, symbols, parameters)}
        for point in (point for point in POINTS if point not in places):
            if said := _wrong(formula, symbols, point, parameters):
                given = ", ".join(f"{name}={value:g}" for name, value in parameters) or "no parameters"
                raise BadInput(
                    f"spec {spec!r}: for {given} the {what} {str(formula)[:SHOWN]} is {said} at "
                    f"x={mpmath.nstr(point, 8)}",
                    "one real, finite number at every x",
                    "close its gaps (Piecewise takes (0, True) at the end), or keep roots and logarithms from "
                    "negative numbers",
                )


def verify_derivatives(formula: Any, symbols: tuple[Symbol, ...], parameters: Parameters, spec: str) -> None:
    """Raise :class:`BadInput` where a derivative by x or by a parameter, which the error bound needs, is no formula."""
    given = [mpmath.mpf(value) for _, value in parameters]
    for symbol in symbols:
        try:
            compiled((derivative(formula, symbol),), symbols, "mpmath")(mpmath.mpf("0.7"), *given)
        except ZeroDivisionError:
            continue
        except UNEVALUATED as error:
            raise BadInput(
                f"spec {spec!r}: the gradient {str(formula)[:SHOWN]} cannot be differentiated by {symbol} "
                f"({type(error).__name__}: {error})",
                "a formula with derivatives by x and by every parameter, from which the error bound is derived",
                "write it in functions that sympy can differentiate",
            ) from None


def _wrong(formula: Any, symbols: tuple[Symbol, ...], point: Any, parameters: Parameters) -> str:
    """What the formula is at a point in place of a finite real number, in words; empty where it is one."""
    given = [mpmath.mpf(value) for _, value in parameters]
    try:
        (value,) = compiled((formula,), symbols, "mpmath")(point, *given)
        value = value * mpmath.mpf(1)
    except ZeroDivisionError:
        return "a division by zero"
    except UNEVALUATED as error:
        if "NoneType" in str(error):
            return "without a value"
        return f"no number ({type(error).__name__}: {error})"
    if isinstance(value, mpmath.mpc) and abs(value.imag) > mpmath.eps * abs(value):
        return f"complex ({mpmath.nstr(value, 6)})"
    real = mpmath.re(value)
    if mpmath.isnan(real):
        return "NaN"
    return "" if mpmath.isfinite(real) else "infinite"
