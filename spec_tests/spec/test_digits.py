from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_core.spec.digits import as_decimal, in_format, near, plus_minus
from surrogate_core.spec.formats import FORMATS


def test_nine_digits_are_enough_but_for_float64() -> None:
    assert [in_format(np.float32(0.1), FORMATS[name]) for name in ("float16", "bfloat16", "float32")] == [
        "0.100000001"
    ] * 3
    assert in_format(float(np.float32(0.1)), FORMATS["float64"]) == "0.10000000149011612"
    assert in_format(0.7, FORMATS["float64"]) == "0.7"
    assert in_format(np.nextafter(0.7, 1), FORMATS["float64"]) == "0.7000000000000001"


@given(st.floats(width=32, allow_nan=False), st.floats(allow_nan=False))
def test_a_number_is_read_back_as_itself(single: float, double: float) -> None:
    assert np.float32(in_format(single, FORMATS["float32"])) == single
    assert float(in_format(double, FORMATS["float64"])) == double
    assert float(as_decimal(double)) == double


@given(st.floats(width=32, allow_nan=False))
def test_a_number_below_float64_has_nine_digits(single: float) -> None:
    assert in_format(single, FORMATS["float32"]) == f"{single:.9g}"


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e300))
def test_what_is_left_out_is_a_sixteenth_of_what_is_allowed_at_the_most(value: float, allowed: float) -> None:
    assert abs(float(near(value, allowed)) - value) <= allowed / 16
    assert plus_minus(value, allowed) == f"{near(value, allowed)} ± {allowed:.3g}"


@pytest.mark.parametrize(
    ("value", "allowed", "told"),
    [
        (0.36787944117144233, 3.27e-16, "0.36787944117144233 ± 3.27e-16"),
        (0.36787944117144233, 3.7e-8, "0.367879441 ± 3.7e-08"),
        (2.0, 1.86e-15, "2 ± 1.86e-15"),
        (float("nan"), float("nan"), "NaN"),
        (float("nan"), 0.1, "NaN"),
        (float("-inf"), float("nan"), "-inf"),
    ],
)
def test_what_is_allowed_is_said_plainly(value: float, allowed: float, told: str) -> None:
    assert plus_minus(value, allowed) == told


def test_what_is_exact_in_a_format_has_the_digits_of_that_format() -> None:
    single = float(np.float32(0.1))
    assert plus_minus(single, 0.0, FORMATS["float32"]) == "0.100000001 ± 0"
    assert plus_minus(single, 0.0, FORMATS["float64"]) == "0.10000000149011612 ± 0"
