"""How far from a breakpoint either side is accepted, and no farther."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from branched import ALPHA, BOXCAR, HALF_EDGED, LEAKY, ONE_SIDED, QUADRATIC, TRIANGLE, alpha
from handmade import DTYPES, rounded
from sympy import Heaviside, Piecewise, sqrt

from surrogate_core.spec import FORMATS, Spec, x
from surrogate_core.spec.expectation import Expectation
from surrogate_core.spec.oracle import expect

RATE = 0.49
"""The edge 1/(2*alpha) = 1.0204 lies just above a power of two: an ulp is 2*u, four roundings are 2 ulp."""


def expected(spec: Spec, dtype: str, points: Any, rate: float = RATE) -> Expectation:
    return expect(spec, (("alpha", rate),), FORMATS[dtype], np.asarray(points, np.float64))


def around(place: float, dtype: str, steps: int = 6) -> np.ndarray:
    """The numbers of a format next to ``place``, ascending; the middle one is the nearest."""
    fmt = FORMATS[dtype]
    middle = rounded(np.array([place]), fmt.dtype).view(fmt.bits_dtype).astype(np.int64)
    patterns = (middle + np.arange(-steps, steps + 1)).astype(fmt.bits_dtype)
    return patterns.view(fmt.dtype).astype(np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sign", [1, -1])
def test_both_sides_are_accepted_at_an_edge_and_two_ulp_around_it_alone(dtype: str, sign: int) -> None:
    edge = 1 / (2 * RATE)
    points = sign * around(edge, dtype)
    found = expected(BOXCAR, dtype, points)
    distance = np.abs(np.abs(points) - edge) / (2 * FORMATS[dtype].unit_roundoff)
    for value in (0.0, RATE):
        own = (np.abs(points) < edge) == (value > 0)
        np.testing.assert_array_equal(found.within(np.full(points.size, value)), own | (distance <= 2.04))
    assert found.near.sum() in (4, 5)
    np.testing.assert_array_equal(found.jumps, found.near)


@pytest.mark.parametrize(("dtype", "rate"), [("float16", 0.769287), ("float32", 0.775233)])
def test_a_window_as_it_is_compiled_stands_on_the_other_side_farther_than_one_rounding_away(
    dtype: str, rate: float
) -> None:
    """|x| / w <= 1, where XLA makes a product with 1/w of the division, each step correctly rounded."""
    fmt, edge = FORMATS[dtype], 1 / (2 * np.longdouble(rate))
    points, one = around(float(edge), dtype), np.ones(1, fmt.dtype)
    width = one / (2 * one * rounded(rate, fmt.dtype))
    inside = rounded(points, fmt.dtype) * (one / width) <= one
    assert expected(BOXCAR, dtype, points, rate).within(np.where(inside, rate, 0.0)).all()
    away = np.abs(points - edge)[inside != (points < edge)]
    assert (away > fmt.unit_roundoff * (points.max() + edge)).any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_lies_between_the_sides_is_accepted_where_the_formula_takes_it(dtype: str) -> None:
    points = around(1 / (2 * RATE), dtype)
    half = np.full(points.size, RATE / 2)
    assert not expected(BOXCAR, dtype, points).within(half).any()
    found = expected(HALF_EDGED, dtype, points)
    np.testing.assert_array_equal(found.within(half), found.near)


def test_a_breakpoint_without_parameters_is_two_roundings_of_the_input_wide() -> None:
    fixed = Spec("fixed", "Fixed", "nowhere", Heaviside(x - sqrt(2)), breakpoints=(sqrt(2),))
    points = around(2**0.5, "float32")
    near = expect(fixed, (), FORMATS["float32"], points).near
    # Two roundings of sqrt(2) are 2**0.5 ulp to either side.
    np.testing.assert_array_equal(near, np.abs(points - 2**0.5) <= 2.0**-23 * points)
    assert near.sum() in (2, 3)


def test_the_more_parameters_move_a_breakpoint_the_wider_it_is() -> None:
    places = {power: alpha**power for power in (1, 4)}
    specs = {p: Spec("p", "P", "nowhere", Heaviside(x - at), (ALPHA,), breakpoints=(at,)) for p, at in places.items()}
    for power, spec in specs.items():
        at = 1.0625**power  # an exact number of the format
        points = around(at, "float32", 16)
        near = expected(spec, "float32", points, 1.0625).near
        np.testing.assert_array_equal(near, np.abs(points - at) <= 2.0**-24 * (2 * points + 2 * power * at))


@pytest.mark.parametrize("dtype", DTYPES)
def test_at_the_threshold_only_zero_and_what_is_flushed_to_it_have_two_sides(dtype: str) -> None:
    fmt = FORMATS[dtype]
    tiny, small = fmt.smallest_subnormal, fmt.smallest_normal
    points = np.array([0.0, -0.0, tiny, -tiny, small, -small])
    found = expected(ONE_SIDED, dtype, points)
    for value in (0.0, 1.0):
        own = (points >= 0) == (value == 1)
        np.testing.assert_array_equal(found.within(np.full(6, value)), own | (np.abs(points) < small))
        strict = expected(ONE_SIDED.replace(flushing_tolerated=False), dtype, points)
        np.testing.assert_array_equal(strict.within(np.full(6, value)), own | (points == 0))
    assert not found.within(np.full(6, 0.5)).any()


def test_an_edge_among_subnormals_is_one_of_them_wide() -> None:
    fmt, rate = FORMATS["float16"], 2.0**15
    edge = 1 / (2 * rate)
    assert edge < fmt.smallest_normal
    points = around(edge, "float16")
    near = expected(BOXCAR, "float16", points, rate).near
    np.testing.assert_array_equal(near, np.abs(points - edge) <= fmt.smallest_subnormal + 2.0**-11 * 2 * edge)
    assert near.sum() == 3


@pytest.mark.parametrize("spec", [TRIANGLE, QUADRATIC], ids=lambda s: s.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_beyond_a_kink_the_branch_within_is_accepted_for_a_rounding(spec: Spec, dtype: str) -> None:
    edge, u = 1 / RATE, FORMATS[dtype].unit_roundoff
    points = around(edge, dtype)
    found = expected(spec, dtype, points)
    height = 1.0 if spec is TRIANGLE else RATE
    branch = height * (1 - RATE * points)
    # 1 - alpha*|x| with both operations rounded at the edge, where it vanishes.
    for error in (u, -u):
        np.testing.assert_array_equal(found.within(branch + height * error), found.near | (points < edge))
    assert not found.within(branch + height * 9 * u)[found.near].any()
    assert not found.jumps.any()


def test_one_sided_values_are_those_of_the_formula_with_more_digits_than_float64() -> None:
    odd = Spec(
        "odd", "Odd", "nowhere", Piecewise((sqrt(2) * x, x < sqrt(3)), (0, True)), breakpoints=(sqrt(3),)
    )  # both irrational
    points = around(3**0.5, "float64", 2)
    found = expect(odd, (), FORMATS["float64"], points)
    for side in found.sides:
        if side.gradient[0]:
            exact = np.array([np.longdouble(2) ** np.longdouble(0.5) * np.longdouble(p) for p in points[side.index]])
            off = (side.gradient - exact) + side.rest
            assert np.abs(off).max() < 2.0**-60


def test_a_leak_is_accepted_on_its_own_side_and_at_the_edge() -> None:
    edge = 1 / (2 * RATE)
    found = expected(LEAKY, "float32", [0.0, edge / 2, edge, 2 * edge])
    np.testing.assert_array_equal(found.within(np.full(4, np.float32(0.1).astype(float))), [False, False, True, True])
    np.testing.assert_array_equal(found.within(np.ones(4)), [True, True, True, False])


def test_at_the_edge_of_a_square_root_its_infinite_slope_does_not_excuse_everything() -> None:
    arc = Spec("arc", "Arc", "nowhere", Piecewise((sqrt(1 - x**2), x**2 < 1), (0, True)))
    found = expect(arc, (), FORMATS["float32"], np.array([1.0, 1 - 2.0**-24, 1 + 2.0**-23]))
    assert found.near.all()
    assert found.within(np.array([0.0, 2.0**-11.5, 0.0])).all()
    assert found.within(np.full(3, 2.0**-12)).all()  # sqrt(2^-24): the root of a rounding
    assert not found.within(np.full(3, 2.0**-8)).any()
