from __future__ import annotations

import numpy as np
import pytest
from handmade import DTYPES, case, rounded, slayer

from surrogate_core.drivers.base import Observation, Request
from surrogate_core.properties.compare import cotangents, distance, slack, unlike
from surrogate_core.properties.outcome import Failed

X = np.array([[-2.0, 0.0, 1.0]], np.float32)
REQUEST = Request("vjp", X, direction=np.full_like(X, -4))
PLAIN = Observation(np.array([[0, 1, 1]], np.float32), np.array([[0.25, 1, 0.5]], np.float32))
NONE = np.zeros(X.shape)


def told(got: Observation, request: Request = REQUEST, allowed: np.ndarray = NONE) -> Failed:
    outcome = unlike(case(), "so", request, got, PLAIN, allowed)
    assert outcome is not None
    return outcome


def test_equal_answers_are_alike() -> None:
    assert unlike(case(), "again", REQUEST, PLAIN, PLAIN, NONE) is None
    empty = Observation(PLAIN.value[:0], PLAIN.gradient[:0])
    assert unlike(case(), "nothing", REQUEST.at(slice(0, 0)), empty, empty, NONE[:0]) is None
    alone = Observation(PLAIN.value)
    assert unlike(case(), "the spikes", Request("value", X), PLAIN, alone, NONE) is None


def test_distances_of_infinities_and_nans_are_nothing_or_infinite() -> None:
    inf, nan = np.inf, np.nan
    left, right = np.array([1.0, inf, nan, inf, nan, -inf]), np.array([3.0, inf, nan, -inf, 0.0, 1.0])
    assert distance(left, right).tolist() == [2.0, 0.0, 0.0, inf, inf, inf]


def test_other_shapes_and_dtypes_are_named_before_the_numbers() -> None:
    flat = Observation(PLAIN.value, -PLAIN.gradient[0])
    outcome = told(flat)
    assert (outcome.measured, outcome.allowed) == ("gradient of shape (3,)", "gradient of shape (1, 3)")
    wide = Observation(PLAIN.value.astype(np.float64), -PLAIN.gradient)
    assert (told(wide).measured, told(wide).allowed) == ("spikes of float64", "spikes of float32")


def test_spikes_are_compared_exactly_and_gradients_within_what_is_allowed() -> None:
    spikes = Observation(PLAIN.value * np.float32(1 - 2**-24), PLAIN.gradient)
    assert told(spikes, allowed=NONE + 1).measured == "spikes[0, 1] = 0.99999994"
    near = Observation(PLAIN.value, PLAIN.gradient + np.float32(0.125))
    assert unlike(case(), "so", REQUEST, near, PLAIN, NONE + 0.125) is None
    outcome = told(near, allowed=NONE + np.array([0.2, 0.2, 0.1]))
    assert (outcome.measured, outcome.allowed) == ("gradient[0, 2] = 0.625", "the plain call's 0.5 ± 0.1")


def test_where_nan_is_what_the_plain_call_gives_nan_is_what_is_allowed() -> None:
    plain = Observation(PLAIN.value, PLAIN.gradient * np.float32(np.nan))
    outcome = unlike(case(), "so", REQUEST, PLAIN, plain, NONE + 0.1)
    assert outcome is not None
    assert outcome.allowed == "the plain call's NaN"


def test_the_severity_is_a_share_of_the_peak_whatever_the_cotangent() -> None:
    shifted = Observation(PLAIN.value, PLAIN.gradient + np.float32(0.5))
    assert told(shifted).severity == 0.5 / 4
    missing = Observation(PLAIN.value, PLAIN.gradient * np.float32(np.nan))
    assert told(missing).severity == np.inf


def test_a_large_input_has_no_script() -> None:
    small, large = np.ones(256, np.float32), np.ones(257, np.float32)
    for x, written in ((small, True), (large, False)):
        got, plain = Observation(x, x), Observation(x, -x)
        outcome = unlike(case(), "so", Request("vjp", x), got, plain, np.zeros(x.shape))
        assert outcome is not None
        assert (outcome.witness is not None) == written


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_slack_covers_two_bounds_and_two_products(dtype: str) -> None:
    where = case(dtype)
    u = where.format.unit_roundoff
    x = where.sample((64,))
    c = cotangents(where, x.shape)
    exact, weight = slayer()(x.astype(np.float64)), c.astype(np.float64)
    lowest, highest = (
        rounded(weight * rounded(exact * (1 + k * u), x.dtype).astype(np.float64), x.dtype) for k in (-3, 3)
    )
    allowed = slack(where, x, c, lowest)
    assert (np.abs(highest.astype(np.float64) - lowest.astype(np.float64)) <= allowed).all()
    wrong = rounded(weight * exact * (1 + 60 * u), x.dtype)
    assert (np.abs(wrong.astype(np.float64) - lowest.astype(np.float64)) > allowed).any()


def test_a_cotangent_of_zero_leaves_no_slack() -> None:
    x = case().sample((4,))
    zero = np.zeros_like(x)
    assert slack(case(), x, zero, zero).tolist() == [0, 0, 0, 0]


def test_neighbouring_cotangents_differ_and_have_both_signs() -> None:
    c = cotangents(case(), (3, 4, 5)).reshape(-1)
    assert (c[1:] != c[:-1]).all()
    assert c.min() < 0 < c.max()
