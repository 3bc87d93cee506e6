from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from branched import ASYMMETRIC, BOXCAR, LEAKY, ONE_SIDED, SPECS, TRIANGLE
from handmade import ALPHA, DTYPES, SLAYER
from sympy import Abs, Heaviside, Interval, Piecewise, Symbol, cosh, exp, oo, sign, sqrt, tanh

from surrogate_core.spec import FORMATS, Parameter, Spec, get_spec, x
from surrogate_core.spec.evaluate import derivative, in_float64
from surrogate_core.spec.expectation import Expectation
from surrogate_core.spec.oracle import (
    _falling,  # pyright: ignore[reportPrivateUsage]  (how seldom it asks is seen nowhere else)
    expect,
    float64_is_sound,
    forward,
    last_above,
    reach,
)

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


def test_where_float64_loses_the_formula_it_loses_the_bound_too() -> None:
    # The bound of 1 - tanh(x)^2 in float64 is 0 from x = 19 on, where float32 holds g' to x = 44.
    at = np.array([0.5, 10.0, 20.0, 30.0, -30.0, 43.0])
    found = expected("float32", *at, spec=TANH, parameters=())
    right = 1 / np.cosh(at) ** 2
    np.testing.assert_allclose(found.gradient, right, rtol=1e-14)
    slope = 2 * np.abs(at * np.tanh(at)) * right
    np.testing.assert_allclose(found.bound, 2.0**-24 * (4 * right + 2 * slope), rtol=1e-12)
    in_float32 = (1 - np.tanh(at.astype(np.float32)) ** 2).astype(np.float64)
    np.testing.assert_array_equal(found.within(right.astype(np.float32).astype(np.float64)), True)
    np.testing.assert_array_equal(found.within(in_float32), [True, False, False, False, False, False])


def test_a_bound_whose_powers_overflow_in_float64_is_evaluated_with_more_digits() -> None:
    # sinh(x)/cosh(x)**3 is 0 in float64 at x = 316, where the gradient is 6e-275.
    overflowing = Spec("cosh", "Cosh", "nowhere", 1 / cosh(x) ** 2)
    found = expected("float64", 316.0, spec=overflowing, parameters=())
    assert found.bound[0] == pytest.approx(2.0**-53 * (4 + 4 * 316) * found.gradient[0], rel=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spec", [*SPECS, SLAYER, TANH], ids=lambda s: s.name)
def test_expectation_and_bound_are_finite_everywhere(spec: Spec, dtype: str) -> None:
    fmt = FORMATS[dtype]
    ends = [0.0, fmt.smallest_subnormal, fmt.smallest_normal, 1e-3, 1.0, 3.0, 1e3, fmt.largest / 3, fmt.largest]
    at = tuple((p.name, ALPHA) for p in spec.parameters)
    found = expected(dtype, *ends, *(-e for e in ends), spec=spec, parameters=at)
    assert np.isfinite(found.gradient).all()
    assert np.isfinite(found.bound).all()
    assert (found.bound >= 0).all()


def test_a_product_that_is_zero_times_infinity_in_float64_is_evaluated_with_more_digits() -> None:
    sigmoid = Spec("sigmoid", "Sigmoid", "nowhere", exp(-x) / (1 + exp(-x)) ** 2)
    at = np.array([-800.0, -80.0, 80.0, 800.0])
    with np.errstate(all="ignore"):
        assert np.isnan(np.exp(-at) / (1 + np.exp(-at)) ** 2)[0]
    found = expected("float32", *at, spec=sigmoid, parameters=())
    np.testing.assert_allclose(found.gradient, [0, np.exp(-80), np.exp(-80), 0], rtol=1e-14)
    assert np.isfinite(found.bound).all()


def test_value_and_derivatives_together_are_those_computed_alone() -> None:
    at = np.random.default_rng(3).uniform(-40, 40, 40_000)
    formulas = [SLAYER.gradient, *(derivative(SLAYER.gradient, s) for s in SLAYER.symbols)]
    together = in_float64(tuple(formulas), SLAYER.symbols, at, AT)
    g, by_x, by_alpha = (in_float64((f,), SLAYER.symbols, at, AT)[0] for f in formulas)
    np.testing.assert_array_equal(together, [g, by_x, by_alpha])
    found = expected("float32", *at)
    np.testing.assert_array_equal(found.gradient, g)
    terms = 4 * np.abs(g) + 2 * np.abs(at * by_x) + 2 * np.abs(ALPHA * by_alpha)
    np.testing.assert_array_equal(found.bound, 2.0**-24 * terms)


def test_the_expectation_at_infinity_is_the_limit_and_at_nan_is_nan() -> None:
    found = expected("float32", np.inf, -np.inf, np.nan)
    np.testing.assert_array_equal(found.gradient, [0.0, 0.0, np.nan])
    np.testing.assert_array_equal(found.bound, 0.0)
    np.testing.assert_array_equal(found.within(points(0.0, 0.0, np.nan)), True)
    np.testing.assert_array_equal(found.within(points(np.nan, np.inf, 0.0)), False)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_limit_has_a_bound_where_the_format_does_not_hold_it(dtype: str) -> None:
    u = FORMATS[dtype].unit_roundoff
    assert expected(dtype, np.inf, spec=LEAKY).bound == pytest.approx([u * 4 * 0.1])
    assert expected(dtype, np.inf, -np.inf, spec=ASYMMETRIC).bound.tolist() == [0.0, 0.0]
    half = LEAKY.replace(gradient=LEAKY.gradient.subs(0.1, 0.5))
    assert expected(dtype, np.inf, spec=half).bound.tolist() == [0.0]
    scaled = Spec("scaled", "Scaled", "nowhere", alpha + exp(-Abs(x)), SLAYER.parameters)
    assert expected(dtype, -np.inf, spec=scaled, parameters=(("alpha", 0.5),)).bound == pytest.approx([u * 3])


def falling(values: list[float]) -> tuple[np.ndarray, int]:
    """What the falling function 1 - min(max(x, 1), 3) is found to be, and how often it was asked."""
    asked: list[float] = []

    def at(point: float) -> tuple[float, float, float]:
        asked.append(point)
        return 1 - min(max(point, 1.0), 3.0), 0.0, 0.0

    return _falling(at, points(*values))[:, 0], len(asked)


def test_what_falls_is_evaluated_where_it_changes() -> None:
    near, far = (np.linspace(*ends, 500).tolist() for ends in ((0.0, 1.0), (3.0, 9.0)))
    found, asked = falling([*near, 1.5, 2.5, *far])
    assert found.tolist() == [0.0] * 500 + [-0.5, -1.5] + [-2.0] * 500
    assert asked < 50
    assert falling([2.0])[0].tolist() == [-1.0]
    assert falling([])[0].tolist() == []


@pytest.mark.parametrize("name", ["slayer", "arctan", "triangle", "s2nn"])
def test_float64_gets_at_every_point_what_it_gets_at_that_point_alone(name: str) -> None:
    spec = get_spec(name)
    parameters = spec.grid("quick")[0]
    at = points(0.0, -0.0, 1e-300, -1e-200, 0.1, -0.1, 0.3, 5.0, -5.0, 30.0, 700.0, 1e5, -1e5, 1e200, -1e300)
    with np.errstate(all="ignore"):
        together = expect(spec, parameters, FORMATS["float64"], at)
        for i in range(at.size):
            alone = expect(spec, parameters, FORMATS["float64"], at[i : i + 1])
            assert (together.gradient[i], together.rest[i], together.bound[i]) == pytest.approx(
                (alone.gradient[0], alone.rest[0], alone.bound[0]), rel=1e-15, abs=1e-45
            )


def test_mirror_images_of_an_even_formula_get_what_they_get_one_after_the_other() -> None:
    side = np.exp2(np.linspace(-40, 5, 64))
    mirrored, mixed = np.concatenate([side, -side]), np.concatenate([side, -side])[::-1]
    for spec in (SLAYER, ONE_SIDED):
        one, other = (expect(spec, AT, FORMATS["float32"], at) for at in (mirrored, mixed))
        np.testing.assert_array_equal(one.gradient, other.gradient[::-1])
        np.testing.assert_array_equal(one.bound, other.bound[::-1])


@pytest.mark.parametrize("rate", [1e-12, 1e-3, ALPHA, 1e6, 1e30])
@pytest.mark.parametrize(
    ("spec", "scaled"),
    [(SLAYER, math.log(100)), (BOXCAR, 0.5), (TRIANGLE, 0.99), (ONE_SIDED, math.log(100)), (LEAKY, 0.5)],
    ids=lambda v: getattr(v, "name", ""),
)
def test_reach_is_where_a_hundredth_of_the_peak_is_left(spec: Spec, scaled: float, rate: float) -> None:
    assert reach(spec, (("alpha", rate),)) * rate == pytest.approx(scaled, rel=1e-3)


def test_reach_looks_on_both_sides() -> None:
    left = ONE_SIDED.replace(gradient=ONE_SIDED.gradient.subs(x, -x), claims=())
    assert reach(left, AT) == reach(ONE_SIDED, AT)


def test_reach_of_a_gradient_that_never_falls_is_its_farthest_breakpoint_or_one() -> None:
    assert reach(Spec("ste", "Straight through", "nowhere", 1 + 0 * x), ()) == 1.0
    assert reach(Spec("none", "None", "nowhere", 0 * x), ()) == 1.0
    leak = Spec("leak", "Leak", "nowhere", Heaviside(x - 5) + Heaviside(-x - 7) + 1, breakpoints=(5, -7))
    assert reach(leak, ()) == 7.0


def test_what_is_never_exceeded_is_last_exceeded_at_the_nearest_distance() -> None:
    distances = np.exp2(np.linspace(-10, 10, 64))
    assert last_above(SLAYER, AT, 2.0, distances) == distances[0]
    assert last_above(SLAYER, AT, 0.0, distances[:32]) == distances[31]


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
    box = Spec("box", "Box", "nowhere", Piecewise((1, Abs(x) <= 0.5), (0, True)), breakpoints=(-0.5, 0.5))
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


WAVE = get_spec("squarewave_fourier_series")


@pytest.mark.parametrize("period", [1.0, 5.27, 8.0])
def test_a_wave_is_right_at_its_far_crests_too_and_a_wave_of_one_term_is_wrong(period: float) -> None:
    # Multiples of a power of two are crests for the period 8, and there the slope is 0.
    at = np.concatenate([2.0 ** np.arange(-3, 40), 3 * 2.0 ** np.arange(40), np.linspace(0, 99_991.3, 4001)])
    at = np.concatenate([at, -at]).astype(np.float32)
    angle = np.float32(2 * np.pi) * at / np.float32(period)
    right = np.float32(4 / period) * (np.cos(angle) + np.cos(np.float32(3) * angle))
    found = expected("float32", *at.astype(np.float64), spec=WAVE, parameters=(("period", period),))
    assert found.within(right.astype(np.float64)).all()
    one_term = np.float32(4 / period) * np.cos(angle)
    near = np.abs(at) < 1e4
    assert (~found.within(one_term.astype(np.float64)))[near].mean() > 0.9


@pytest.mark.parametrize("rate", [2.5, 10.0])
def test_a_power_may_round_its_base_and_one_of_another_exponent_is_wrong(rate: float) -> None:
    at = np.exp2(np.linspace(-30, 60, 4001)).astype(np.float32)
    base = np.float32(1) + np.float32(2) * at / np.float32(rate - 1)
    found = expected("float32", *at.astype(np.float64), spec=get_spec("q_pseudo_spike"), parameters=(("alpha", rate),))
    assert found.within((base ** np.float32(-rate)).astype(np.float64)).all()
    other = base.astype(np.float64) ** (-rate * (1 + 1e-5))
    wrong = ~found.within(other)
    assert wrong[(base > 1.5) & (base < 1e3)].all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_at_a_crest_the_second_order_counts_for_each_of_two_waves(dtype: str) -> None:
    u, at, angle = FORMATS[dtype].unit_roundoff, 2.0**16, 2 * math.pi * 2.0**16 / 8
    found = expected(dtype, at, 0.0, spec=WAVE, parameters=(("period", 8.0),)).bound
    # Of 4/T*cos(k*t), t = 2*pi*x/T: by x twice, by x and T, by T and x, by T twice, where 2*4/T^3 is beside it.
    bent = sum(0.5 * (3 * (k * angle) ** 2 + abs(2 - (k * angle) ** 2)) for k in (1, 3))
    assert found[0] == pytest.approx(u * (4 + 2) + 2 * u**2 * bent, rel=1e-5)
    assert found[1] == pytest.approx(u * (4 + 2) + 2 * u**2 * 2, rel=1e-6)


def test_a_wave_is_off_by_no_more_than_the_way_from_crest_to_trough() -> None:
    found = expected("float32", 1e38, spec=WAVE, parameters=(("period", 8.0),))
    assert found.bound[0] == pytest.approx(2.0, rel=1e-6)
    assert not found.within(points(3.5)).any()
    assert not found.within(points(math.nan)).any()


@pytest.mark.parametrize("rate", [1.72, 10.0])
def test_a_square_may_round_what_it_squares_and_one_of_another_rate_is_wrong(rate: float) -> None:
    at = np.exp2(np.linspace(-30, 2, 4001)).astype(np.float32)
    found = expected("float32", *at.astype(np.float64), spec=get_spec("tanh"), parameters=(("alpha", rate),))

    def as_documented(rate: float) -> np.ndarray:
        e = np.exp(np.float32(rate) * at)
        return (np.float32(4) / (1 / e + e) ** 2).astype(np.float64)

    normal = found.gradient > 2.0**-100
    assert found.within(as_documented(rate))[normal].all()
    assert not found.within(as_documented(rate * (1 + 1e-5)))[normal & (at * rate > 2)].any()


def test_a_floor_beyond_whole_numbers_may_round_to_another_period_and_nearer_it_may_not() -> None:
    far, near = 2.0**53, 2.0**40 + 0.25
    at = (("width", 0.1), ("scale", 1.0))
    found = expected("float64", far, near, spec=get_spec("steep_periodic_exponential"), parameters=at)
    assert found.gradient.tolist() == [1.0, pytest.approx(math.exp(-5))]
    assert found.within(points(math.exp(-10), math.exp(-10))).tolist() == [True, False]
