from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from sympy import Abs, Integer, Interval, Max, Symbol, cosh, erfc, exp, oo, pi, sech, sqrt, tanh

from surrogate_core.spec import FORMATS, Parameter, Spec, get_spec, x
from surrogate_core.spec.flushing import flush_floor
from surrogate_core.spec.oracle import expect

alpha = Symbol("alpha", positive=True)
E = exp(-alpha * Abs(x))
RATE = 25.0
AT = (("alpha", RATE),)


def spec(gradient: Any) -> Spec:
    return Spec("t", "t", "t", gradient, (Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(1, 10)),))


def factor(gradient: Any, fmt: str = "float32", peak: float = 0.0) -> float:
    """The threshold in units of the smallest normal number."""
    return flush_floor(spec(gradient), AT, FORMATS[fmt], peak) / FORMATS[fmt].smallest_normal


@pytest.mark.parametrize(
    "form",
    [
        alpha * E / (1 + E) ** 2,
        alpha * exp(-alpha * x) / (1 + exp(-alpha * x)) ** 2,
        alpha / 4 * sech(alpha * x / 2) ** 2,
        alpha / (4 * cosh(alpha * x / 2) ** 2),
        alpha / 4 * (1 - tanh(alpha * x / 2) ** 2),
    ],
    ids=str,
)
@pytest.mark.parametrize("fmt", FORMATS)
def test_however_a_sigmoid_is_written_its_exponential_is_flushed_in_units_of_alpha(form: Any, fmt: str) -> None:
    # (1 + e)^2 takes part where e is as large as float16's smallest normal number.
    assert factor(form, fmt) == pytest.approx(RATE, rel=3 * FORMATS[fmt].smallest_normal + 1e-6)


@pytest.mark.parametrize(
    ("form", "peak"),
    [
        (E, 1.0),
        (exp(-((alpha * x) ** 2) / 2) / sqrt(2 * pi), 0.4),
        (exp(-(x**2)) + exp(-((x - 1) ** 2)), 1.44),
        (alpha / 2 / (1 + (pi * alpha * x / 2) ** 2), RATE / 2),
        (1 / (1 + alpha * Abs(x)) ** 2, 1.0),
        (Max(0, 1 - alpha * Abs(x)), 1.0),
        (Integer(1), 1.0),
    ],
    ids=str,
)
def test_where_the_exponential_has_the_height_of_the_peak_only_the_peak_is_granted(form: Any, peak: float) -> None:
    assert factor(form, peak=peak) == pytest.approx(max(1.0, peak), rel=1e-6)


def test_the_exponential_may_meet_the_small_factors_first() -> None:
    bump = exp(-((alpha * x) ** 2) / 2)
    assert factor(alpha / sqrt(2 * pi) * bump, peak=RATE / np.sqrt(2 * np.pi)) == pytest.approx(RATE)
    assert factor(bump / alpha / 3) == 1.0


def test_a_factor_of_the_tail_counts_where_the_exponential_underflows() -> None:
    # x^2 = 252 log 2 there, of which half is in the exponent.
    assert factor(x**2 * exp(-(x**2) / 2)) == pytest.approx(252 * np.log(2), rel=1e-3)
    assert factor(erfc(Abs(x))) == pytest.approx(1.0)


# In bfloat16 two roundings of x and sigma explain a zero there.
@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize(("sigma", "height"), [(0.5, 0.5), (0.5, 2.0), (0.1, 2.0), (2.0, 0.1)])
def test_a_product_is_flushed_in_any_order_and_one_cut_earlier_is_wrong(
    sigma: float, height: float, dtype: str
) -> None:
    fmt, at = FORMATS[dtype], np.linspace(0, 40 * sigma, 20_001)
    found = expect(get_spec("gaussian"), (("sigma", sigma), ("alpha", height)), fmt, at)
    e = np.exp(-(at**2) / (2 * sigma**2))
    factors = (e, np.full_like(at, height), np.full_like(at, 1 / sigma), np.full_like(at, 1 / np.sqrt(2 * np.pi)))

    def multiplied(order: tuple[int, ...], limit: float) -> np.ndarray:
        product = np.ones_like(at)
        for i in order:
            product = product * factors[i]
            product[product < limit] = 0.0
        return product

    for order in itertools.permutations(range(4)):
        assert found.within(multiplied(order, fmt.smallest_normal)).all()
    largest = max(1.0, height) * max(1.0, 1 / sigma)
    wrong = ~found.within(multiplied((0, 1, 2, 3), fmt.smallest_normal * 4 * largest))
    assert wrong.any()


def test_one_of_several_tails_may_be_flushed_and_ten_times_as_much_may_not_be_lost() -> None:
    fmt, at = FORMATS["float32"], np.linspace(30, 45, 20_001)
    values = {"h": 0.15, "s": 6.0, "sigma": 0.5, "scale": 0.5}
    found = expect(get_spec("multi_gaussian"), tuple(values.items()), fmt, at)

    def summed(limit: float) -> np.ndarray:
        tails = [np.exp(-((at - mean) ** 2) / (2 * 3.0**2)) / (3 * np.sqrt(2 * np.pi)) for mean in (0.5, -0.5)]
        return -0.5 * 0.15 * np.sum([np.where(tail < limit, 0.0, tail) for tail in tails], axis=0)

    assert found.within(summed(fmt.smallest_normal)).all()
    assert not found.within(summed(100 * fmt.smallest_normal)).all()


def test_what_overflows_on_the_way_is_not_granted() -> None:
    # 1/(1 + exp(alpha*|x|))^2 underflows where the product with exp(alpha*|x|) is far from it.
    assert factor(exp(alpha * Abs(x)) / (1 + exp(alpha * Abs(x))) ** 2) == pytest.approx(1.0)


def test_slayer_may_be_flushed_below_the_smallest_normal_number_alone() -> None:
    for fmt in FORMATS.values():
        for rate in (1e-3, 1.0, 40.0):
            expected = expect(get_spec("slayer"), (("alpha", rate),), fmt, np.array([0.0, 1.0]))
            assert expected.floor == fmt.smallest_normal


def test_a_tail_of_waves_that_are_narrower_than_its_points_lie_apart_has_a_threshold() -> None:
    # Where the exponent was found large, its exact value is 0.
    narrow = (("width", 0.0009407306883768698), ("scale", 1.0))
    floor = flush_floor(get_spec("steep_periodic_exponential"), narrow, FORMATS["float32"], 1.0)
    assert floor >= FORMATS["float32"].smallest_normal
