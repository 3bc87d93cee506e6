from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from handmade import ALPHA, DTYPES, SLAYER, case, rounded
from sympy import cos

from surrogate_core.drivers.base import Observation, Request, Unsupported
from surrogate_core.properties.base import (
    agreement,
    breach,
    gravest,
    negligible,
    observed,
    shown,
    spikes_alone,
    whole_sweep,
    wide,
)
from surrogate_core.spec import get_spec, x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (9,), (3, 4, 5)])
def test_a_sample_has_its_shape_and_format(dtype: str, shape: tuple[int, ...]) -> None:
    sample = case(dtype).sample(shape)
    assert sample.shape == shape
    assert sample.dtype == case(dtype).format.dtype


def test_a_sample_holds_both_signs_and_both_zeros_within_the_gradients_reach() -> None:
    for alpha in (0.1, 10.0):
        where = case(alpha=alpha)
        x = where.sample((9,))
        assert x.min() < 0 < x.max()
        assert np.signbit(x[x == 0]).tolist() == [False, True]
        assert (np.exp(-alpha * np.abs(x)) > 1e-18).all()
        assert np.unique(x[x != 0]).size == 7


def test_a_case_travels_to_another_process() -> None:
    there = pickle.loads(pickle.dumps(case("float16")))
    assert there == case("float16")
    np.testing.assert_array_equal(there.sweep.x.view(np.uint16), np.arange(1 << 16))


def test_a_number_of_the_format_is_shown_with_its_bits_and_another_without() -> None:
    assert shown(case("float32"), np.float32(0.1)) == "0.100000001 (0x3dcccccd)"
    assert shown(case("float32"), np.float64(0.1)) == "0.1"
    assert shown(case("float32"), np.float32(-0.0)) == "-0 (0x80000000)"
    assert shown(case("bfloat16"), rounded(1.0, case("bfloat16").format.dtype)) == "1 (0x3f80)"


def test_a_number_of_float64_is_told_from_its_neighbours() -> None:
    beside = np.nextafter(0.7, 1)
    assert shown(case("float64"), beside) == "0.7000000000000001 (0x3fe6666666666667)"
    assert shown(case("float64"), 0.7 * (1 + 2**-50)) == "0.7000000000000006 (0x3fe666666666666c)"
    assert shown(case("float64"), np.float64(0.7)) == "0.7 (0x3fe6666666666666)"


def test_what_could_not_be_observed_is_raised() -> None:
    answer = Observation(np.zeros(1))
    assert observed(answer) is answer
    with pytest.raises(Unsupported, match="forward mode"):
        observed(Unsupported("forward mode"))


def test_wide_is_float64_and_silent() -> None:
    signalling = np.array([0x7F800001, 0x3F800000], np.uint32).view(np.float32)
    assert wide(signalling).dtype == np.float64
    np.testing.assert_array_equal(wide(signalling), [np.nan, 1.0])


def test_a_breach_shows_its_input_its_answer_and_how_bad_it_is() -> None:
    where = case("float32")
    one = int(np.flatnonzero(where.sweep.exact == -1)[0])
    failure = breach(where, whole_sweep(where), one, np.float32(0.25), "0.5", np.array([0.25, 0.1]), {"wrong": 2})
    assert failure.given == "x = -1 (0xbf800000)"
    assert failure.measured == "0.25 (0x3e800000)"
    assert failure.allowed == "0.5"
    assert failure.severity == 0.25
    assert failure.figures == {"wrong": 2}
    assert failure.witness is not None
    assert failure.witness.index == one


def test_severity_is_a_share_of_the_peak_and_a_nan_is_the_worst() -> None:
    high = case(spec=SLAYER.replace(gradient=4 * SLAYER.gradient, claims=()))
    assert breach(high, whole_sweep(high), 0, 0.0, "", np.array([1.0])).severity == 0.25
    assert breach(high, whole_sweep(high), 0, 0.0, "", np.array([1.0, np.nan])).severity == math.inf
    assert breach(high, whole_sweep(high), 0, 0.0, "").severity is None


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_error_that_the_peak_may_have_is_a_weakness_and_a_larger_one_a_defect(dtype: str) -> None:
    where = case(dtype)
    # At the threshold the bound is 4u; half an ulp of the peak, lost in the tail, is 1u.
    u = where.format.unit_roundoff
    assert negligible(where.sweep.expected) == 4 * u
    for error, kind in ((u, "weakness"), (4 * u, "weakness"), (4.01 * u, "defect"), (math.nan, "defect")):
        failure = breach(where, whole_sweep(where), 5, 0.0, "", np.array([error]))
        assert failure.kind == kind
    assert breach(where, whole_sweep(where), 5, 0.0, "").kind == "defect"


def test_the_gravest_are_those_that_are_a_defect_by_themselves_or_all_where_none_is() -> None:
    where = case()
    request, least = whole_sweep(where), negligible(where.sweep.expected)
    wrong = np.array([True, True, True, False, True])
    error = np.array([least, 2 * least, np.nan, 1.0, 0.0])
    assert gravest(where, request, wrong, error).tolist() == [False, True, True, False, False]
    assert gravest(where, request, wrong, np.minimum(np.nan_to_num(error), least)).tolist() == wrong.tolist()
    # A large cotangent makes large errors, and no grave ones.
    louder = Request("vjp", where.sweep.x[:5], np.array([1, 4, 1, 1, 1], np.float32))
    assert gravest(where, louder, wrong, error).tolist() == [False, False, True, False, False]
    for kept in (gravest(where, request, wrong, error), wrong):
        at = int(np.flatnonzero(kept)[0])
        alone = breach(where, request, at, 0.0, "", error[at : at + 1])
        assert alone.kind == ("defect" if kept is not wrong else "weakness")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_sigmoid_that_cancels_is_a_weakness_in_every_format_and_one_of_another_rate_a_defect(dtype: str) -> None:
    where = case(dtype, 4.0, spec=get_spec("sigmoid"))
    x = where.sweep.x

    def product(rate: float) -> np.ndarray:
        with np.errstate(over="ignore"):
            s = rounded(1 / (1 + wide(rounded(np.exp(-rate * wide(x)), x.dtype))), x.dtype)
        return rate * wide(rounded(wide(rounded(1 - wide(s), x.dtype)) * wide(s), x.dtype))

    for rate, kind in ((4.0, "weakness"), (4.2, "defect")):
        found, finite = product(rate), np.isfinite(wide(x))
        assert not where.sweep.expected.within(found)[finite].all()
        error = np.abs(where.sweep.expected.error(found))[finite]
        assert breach(where, whole_sweep(where), 5, 0.0, "", error).kind == kind


def test_a_wrong_spike_is_a_defect_and_what_becomes_of_a_nan_a_difference() -> None:
    where = case("float32")
    assert breach(where, spikes_alone(where), 0, 0.0, "exactly 1", np.array([1.0])).kind == "defect"
    # A spike is a spike, however high the gradient is.
    high = case(spec=SLAYER.replace(gradient=2**24 * SLAYER.gradient, claims=()))
    failure = breach(high, whole_sweep(high), 0, 0.0, "exactly 1", np.array([1.0]), spikes=True)
    assert (failure.severity, failure.kind) == (1.0, "defect")
    nan = int(np.flatnonzero(np.isnan(where.sweep.exact))[0])
    for request in (spikes_alone(where), whole_sweep(where)):
        assert breach(where, request, nan, 1.0, "exactly 0", np.array([1.0])).kind == "difference"


def test_two_answers_may_differ_by_twice_the_bound_and_by_the_flush_where_it_is_tiny() -> None:
    where = case("float32")
    x = np.array([[1.0, 200.0], [0.0, 3.0]])
    tolerance, gradient = agreement(where, x)
    assert tolerance.shape == gradient.shape == x.shape
    u, g = 2.0**-24, math.exp(-ALPHA)
    assert gradient[0, 0] == pytest.approx(g)
    assert tolerance[0, 0] == pytest.approx(2 * u * g * (4 + 4 * ALPHA))
    assert tolerance[1, 0] == 8 * u
    assert tolerance[0, 1] == pytest.approx(where.sweep.expected.floor)


def test_an_error_of_half_the_peak_is_a_defect_where_the_bound_grows_to_the_peak_too() -> None:
    where = case("float32", spec=SLAYER.replace(gradient=cos(x), claims=()))
    assert breach(where, whole_sweep(where), 5, 0.0, "", np.array([0.5])).kind == "defect"
