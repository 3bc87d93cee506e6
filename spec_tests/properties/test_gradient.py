from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from handmade import ALPHA, DTYPES, SLAYER, ask, case, failed, finite, judge, passed, rounded, slayer, step

from surrogate_core.drivers.base import Observation, Unsupported
from surrogate_core.properties import Property
from surrogate_core.properties.gradient import CURVE, NONFINITE, ORACLE, PEAK, RANGE, SYMMETRY, last_of_largest
from surrogate_core.spec import Peak, get_spec

G = slayer()
Derivative = Callable[[np.ndarray], Any]


def in_format(dtype: str) -> Derivative:
    """exp(-alpha*|x|) computed in the format itself, a rounding at every step."""
    kind = case(dtype).format.dtype
    work = np.dtype(np.float32) if kind.itemsize == 2 else kind

    def derivative(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.exp(-(work.type(ALPHA) * np.abs(x.astype(kind).astype(work)))).astype(np.float64)

    return derivative


# ---- gradient.oracle -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_oracle_grades_a_correctly_rounded_gradient_as_such(dtype: str) -> None:
    where = case(dtype)
    value = np.zeros_like(where.sweep.x)
    best = Observation(value, rounded(where.sweep.expected.gradient, where.format.dtype))
    figures = passed(judge(ORACLE, where, instead={"sweep": best})).figures
    assert figures["correctly_rounded"] == figures["faithful"] == 1.0
    assert figures["max_ulp"] <= 0.5
    assert figures["max_bound"] <= 0.25
    assert figures["out_of_bound"] == 0
    assert sum(figures["ulp_counts"]) == figures["ulp_counts"][0] + figures["ulp_counts"][1] == figures["normal"]
    assert figures["inputs"] == np.isfinite(where.sweep.exact).sum()
    assert figures["exhaustive"] == (dtype in DTYPES[:2])


@pytest.mark.parametrize("property_", [ORACLE, RANGE], ids=lambda p: p.id)
def test_of_a_defect_no_input_is_told_that_is_off_by_nothing_to_speak_of(property_: Property) -> None:
    def negative_in_the_tail(x: np.ndarray) -> np.ndarray:
        return np.where(np.abs(x) > 30, -1e-12, G(x))

    weakness = failed(judge(property_, case(), derivative=negative_in_the_tail))
    assert (weakness.kind, float(weakness.measured.split()[0])) == ("weakness", pytest.approx(-1e-12))
    # The simplest input that is wrong is still one of those between 30 and 60.
    far = failed(
        judge(property_, case(), derivative=lambda x: np.where(np.abs(x) > 60, np.nan, negative_in_the_tail(x)))
    )
    assert (far.kind, far.measured.split()[0]) == ("defect", "nan")


def test_the_last_of_the_largest_is_what_sorting_finds() -> None:
    random = np.random.default_rng(0)
    for size in (1, 2, 1000):
        values, groups = random.integers(0, 4, size) / 2.0, np.sort(random.integers(0, 40, size))
        order = np.lexsort((values, groups))
        np.testing.assert_array_equal(
            last_of_largest(values, groups), order[np.append(np.diff(groups[order]) != 0, True)]
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_oracle_accepts_the_formula_computed_in_the_format(dtype: str) -> None:
    figures = passed(judge(ORACLE, case(dtype), derivative=in_format(dtype))).figures
    assert figures["max_bound"] < 0.9
    if dtype == "float32":
        assert figures["max_ulp"] > 10  # alpha*|x| rounds first: no fixed tolerance would do


@pytest.mark.parametrize("dtype", DTYPES)
def test_oracle_draws_the_curve_around_the_threshold(dtype: str) -> None:
    curve = passed(judge(ORACLE, case(dtype))).figures["curve"]
    assert len(curve["x"]) == len(curve["measured"]) == len(curve["expected"]) <= 2 * (CURVE + 1)
    assert curve["x"] == sorted(curve["x"])
    assert curve["measured"] == pytest.approx(curve["expected"], rel=0.01)


@pytest.mark.parametrize(
    ("dtype", "wrong"),
    [
        ("float16", lambda x: 1.01 * G(x)),
        ("float16", lambda x: 0.99 * G(x)),
        ("float32", lambda x: np.exp(-ALPHA * (1 + 1e-5) * np.abs(x))),
        ("float32", lambda x: np.exp2(-ALPHA * 1.4427 * np.abs(x))),
        ("float64", in_format("float32")),
        ("bfloat16", lambda x: 1.05 * G(x)),
        ("float32", lambda x: np.where(ALPHA * np.abs(x) > 20, 0, G(x))),
        ("float32", lambda x: np.maximum(G(x), 1e-4)),
        ("float32", lambda x: np.exp(-1.25 * np.abs(x))),
        ("float32", lambda x: np.zeros_like(x)),
        ("float32", lambda x: -G(x)),
        ("float32", lambda x: np.where(x == 3, np.nan, G(x))),
        ("float32", lambda x: np.where(x == 3, np.inf, G(x))),
    ],
)
def test_oracle_rejects_another_formula(dtype: str, wrong: Derivative) -> None:
    outcome = failed(judge(ORACLE, case(dtype), derivative=wrong))
    assert outcome.figures["wrong"] >= 1
    assert outcome.witness is not None


def test_oracle_shows_the_simplest_input_the_answer_and_the_bound() -> None:
    outcome = failed(judge(ORACLE, case(), derivative=lambda x: 2 * G(x)))
    assert outcome.given == "x = 0 (0x00000000)"
    assert outcome.measured == "2 (0x40000000)"
    assert outcome.allowed == "1 ± 2.38e-07"
    assert outcome.severity == pytest.approx(1.0, rel=1e-6)
    one = failed(judge(ORACLE, case(), derivative=lambda x: np.where(x == 0, 1, 2 * G(x))))
    assert one.given == "x = 1 (0x3f800000)"
    assert one.allowed == "0.496585304 ± 2.01e-07"


@pytest.mark.parametrize("dtype", DTYPES)
def test_oracles_failure_reads_as_one_in_every_format(dtype: str) -> None:
    unit = case(dtype).format.unit_roundoff
    outcome = failed(judge(ORACLE, case(dtype), derivative=lambda x: G(x) * (1 + 16 * unit)))
    promised, slack = (float(number) for number in outcome.allowed.split(" ± "))
    assert abs(float(outcome.measured.split()[0]) - promised) > slack


def test_oracle_tells_a_weakness_from_a_defect_by_its_severity() -> None:
    def tail(x: np.ndarray) -> np.ndarray:
        # As (1 - s)*s does in a sigmoid surrogate: no relative accuracy left in the tail.
        return np.round(G(x) * 2.0**24) / 2.0**24

    weakness = failed(judge(ORACLE, case(), derivative=tail))
    assert weakness.severity is not None
    assert weakness.severity < 1e-7
    assert failed(judge(ORACLE, case(), derivative=lambda x: np.where(x == 3, np.nan, G(x)))).severity == np.inf


@pytest.mark.parametrize("dtype", DTYPES)
def test_oracle_accepts_a_result_flushed_to_zero(dtype: str) -> None:
    tiny = case(dtype).format.smallest_normal
    passed(judge(ORACLE, case(dtype), derivative=lambda x: np.where(G(x) < tiny, 0, G(x))))


def test_oracle_leaves_infinities_and_nans_to_another_property() -> None:
    passed(judge(ORACLE, case(), derivative=lambda x: np.where(np.isfinite(x), G(x), 7)))


def test_oracle_raises_what_the_implementation_lacks() -> None:
    with pytest.raises(Unsupported, match="differentiation"):
        judge(ORACLE, case(), instead={"sweep": Unsupported("differentiation")})


# ---- gradient.peak -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "given", "measured", "allowed"),
    [
        (lambda x: G(x) * (1 - 2.0**-24), "x = 0 (", "0.99999994 (0x3f7fffff)", "exactly 1"),
        (lambda x: np.where((x == 0) & np.signbit(x), 0, G(x)), "x = -0 (", "0 (", "exactly 1"),
        (lambda x: np.where((x == 0) & ~np.signbit(x), 0, G(x)), "x = 0 (", "0 (", "exactly 1"),
        (lambda x: np.where(x == 1, 1 + 2.0**-23, G(x)), "x = 1 (", "1.00000012 (0x3f800001)", "at most 1"),
        (lambda x: np.where(x == 0, np.nan, G(x)), "x = 0 (", "nan (", "exactly 1"),
        (lambda x: np.exp(-ALPHA * finite(x)), "x = -1 (", "2.0137527 (", "at most 1"),
    ],
)
def test_peak_rejects_one_ulp_beside_it_and_anything_above(
    wrong: Derivative, given: str, measured: str, allowed: str
) -> None:
    outcome = failed(judge(PEAK, case(), derivative=wrong))
    assert outcome.given.startswith(given)
    assert outcome.measured.startswith(measured)
    assert outcome.allowed == allowed


def test_peak_accepts_one_at_both_zeros() -> None:
    figures = passed(judge(PEAK, case("float16"))).figures
    assert figures["at_plus_zero"] == figures["at_minus_zero"] == 1.0
    passed(judge(PEAK, case(), derivative=lambda x: np.where(np.abs(x) < 0.5, 1, G(x))))


def test_a_peak_that_depends_on_a_parameter_has_its_bound() -> None:
    alpha = SLAYER.parameters[0].symbol
    scaled = SLAYER.replace(gradient=alpha * SLAYER.gradient, claims=(Peak(alpha),))
    where = case(spec=scaled)
    passed(judge(PEAK, where, derivative=lambda x: ALPHA * G(x) * (1 + 2.0**-23)))
    outcome = failed(judge(PEAK, where, derivative=lambda x: ALPHA * G(x) * (1 + 2.0**-19)))
    assert outcome.allowed.startswith("within 2.5e-07 of 0.7")


def test_peak_applies_to_a_peak_at_the_threshold_only() -> None:
    assert PEAK.applies(SLAYER)
    assert not PEAK.applies(SLAYER.replace(claims=()))


# ---- gradient.symmetry ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_symmetry_accepts_equal_bits_and_equal_nans(dtype: str) -> None:
    assert passed(judge(SYMMETRY, case(dtype))).figures["pairs"] == case(dtype).sweep.half
    passed(judge(SYMMETRY, case(dtype), derivative=lambda x: np.where(np.isnan(x), np.copysign(np.nan, x), G(x))))


@pytest.mark.parametrize("dtype", DTYPES)
def test_symmetry_rejects_one_ulp(dtype: str) -> None:
    u = case(dtype).format.unit_roundoff
    outcome = failed(judge(SYMMETRY, case(dtype), derivative=lambda x: np.where(x < 0, 1 - u, 1) * G(x)))
    assert outcome.given.startswith("x = -1 (")
    assert outcome.allowed.startswith("bit for bit the gradient at +x, 0.49")
    assert 0 < outcome.figures["differing"] < outcome.figures["pairs"]
    assert outcome.severity is not None
    assert outcome.severity <= 2 * u


def test_symmetry_rejects_a_one_sided_rate() -> None:
    outcome = failed(judge(SYMMETRY, case(), derivative=lambda x: np.exp(-np.where(x < 0, 2, 1) * ALPHA * np.abs(x))))
    assert outcome.given == "x = -1 (0xbf800000)"
    assert outcome.measured.startswith("0.246596962 (")
    assert outcome.allowed.startswith("bit for bit the gradient at +x, 0.49658531 (")


def test_symmetry_tells_a_negative_zero_from_a_zero() -> None:
    outcome = failed(judge(SYMMETRY, case(), derivative=lambda x: np.where(np.isinf(x), np.copysign(0, x), G(x))))
    assert outcome.given == "x = -inf (0xff800000)"


# ---- gradient.range ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "given", "allowed"),
    [
        (lambda x: np.exp(-ALPHA * x), "x = -1 (", "finite, from 0 to 1"),
        (lambda x: (G(x) - 0.01) / 0.99, "x = 7 (", "finite, from 0 to 1"),
        (lambda x: np.where(x == 2, np.nan, G(x)), "x = 2 (", "finite, from 0 to 1"),
        (lambda x: np.where(x == -2, np.inf, G(x)), "x = -2 (", "finite, from 0 to 1"),
        (lambda x: np.where(x == 2, 0.9, G(x)), "x = 2 (", "not above the 0."),
        (lambda x: np.where(x == -2, 0.9, G(x)), "x = -2 (", "not above the 0."),
        (lambda x: np.where(x == 2, np.exp(-2 * ALPHA) * (1 + 1.5e-6), G(x)), "x = 2 (", "not above the 0."),
        (lambda x: np.exp(-ALPHA) * np.minimum(np.abs(x), 1), "x = ", "not above the 0 at the nearer x = 0 ("),
    ],
)
def test_range_rejects_what_leaves_it_or_rises(wrong: Derivative, given: str, allowed: str) -> None:
    outcome = failed(judge(RANGE, case(), derivative=wrong))
    assert outcome.given.startswith(given)
    assert outcome.allowed.startswith(allowed)
    assert outcome.severity is not None
    assert outcome.severity > 0


def test_range_accepts_a_rise_that_rounding_explains() -> None:
    # Two neighbours one ulp apart, each off by its bound of 9.6 u.
    passed(judge(RANGE, case(), derivative=lambda x: np.where(x == 2, np.exp(-2 * ALPHA) * (1 + 1e-6), G(x))))


@pytest.mark.parametrize("dtype", DTYPES)
def test_range_accepts_rounding_and_flushing(dtype: str) -> None:
    fmt = case(dtype).format
    jitter = np.random.default_rng(5).uniform(-1, 1, case(dtype).sweep.x.size)

    def derivative(x: np.ndarray) -> np.ndarray:
        return np.where(G(x) < fmt.smallest_normal, 0, np.minimum(G(x) * (1 + 2 * jitter * fmt.unit_roundoff), 1))

    figures = passed(judge(RANGE, case(dtype), derivative=derivative)).figures
    assert (figures["smallest"], figures["largest"]) == (0.0, 1.0)


# ---- gradient.nonfinite --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "given", "measured", "allowed"),
    [
        (lambda x: G(x) + 0 * x, "x = inf (", "nan (", "0, the formula's limit"),
        (lambda x: np.exp(-ALPHA * x), "x = -inf (", "inf (", "0, the formula's limit"),
        (lambda x: np.where(x == np.inf, 1, G(x)), "x = inf (", "1 (", "0, the formula's limit"),
        (lambda x: np.where(np.isnan(x), 0, G(x)), "x = nan (", "0 (", "NaN, so that a NaN is noticed"),
        (lambda x: np.where(np.isnan(x), 1, G(x)), "x = nan (", "1 (", "NaN, so that a NaN is noticed"),
    ],
)
def test_nonfinite_rejects_what_hides_a_nan_or_leaves_the_limit(
    wrong: Derivative, given: str, measured: str, allowed: str
) -> None:
    outcome = failed(judge(NONFINITE, case(), derivative=wrong))
    assert (outcome.given[: len(given)], outcome.measured[: len(measured)]) == (given, measured)
    assert outcome.allowed == allowed


def test_nonfinite_counts_the_nans_and_looks_at_nothing_else() -> None:
    where = case("float16")
    figures = passed(judge(NONFINITE, where, derivative=lambda x: np.where(np.isfinite(x), 7, G(x)))).figures
    assert (figures["at_minus_inf"], figures["at_inf"], figures["nans"]) == (0.0, 0.0, 2 * 1023)


def test_nonfinite_lets_a_nan_fall_into_a_case_whose_number_is_wrong_and_no_other_number_be_made_of_it() -> None:
    where = replace(case(spec=get_spec("piecewise_leaky_relu")), parameters=(("c", 0.01), ("w", 1.0)))

    def half_as_high(at_nan: float) -> Derivative:
        return lambda x: np.where(np.abs(x) > 1, 0.01, np.where(np.isnan(x), at_nan, 0.25))

    for number in (0.25, 0.01, 0.5, np.nan):  # its own cases, and what the formula says within the window
        passed(judge(NONFINITE, where, derivative=half_as_high(number)))
    assert failed(judge(ORACLE, where, derivative=half_as_high(0.25))).measured.startswith("0.25 ")
    assert failed(judge(NONFINITE, where, derivative=half_as_high(0.3))).kind == "difference"


def test_nonfinite_knows_a_limit_that_is_not_zero() -> None:
    constant = case(spec=SLAYER.replace(gradient=1 + 0 * SLAYER.gradient, claims=()))
    passed(judge(NONFINITE, constant, derivative=lambda x: np.where(np.isnan(x), x, 1)))
    assert failed(judge(NONFINITE, constant)).allowed == "1, the formula's limit"


def test_the_gradient_of_a_wrong_dtype_is_judged_all_the_same() -> None:
    where = case("float16")
    right = ask(ORACLE.observe(where)["sweep"], step)
    wide = Observation(right.value, rounded(where.sweep.expected.gradient, np.dtype(np.float32)))
    for judged in (ORACLE, PEAK, SYMMETRY, RANGE, NONFINITE):
        passed(judge(judged, where, instead={"sweep": wide}))


# ---- what is kept for a plot ---------------------------------------------------------------------


def test_the_profile_has_the_error_and_the_bound_of_every_exponent() -> None:
    where = case("float16")
    profile = passed(judge(ORACLE, where)).figures["profile"]
    rows = len(profile["bound"])
    assert len(profile["exponent"]) == rows + 1
    assert profile["exponent"] == sorted(set(profile["exponent"]))
    assert profile["exponent"][0] == where.format.min_exponent
    assert "left" not in profile  # the mirror image of the right
    assert all(error <= 0.5 < bound for error, bound in zip(profile["right"], profile["bound"], strict=True))


def test_the_profile_tells_the_sides_apart_and_shows_what_exceeds_the_bound() -> None:
    where, exact = case("float16"), slayer()
    one_sided = failed(judge(ORACLE, where, derivative=lambda x: np.where(x < -2, 1.1, 1.0) * exact(x)))
    profile = one_sided.figures["profile"]
    over = [
        e for e, left, bound in zip(*(profile[k] for k in ("exponent", "left", "bound")), strict=False) if left > bound
    ]
    assert over == [e for e in profile["exponent"][:-1] if e >= 1]
    assert all(right <= bound for right, bound in zip(profile["right"], profile["bound"], strict=True))


def test_the_profile_stays_small() -> None:
    for dtype in DTYPES:
        profile = passed(judge(ORACLE, case(dtype))).figures["profile"]
        assert len(profile["bound"]) <= 64, dtype
