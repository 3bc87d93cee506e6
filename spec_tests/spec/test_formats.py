from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from surrogate_core.errors import BadInput
from surrogate_core.spec import FORMATS, get_format

BIT_PATTERNS = st.integers(0, 2**64 - 1)


def value_of(bits: int, name: str) -> Any:
    """The low ``bits`` as a positive finite value of the format (an exponent of all ones loses its last bit)."""
    fmt = FORMATS[name]
    width = 8 * fmt.dtype.itemsize
    infinity = int(np.array(np.inf, fmt.dtype).view(fmt.bits_dtype))
    low = bits % (1 << (width - 1))
    return np.array(low if low < infinity else low - infinity, fmt.bits_dtype).view(fmt.dtype)[()]


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
@given(bits=BIT_PATTERNS)
@example(bits=0)
@example(bits=1)
def test_ulp_is_numpys_spacing(name: str, bits: int) -> None:
    value = value_of(bits, name)
    assert FORMATS[name].ulp(np.array(value, np.float64)) == np.float64(np.spacing(value))


@given(bits=BIT_PATTERNS)
@example(bits=0)
@example(bits=1)
def test_ulp_of_bfloat16_is_the_distance_to_the_next_bit_pattern(bits: int) -> None:
    fmt, value = FORMATS["bfloat16"], value_of(bits, "bfloat16")
    following = (value.view(np.uint16) + np.uint16(1)).view(fmt.dtype)
    if np.isfinite(following):
        assert fmt.ulp(np.array(value, np.float64)) == float(following) - float(value)


@pytest.mark.parametrize("name", FORMATS)
def test_ulp_at_the_largest_number_reaches_down(name: str) -> None:
    fmt = FORMATS[name]
    below = np.array(fmt.largest, fmt.dtype).view(fmt.bits_dtype) - fmt.bits_dtype.type(1)
    assert fmt.ulp(np.array(fmt.largest)) == fmt.largest - float(np.asarray(below).view(fmt.dtype)[()])


@pytest.mark.parametrize("name", FORMATS)
def test_ulp_of_a_negative_value_is_that_of_its_mirror_image(name: str) -> None:
    values = np.array([0.0, 0.3, 1.0, 3.0])
    np.testing.assert_array_equal(FORMATS[name].ulp(-values), FORMATS[name].ulp(values))


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_constants_are_those_of_numpy(name: str) -> None:
    fmt, known = FORMATS[name], np.finfo(name)
    assert fmt.smallest_normal == float(known.smallest_normal)
    assert fmt.smallest_subnormal == float(known.smallest_subnormal)
    assert fmt.largest == float(known.max)
    assert fmt.unit_roundoff == float(known.eps) / 2


def test_constants_of_bfloat16_are_those_of_its_bits() -> None:
    fmt = FORMATS["bfloat16"]
    bits = {0x0001: fmt.smallest_subnormal, 0x0080: fmt.smallest_normal, 0x7F7F: fmt.largest}
    for pattern, value in bits.items():
        assert float(np.array(pattern, np.uint16).view(fmt.dtype)[()]) == value
    assert fmt.unit_roundoff == 2.0**-8


@pytest.mark.parametrize(
    ("name", "one", "minus_zero"),
    [
        ("float16", "0x3c00", "0x8000"),
        ("bfloat16", "0x3f80", "0x8000"),
        ("float32", "0x3f800000", "0x80000000"),
        ("float64", "0x3ff0000000000000", "0x8000000000000000"),
    ],
)
def test_hex_shows_every_bit(name: str, one: str, minus_zero: str) -> None:
    assert FORMATS[name].hex(1.0) == one
    assert FORMATS[name].hex(-0.0) == minus_zero


def test_an_unknown_format_names_its_near_misses() -> None:
    assert get_format("bfloat16") is FORMATS["bfloat16"]
    with pytest.raises(
        BadInput, match=r"dtype 'bfloat' *\n.*float16, bfloat16, float32, float64\n.*did you mean bfloat16"
    ):
        get_format("bfloat")
