from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from handmade import ALPHA, DTYPES, SLAYER
from sympy import Abs, Interval, Max, Piecewise, Symbol, atan, diff, exp, oo, sign, sqrt, tanh

from surrogate_core.spec import FORMATS, Parameter, Spec, x
from surrogate_core.spec.oracle import Expectation, expect, float64_is_sound, forward, limits

AT = (("alpha", ALPHA),)
alpha = Symbol("alpha", positive=True)
TANH = Spec("tanh", "Tanh", "nowhere", 1 - tanh(x) ** 2)


def points(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def expected(dtype: str, *values: float, spec: Spec = SLAYER, parameters: Any = AT) -> Expectation:
    return expect(spec, parameters, FORMATS[dtype], points(*values))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bound_is_the_one_computed_by_hand(dtype: str) -> None:
    at, u = 3.0, FORMATS[dtype].unit_roundoff
    g = math.exp(-ALPHA * at)
    by_hand = u * (4 * g + 2 * at * ALPHA * g + 2 * ALPHA * at * g)
    assert expected(dtype, at, -at).bound == pytest.approx([by_hand, by_hand], rel=1e-14)
    assert expected(dtype, 0.0).bound == pytest.approx([4 * u], rel=1e-14)


def test_the_bound_sums_over_all_parameters() -> None:
    beta = Symbol("beta", positive=True)
    declared = [Parameter(s, 1.0, Interval.open(0, oo), (0.1, 10)) for s in (alpha, beta)]
    spec = Spec("two", "Two", "nowhere", beta / (1 + alpha * Abs(x)), tuple(declared))
    found = expected("float32", 2.0, spec=spec, parameters=(("alpha", 0.5), ("beta", 3.0))).bound
    # g = 3/2; x*dg/dx = alpha*dg/dalpha = -beta*alpha*x/(1 + alpha*x)^2 = -3/4; beta*dg/dbeta = g.
    assert found == pytest.approx([2.0**-24 * (4 * 1.5 + 2 * 0.75 + 2 * 0.75 + 2 * 1.5)])


def test_the_gradient_is_the_formula_and_its_rest_below_float64_is_left_out() -> None:
    found = expected("float32", 0.0, 1.0, -2.5)
    assert found.gradient == pytest.approx([1.0, math.exp(-ALPHA), math.exp(-2.5 * ALPHA)])
    np.testing.assert_array_equal(found.rest, 0.0)
    assert found.peak == 1.0


def test_float64_is_judged_against_more_digits_than_it_has() -> None:
    found = expected("float64", 1.0)
    with mpmath.workdps(40):
        exact = mpmath.exp(-mpmath.mpf(ALPHA))
        assert abs(mpmath.mpf(float(found.gradient[0])) + mpmath.mpf(float(found.rest[0])) - exact) < 1e-30
    assert found.error(found.gradient) == pytest.approx(-found.rest, rel=1e-12)
    assert 0 < abs(found.rest[0]) <= 2.0**-54


def test_a_formula_that_cancels_in_float64_is_evaluated_in_mpmath() -> None:
    assert float64_is_sound(SLAYER, AT)
    assert not float64_is_sound(TANH, ())
    found = expected("float32", 14.6, spec=TANH, parameters=())
    with mpmath.workdps(40):
        assert found.gradient[0] == pytest.approx(float(mpmath.sech(mpmath.mpf(14.6)) ** 2), rel=1e-15)
    assert 1 - np.tanh(np.float64(20.0)) ** 2 == 0
    # This one loses half its digits and does not vanish.
    assert not float64_is_sound(Spec("root", "Root", "nowhere", sqrt(1 + x**2) - Abs(x)), ())
    assert expected("float16", 20.0, spec=TANH, parameters=()).gradient[0] > 0


def test_the_expectation_at_infinity_is_the_limit_and_at_nan_is_nan() -> None:
    found = expected("float32", np.inf, -np.inf, np.nan)
    np.testing.assert_array_equal(found.gradient, [0.0, 0.0, np.nan])
    np.testing.assert_array_equal(found.bound, 0.0)
    np.testing.assert_array_equal(found.within(points(0.0, 0.0, np.nan)), True)
    np.testing.assert_array_equal(found.within(points(np.nan, np.inf, 0.0)), False)


@pytest.mark.parametrize(
    ("formula", "both"),
    [
        (exp(-Abs(x)), (0.0, 0.0)),
        (1 + 0 * x, (1.0, 1.0)),
        (1 / (1 + x**2), (0.0, 0.0)),
        (1 / 2 + atan(x) / 3, (0.5 - math.pi / 6, 0.5 + math.pi / 6)),
        (diff(tanh(x), x), (0.0, 0.0)),
        (exp(x), (0.0, math.inf)),
        (Piecewise((1, Abs(x) < 1), (0, True)), (0.0, 0.0)),
        (Piecewise((2, x > 1), (exp(x), True)), (0.0, 2.0)),
        (Max(0, 1 - Abs(x)), (0.0, 0.0)),
    ],
)
def test_limits_are_those_of_the_formula_on_each_side(formula: Any, both: tuple[float, float]) -> None:
    assert limits(Spec("any", "Any", "nowhere", formula), ()) == pytest.approx(both)


def test_limits_hold_for_every_parameter_value() -> None:
    for value in (0.1, ALPHA, 10.0):
        assert limits(SLAYER, (("alpha", value),)) == (0.0, 0.0)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_is_tiny_may_be_flushed_and_nothing_else_may(dtype: str) -> None:
    fmt = FORMATS[dtype]
    # The gradient is half the smallest normal number at the first point, eight of them at the second.
    tiny, small = (-math.log(fmt.smallest_normal * k) / ALPHA for k in (0.5, 8))
    found = expected(dtype, tiny, small)
    assert found.floor == fmt.smallest_normal
    np.testing.assert_array_equal(found.within(points(0.0, 0.0)), [True, False])
    assert found.within(points(-0.0, -0.0))[0]
    assert not found.within(points(-fmt.smallest_normal / 2, 0.0))[0]
    assert found.within(points(fmt.smallest_normal, 0.0))[0]
    assert not found.within(points(3 * fmt.smallest_normal, 0.0))[0]


def test_the_floor_rises_with_the_peak() -> None:
    parameter = SLAYER.parameters[0]
    high = Spec("high", "High", "nowhere", 100 * exp(-alpha * Abs(x)), (parameter,))
    assert expected("float32", 0.0, spec=high).floor == 100 * 2.0**-126


def test_an_answer_is_within_up_to_the_bound_and_no_further() -> None:
    found = expected("float32", 1.0)
    for side in (1, -1):
        assert found.within(found.gradient + side * 0.99 * found.bound).all()
        assert not found.within(found.gradient + side * 1.01 * found.bound).any()
    assert not found.within(points(np.nan)).any()
    assert not found.within(points(np.inf)).any()


def test_the_slope_at_a_kink_counts_nothing_towards_the_bound() -> None:
    box = Spec("box", "Box", "nowhere", Piecewise((1, Abs(x) <= 0.5), (0, True)))
    found = expected("float32", -1.0, -0.5, 0.0, 0.5, 0.75, spec=box, parameters=())
    np.testing.assert_array_equal(found.gradient, [0, 1, 1, 1, 0])
    assert np.isfinite(found.bound).all()


def test_the_forward_is_the_declared_step() -> None:
    at = points(-np.inf, -1.0, -5e-324, -0.0, 0.0, 5e-324, 2.0, np.inf, np.nan)
    np.testing.assert_array_equal(forward(SLAYER, AT, at), [0, 0, 0, 1, 1, 1, 1, 1, 0])
    open_threshold = SLAYER.replace(at_threshold=0, at_nan=None)
    np.testing.assert_array_equal(forward(open_threshold, AT, at), [0, 0, 0, 0, 0, 1, 1, 1, np.nan])
    ternary = SLAYER.replace(forward=sign(x), at_nan=7)
    np.testing.assert_array_equal(forward(ternary, AT, at), [-1, -1, -1, 0, 0, 1, 1, 1, 7])
