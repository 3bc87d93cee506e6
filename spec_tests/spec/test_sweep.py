from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import sympy
from branched import ASYMMETRIC, BOXCAR, LEAKY, ONE_SIDED, TRIANGLE
from handmade import ALPHA, DTYPES, SLAYER, rounded
from hypothesis import given
from hypothesis import strategies as st

from surrogate_core.spec import FORMATS, Spec
from surrogate_core.spec.sweep import (
    SIZES,
    Sweep,
    _stratified,  # pyright: ignore[reportPrivateUsage]  (what is expected of very many breakpoints costs seconds)
    simplest,
    sweep,
)

WIDE = ("float32", "float64")


def of(dtype: str, alpha: float = ALPHA, profile: str = "quick", seed: int = 0) -> Sweep:
    return sweep(SLAYER, (("alpha", alpha),), FORMATS[dtype], profile, seed)


def bits(found: Sweep, dtype: str) -> np.ndarray:
    return found.x.view(FORMATS[dtype].bits_dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_16_bit_sweep_is_exhaustive(dtype: str) -> None:
    found = of(dtype)
    assert found.exhaustive
    np.testing.assert_array_equal(bits(found, dtype), np.arange(1 << 16))


@pytest.mark.parametrize("dtype", WIDE)
def test_a_wider_sweep_has_the_size_of_its_profile_and_no_point_twice(dtype: str) -> None:
    found = of(dtype)
    assert not found.exhaustive
    assert found.x.size == SIZES["quick"][dtype == "float64"]
    assert np.unique(bits(found, dtype)).size == found.x.size


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", [0.1, ALPHA, 10.0])
def test_halves_mirror_each_other_and_ascend_to_nan(dtype: str, alpha: float) -> None:
    found = of(dtype, alpha)
    assert found.half * 2 == found.x.size
    right, left = bits(found, dtype)[: found.half], bits(found, dtype)[found.half :]
    sign_bit = 1 << (8 * FORMATS[dtype].dtype.itemsize - 1)
    np.testing.assert_array_equal(left, right | right.dtype.type(sign_bit))
    assert (np.diff(right.astype(object)) > 0).all()
    values = found.exact[: found.half]
    nans = int(np.isnan(values).sum())
    assert nans >= 1
    assert (np.diff(values[:-nans]) > 0).all()
    assert np.isnan(values[-nans:]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", [0.01, ALPHA, 1000.0])
def test_a_sweep_holds_the_special_values(dtype: str, alpha: float) -> None:
    fmt, found = FORMATS[dtype], of(dtype, alpha)
    special = [0.0, fmt.smallest_subnormal, fmt.smallest_normal, fmt.largest, np.inf, 1.0, 0.1, 3.0, 10.0, 100.0, 0.001]
    values = rounded(special, fmt.dtype).astype(np.float64)
    assert np.isin(values, found.exact).all()
    assert np.isin(-values, found.exact).all()
    infinity, quiet = int(rounded(np.inf, fmt.dtype).view(fmt.bits_dtype)), 1 << (fmt.precision - 2)
    assert {infinity + 1, infinity + quiet} <= set(bits(found, dtype).tolist())  # a signalling NaN and a quiet one
    assert {0, 1 << (8 * fmt.dtype.itemsize - 1)} <= set(bits(found, dtype).tolist())


@pytest.mark.parametrize("dtype", WIDE)
def test_a_sweep_holds_infinity_and_nan_however_many_breakpoints_there_are(dtype: str) -> None:
    many = SLAYER.replace(breakpoints=tuple(sympy.Rational(k, 7) for k in range(1, 61)))
    sweep_of_many = _stratified(many, (("alpha", ALPHA),), FORMATS[dtype], 1024, 0)
    values = sweep_of_many.view(FORMATS[dtype].dtype)
    assert np.isinf(values).any()
    assert np.isnan(values).any()
    near = rounded([k / 7 for k in range(1, 61)], FORMATS[dtype].dtype)
    assert np.isin(near, values).all()


@pytest.mark.parametrize("dtype", WIDE)
def test_a_wider_sweep_reaches_the_end_of_the_gradient_with_its_neighbours(dtype: str) -> None:
    fmt, found = FORMATS[dtype], of(dtype)
    end = -np.log(fmt.smallest_normal) / ALPHA
    near = found.exact[(found.exact > end * 0.98) & (found.exact < end * 1.02)]
    assert near.size >= 16


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize(
    ("spec", "places"),
    [
        (BOXCAR, [0.5 / ALPHA]),
        (TRIANGLE, [1 / ALPHA]),  # found, not declared
        (ASYMMETRIC, [ALPHA, 2 * ALPHA]),
        (SLAYER.replace(breakpoints=(1.25, -3)), [1.25, 3.0]),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_a_wider_sweep_holds_sixteen_neighbours_of_every_breakpoint_on_both_sides(
    dtype: str, spec: Spec, places: list[float]
) -> None:
    fmt = FORMATS[dtype]
    found = sweep(spec, (("alpha", ALPHA),), fmt, "quick", 0)
    for place in places:
        middle = int(rounded(place, fmt.dtype).view(fmt.bits_dtype))
        near = (np.arange(middle - 16, middle + 17)).astype(fmt.bits_dtype).view(fmt.dtype)
        assert np.isin(near, found.x).all()
        assert np.isin(-near, found.x).all()


@pytest.mark.parametrize("rate", [1e-300, 1e-40, 1e40, 1e300])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_breakpoint_beyond_the_format_leaves_a_sweep_what_it_is(dtype: str, rate: float) -> None:
    found = sweep(BOXCAR, (("alpha", rate),), FORMATS[dtype], "quick", 0)
    assert np.unique(bits(found, dtype)).size == found.x.size
    assert (np.diff(bits(found, dtype)[: found.half].astype(object)) > 0).all()
    assert np.isnan(found.exact[found.half - 1])


def test_where_the_gradient_ends_is_looked_for_on_both_sides() -> None:
    left = ONE_SIDED.replace(gradient=ONE_SIDED.gradient.subs(SLAYER.symbols[0], -SLAYER.symbols[0]), claims=())
    found = sweep(left, (("alpha", ALPHA),), FORMATS["float32"], "quick", 0)
    end = -np.log(FORMATS["float32"].smallest_normal) / ALPHA
    assert np.count_nonzero((-found.exact > end * 0.98) & (-found.exact < end * 1.02)) >= 16


def test_the_float32_sweep_holds_every_exponent() -> None:
    found = of("float32", profile="standard")
    assert np.unique((bits(found, "float32") >> 23) & 0xFF).size == 256


@pytest.mark.parametrize("dtype", WIDE)
def test_the_same_seed_gives_the_same_points_and_another_gives_others(dtype: str) -> None:
    fmt, arguments = FORMATS[dtype], (SLAYER, (("alpha", ALPHA),))
    again = sweep.__wrapped__(*arguments, fmt, "quick", 0)
    other = sweep.__wrapped__(*arguments, fmt, "quick", 1)
    assert again.x.tobytes() == of(dtype).x.tobytes()
    assert other.x.tobytes() != of(dtype).x.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_ladder_climbs_where_the_gradient_is_normal(dtype: str, sign: int) -> None:
    found, fmt = of(dtype), FORMATS[dtype]
    rungs = found.ladder(fmt, sign)
    distance = np.abs(found.exact[rungs])
    assert (np.sign(found.exact[rungs]) == sign).all()
    assert (np.diff(distance) > 0).all()
    # What the bound leaves of the gradient is normal: in bfloat16 the bound overtakes it first.
    expected = found.expected
    normal = np.isfinite(found.exact) & (expected.gradient - expected.bound > fmt.smallest_normal)
    assert normal[rungs].all()
    reach = np.abs(found.exact[normal & (np.sign(found.exact) == sign)]).max()
    assert distance[-1] > 0.95 * reach
    assert np.diff(distance).max() < reach / 32


def test_a_ladder_without_a_normal_gradient_is_empty() -> None:
    found = of("float16", alpha=1e9)
    assert found.ladder(FORMATS["float16"], 1).size == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_ladder_under_a_gradient_that_never_falls_reaches_the_largest_number(dtype: str) -> None:
    fmt = FORMATS[dtype]
    found = sweep(LEAKY, (("alpha", ALPHA),), fmt, "quick", 0)
    assert found.exact[found.ladder(fmt, 1)].max() > fmt.largest / 8


def chosen(values: list[float], dtype: np.dtype | type = np.float32) -> float:
    x = np.array(values, dtype)
    return float(x[simplest(x, np.ones(x.size, bool))])


@pytest.mark.parametrize(
    ("failing", "first"),
    [
        ([3.0, 1.0, 0.0, -1.0], 0.0),
        ([0.123, -1.0, 2.0, 1.0], 1.0),
        ([5.0, 0.123456, 0.5, -0.7], 5.0),
        ([0.30000001, 0.3, 0.7], 0.3),
        ([1e-30, 1234567.0, 0.25], 0.25),
        ([np.nan, np.inf, 3.14159], 3.14159),
        ([np.nan, -np.inf, np.inf], np.inf),
        ([-2.0, 2.0], 2.0),
    ],
)
def test_simplest_is_zero_then_one_then_a_short_decimal(failing: list[float], first: float) -> None:
    assert chosen(failing) == float(np.float32(first))


def test_simplest_prefers_plus_zero_to_minus_zero() -> None:
    x = np.array([-0.0, 0.0], np.float32)
    assert simplest(x, np.array([True, True])) == 1
    assert simplest(x, np.array([True, False])) == 0


def test_simplest_looks_at_the_failing_inputs_only() -> None:
    assert simplest(np.array([0.0, 1.0, 2.5]), np.array([False, False, True])) == 2
    with pytest.raises(ValueError, match="nothing fails"):
        simplest(np.array([0.0, 1.0]), np.array([False, False]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_simplest_of_a_whole_sweep_is_zero_then_one(dtype: str) -> None:
    found = of(dtype)
    everywhere = np.ones(found.x.size, bool)
    assert simplest(found.x, everywhere) == 0
    assert found.x[simplest(found.x, found.exact != 0)] == 1


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_simplest_of_thousands_is_a_short_decimal(dtype: str) -> None:
    found = of(dtype, profile="standard")
    failing = ((found.exact > 0.27) & (found.exact < 0.43)) | (found.exact > 300)
    assert failing.sum() > 2048
    assert found.x[simplest(found.x, failing)] == found.x.dtype.type(0.3)


def plainly(value: float, dtype: str) -> str:
    """The shortest decimal that is this number of the format."""
    texts = (f"{abs(value):.{digits}g}" for digits in range(1, 18))
    kind = FORMATS[dtype].dtype.type
    return next(text for text in texts if kind(float(text)) == kind(abs(value)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_simplest_is_the_shortest_to_write_and_of_several_the_nearest_to_zero(dtype: str) -> None:
    random, fmt = np.random.default_rng(0), FORMATS[dtype]
    for _ in range(20):
        decimals = random.integers(1, 1000, 60) * 10.0 ** random.integers(-8, 5, 60)
        with np.errstate(over="ignore"):
            x = (decimals * random.choice([-1, 1], 60)).astype(fmt.dtype)
        x = x[np.isfinite(x.astype(np.float64)) & (x != 0)]
        texts = [plainly(float(value), dtype) for value in x]
        least = min(range(x.size), key=lambda i: (len(texts[i]), abs(float(x[i])), x[i] < 0, i))
        assert simplest(x, np.ones(x.size, bool)) == least


@pytest.mark.parametrize("dtype", DTYPES)
def test_simplest_of_the_largest_numbers_does_not_overflow(dtype: str) -> None:
    found = of(dtype)
    assert abs(found.exact[simplest(found.x, np.abs(found.exact) == FORMATS[dtype].largest)]) == FORMATS[dtype].largest


@given(st.lists(st.floats(width=16), min_size=1, max_size=8))
def test_simplest_does_not_depend_on_the_order(values: list[float]) -> None:
    def key(given: list[float], dtype: type) -> str:
        return np.array(chosen(given, dtype), np.float64).tobytes().hex()[-4:]

    for dtype in (np.float16, ml_dtypes.bfloat16):
        assert key(values, dtype) == key(values[::-1], dtype)
