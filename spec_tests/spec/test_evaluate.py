from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from branched import ONE, STEP
from sympy import (
    Abs,
    DiracDelta,
    Heaviside,
    LambertW,
    Max,
    Mod,
    Piecewise,
    Symbol,
    ceiling,
    erf,
    exp,
    floor,
    frac,
    sign,
)

from surrogate_core.spec import get_spec, x
from surrogate_core.spec.bound import formulas
from surrogate_core.spec.catalogue import spec_names
from surrogate_core.spec.evaluate import CHUNK, below, chunks, derivative, exactly, exactly_at_many, in_float64, number

alpha, plain = Symbol("alpha", positive=True), Symbol("c")
AT = (("alpha", 0.7),)


@pytest.mark.parametrize(
    ("formula", "by_x"),
    [
        (Heaviside(x - alpha, ONE) * exp(-alpha * x), -alpha * exp(-alpha * x) * Heaviside(x - alpha, ONE)),
        (sign(x) * exp(-alpha * Abs(x)), -alpha * exp(-alpha * Abs(x)) * sign(x) ** 2),
        (Piecewise((alpha * x**2, x < 1), (0, True)), Piecewise((2 * alpha * x, x < 1), (0, True))),
        (Max(0, 1 - alpha * x), -alpha * Heaviside(1 - alpha * x)),
        (x * floor(alpha * x), floor(alpha * x)),
        (x * ceiling(x), ceiling(x)),
        (frac(x), 1),
        (Mod(x, alpha), 1),
        (sympy.Integer(3), 0),
    ],
)
def test_a_derivative_leaves_out_what_a_jump_would_add(formula: Any, by_x: Any) -> None:
    found = derivative(formula, x)
    assert not found.has(DiracDelta, sympy.Derivative, sympy.Subs)
    assert sympy.simplify(found - by_x) == 0


def test_a_symbol_that_nobody_declared_real_is_taken_for_real() -> None:
    assert derivative(exp(-plain * Abs(x)), plain) == -Abs(x) * exp(-plain * Abs(x))
    assert derivative(Abs(plain * x), plain) == x * sign(plain * x)


def test_a_product_with_a_step_has_no_value_times_infinity() -> None:
    one_sided = STEP * exp(-alpha * x)
    formulas = (one_sided, derivative(one_sided, x), Heaviside(x) * Heaviside(2 - x) * exp(-alpha * x))
    values = in_float64(formulas, (x, alpha), np.array([-1e30, 0.0, 1.0, 1e30]), AT)
    once = np.exp(-0.7)
    np.testing.assert_allclose(values, [[0, 1, once, 0], [0, -0.7, -0.7 * once, 0], [0, 0.5, once, 0]])


def test_special_functions_are_scipys() -> None:
    (values,) = in_float64((erf(alpha * x),), (x, alpha), np.array([0.0, 1.0]), AT)
    assert values == pytest.approx([0.0, float(mpmath.erf(0.7))])
    (values,) = in_float64((LambertW(x),), (x, alpha), np.array([1.0]), AT)
    assert values == pytest.approx([float(mpmath.lambertw(1).real)])


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
def test_chunks_cover_every_point_once(count: int) -> None:
    points = np.arange(count, dtype=np.float64)
    assert [i for part in chunks(count) for i in points[part]] == points.tolist()
    values = in_float64((2 * x, x + alpha, sympy.Integer(3)), (x, alpha), points, AT)
    np.testing.assert_array_equal(values, [2 * points, points + 0.7, np.full(count, 3.0)])
    np.testing.assert_array_equal(below(points - 1, 2.0), np.arange(min(count, 3)))


def test_what_has_no_value_at_a_point_is_nan_there_and_the_rest_is_not() -> None:
    with mpmath.workdps(30):
        pole, square = exactly((1 / x, x**2), (x, alpha), mpmath.mpf(0), AT)
        assert mpmath.isnan(pole)
        assert square == 0


def test_a_number_has_the_digits_in_force() -> None:
    with mpmath.workdps(60):
        assert abs(number(sympy.sqrt(2) * alpha, (alpha,), [mpmath.mpf(1)]) ** 2 - 2) < mpmath.mpf(10) ** -58


@pytest.mark.parametrize("name", spec_names())
def test_at_many_points_a_formula_is_what_it_is_at_each(name: str) -> None:
    spec = get_spec(name)
    with mpmath.workdps(50):
        for parameters in spec.grid("standard"):
            expressions = formulas(spec)
            at = exactly_at_many(expressions, spec.symbols, parameters)
            for point in map(mpmath.mpf, (-3.7, -0.3, 0, 1e-30, 0.11, 2, 40)):
                once = exactly(expressions, spec.symbols, point, parameters)
                # Near the threshold terms of a slope cancel, and both lose digits: float64 holds fewer than are left.
                for a, b in zip(at(point), once, strict=True):
                    assert abs(a - b) <= abs(b) * mpmath.mpf(10) ** -20 + mpmath.mpf(10) ** -48 or mpmath.isnan(b)


def test_a_constant_that_is_none_is_left_to_the_points_that_need_it() -> None:
    a, t = sympy.Symbol("a", real=True), sympy.Symbol("t", real=True)
    formula: Any = sympy.Piecewise((t / a, t > 1), (t + a, True))
    at = exactly_at_many((formula,), (t, a), (("a", 0.0),))
    assert at(mpmath.mpf(0.5)) == [0.5]
    assert mpmath.isnan(at(mpmath.mpf(2))[0])
