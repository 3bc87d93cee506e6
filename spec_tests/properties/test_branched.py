"""Surrogates with jumps and kinks: right ones pass every property, in every natural technique; wrong ones fail."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from branched import BOXCAR, HALF_EDGED, LEAKY, ONE_SIDED, QUADRATIC, RIGHT, SIGNED, SPECS, TRIANGLE, computed
from handmade import DTYPES, SLAYER, case, failed, judge, passed, slayer

from surrogate_core.properties import Case, select
from surrogate_core.properties.base import agreement
from surrogate_core.properties.gradient import NONFINITE, ORACLE, PEAK, RANGE, SYMMETRY
from surrogate_core.properties.outcome import Passed, Skipped
from surrogate_core.spec import FORMATS, Even, Spec

RATE = 0.49
POINTWISE = (ORACLE, PEAK, SYMMETRY, RANGE, NONFINITE)
ALL = [
    *POINTWISE,
    *select(
        ("forward.*", "gradient.cotangent", "gradient.decay", "transform.jit", "transform.vmap", "transform.modes")
    ),
]
"""What one function of x on paper can be asked: nothing at other parameters, nothing with a memory."""
EDGE = float(np.float32(1 / (2 * RATE)))
ULP = 2.0**-23
Derivative = Callable[[np.ndarray], Any]

TECHNIQUES = [pytest.param(spec, name, id=f"{spec.name}: {name}") for spec in SPECS for name in RIGHT[spec.name]]


def judged_right(spec: Spec, name: str, where: Case, properties: Any) -> None:
    rate = dict(where.parameters)["alpha"]
    derivative = computed(RIGHT[spec.name][name], where.dtype, rate)
    for one in properties:
        if one.applies(spec):
            outcome = judge(one, where, derivative=derivative)
            assert isinstance(outcome, (Passed, Skipped)), (one.id, outcome)


@pytest.mark.parametrize(("spec", "name"), TECHNIQUES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_right_ones_pass_what_is_judged_point_by_point(spec: Spec, name: str, dtype: str) -> None:
    for rate in (RATE, 0.7, 13.7):
        judged_right(spec, name, case(dtype, rate, spec), POINTWISE)


@pytest.mark.parametrize(("spec", "name"), TECHNIQUES)
def test_right_ones_pass_every_property_for_awkward_parameters(spec: Spec, name: str) -> None:
    for rate in (0.0146, 0.1, 1.0, 3.3):
        judged_right(spec, name, case("float32", rate, spec), ALL)


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_two_right_ones_agree(spec: Spec, dtype: str) -> None:
    where = case(dtype, RATE, spec)
    x = where.sweep.exact[np.isfinite(where.sweep.exact)]
    tolerance, _ = agreement(where, x)
    answers = [computed(technique, dtype, RATE)(x) for technique in RIGHT[spec.name].values()]
    for one, other in itertools.combinations(answers, 2):
        assert (np.abs(one - other) <= tolerance).all()
    assert (tolerance[np.abs(x) > 8 / RATE] <= 8 * where.format.unit_roundoff + 2 * where.sweep.expected.floor).all()


def window(edge: float, height: float = RATE, outside: float = 0.0) -> Derivative:
    return lambda x: np.where(np.isnan(x), np.nan, np.where(np.abs(x) <= edge, height, outside))


@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2])
def test_an_edge_within_two_ulp_is_right(off: int) -> None:
    passed(judge(ORACLE, case(alpha=RATE, spec=BOXCAR), derivative=window(EDGE + off * ULP)))


@pytest.mark.parametrize("off", [-4, 3])
def test_an_edge_three_ulp_off_is_wrong(off: int) -> None:
    # The closed window ends at its edge itself: with one 4 ulp inside, the number 3 ulp inside is left out.
    outcome = failed(judge(ORACLE, case(alpha=RATE, spec=BOXCAR), derivative=window(EDGE + off * ULP)))
    assert outcome.given.startswith("x = 1.02040")


@pytest.mark.parametrize(
    ("spec", "wrong", "given"),
    [
        (BOXCAR, window(1 / RATE), "x = 2 ("),
        (BOXCAR, window(1 / (4 * RATE)), "x = 1 ("),
        (BOXCAR, window(EDGE, 1.0), "x = 0 ("),
        (BOXCAR, window(EDGE, outside=1e-30), "x = 2 ("),
        (BOXCAR, lambda x: np.where(np.abs(x) == EDGE, RATE / 2, window(EDGE)(x)), "x = 1.02040815 ("),
        (BOXCAR, lambda x: np.where(np.abs(x) == EDGE, np.nan, window(EDGE)(x)), "x = 1.02040815 ("),
        (BOXCAR, lambda x: window(EDGE)(x - 1e-6), "x = 1.02040"),
        (HALF_EDGED, lambda x: np.where(np.abs(x) == EDGE, RATE / 4, window(EDGE)(x)), "x = 1.02040815 ("),
        (TRIANGLE, lambda x: np.maximum(0, 1 - RATE * np.abs(x) / 2), "x = 1 ("),
        (TRIANGLE, lambda x: 1 - RATE * np.abs(x), "x = 3 ("),
        (TRIANGLE, lambda x: np.maximum(0, 1 - RATE * (1 + 1e-5) * np.abs(x)), "x = 1 ("),
        (TRIANGLE, lambda x: np.maximum(1e-6, 1 - RATE * np.abs(x)), "x = 3 ("),
        (QUADRATIC, lambda x: np.maximum(0, 1 - RATE * np.abs(x)), "x = 0 ("),
        (QUADRATIC, lambda x: RATE * np.maximum(0, 1 - RATE * np.abs(x)) ** 2, "x = 1 ("),
        (ONE_SIDED, lambda x: np.where(x == 0, 0.5, np.where(x > 0, np.exp(-RATE * np.abs(x)), 0)), "x = 0 ("),
        (ONE_SIDED, lambda x: np.where(x >= 0, np.exp(-RATE * np.abs(x)), 1e-30), "x = -1 ("),
        (ONE_SIDED, lambda x: np.exp(-RATE * np.abs(x)), "x = -1 ("),
        (ONE_SIDED, lambda x: np.where(x >= 1e-30, np.exp(-RATE * np.abs(x)), 0), "x = "),
        (LEAKY, window(EDGE, 1.0, 0.11), "x = 2 ("),
        (LEAKY, window(EDGE, 1.0), "x = 2 ("),
        (LEAKY, window(EDGE, 0.9, 0.1), "x = 0 ("),
        (SIGNED, slayer(RATE), "x = -1 ("),
    ],
)
def test_another_formula_is_wrong(spec: Spec, wrong: Derivative, given: str) -> None:
    outcome = failed(judge(ORACLE, case(alpha=RATE, spec=spec), derivative=wrong))
    assert outcome.given.startswith(given)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_a_wrong_edge_is_found_in_every_format(dtype: str) -> None:
    u = FORMATS[dtype].unit_roundoff
    failed(judge(ORACLE, case(dtype, RATE, BOXCAR), derivative=window(1 / (2 * RATE) * (1 + 8 * u))))
    failed(judge(ORACLE, case(dtype, RATE, BOXCAR), derivative=window(1 / (2 * RATE) * (1 - 8 * u))))


def test_what_would_have_been_accepted_names_both_sides() -> None:
    outcome = failed(judge(ORACLE, case(spec=BOXCAR, alpha=0.5), derivative=lambda x: np.full_like(x, 0.25)))
    assert outcome.allowed == "0.5 ± 1.79e-07"
    at_edge = failed(
        judge(ORACLE, case(spec=BOXCAR, alpha=0.5), derivative=lambda x: np.where(x == 1, 0.25, window(1)(x)))
    )
    assert at_edge.given == "x = 1 (0x3f800000)" or at_edge.allowed == "0.5 ± 1.79e-07"


def test_accuracy_near_a_breakpoint_is_that_against_the_nearest_side() -> None:
    closed, opened = (window(edge) for edge in (EDGE, EDGE - ULP))
    for derivative in (closed, opened):
        figures = passed(judge(ORACLE, case(alpha=RATE, spec=BOXCAR), derivative=derivative)).figures
        assert figures["max_ulp"] <= 0.5
        assert figures["max_bound"] <= 1
        assert figures["out_of_bound"] == 0


# ---- exact promises ------------------------------------------------------------------------------


def half_open(x: np.ndarray) -> np.ndarray:
    return np.where((x >= -EDGE) & (x < EDGE), RATE, 0)


def test_a_window_open_on_one_side_is_even_and_one_that_is_skew_is_not() -> None:
    where = case(alpha=RATE, spec=BOXCAR)
    passed(judge(SYMMETRY, where, derivative=half_open))
    skewed = failed(judge(SYMMETRY, where, derivative=lambda x: half_open(x) * np.where(x < 0, 1 - ULP, 1)))
    assert skewed.given == "x = -1 (0xbf800000)"
    failed(judge(SYMMETRY, where, derivative=lambda x: half_open(x - 8 * ULP)))
    # Neither side of the edge excuses a value that is on none.
    failed(judge(SYMMETRY, where, derivative=lambda x: np.where(x == EDGE, RATE / 2, window(EDGE)(x))))


def test_a_declared_kink_at_the_threshold_excuses_no_asymmetry() -> None:
    declared = SLAYER.replace(breakpoints=(0,))
    hole = failed(judge(SYMMETRY, case(spec=declared), derivative=lambda x: slayer()(x) * np.where(x < 0, 1 - ULP, 1)))
    assert hole.given.startswith("x = -1 (")

    def lower(x: np.ndarray) -> np.ndarray:
        return np.where((x == 0) & np.signbit(x), 1 - ULP / 2, slayer()(x))

    failed(judge(SYMMETRY, case(spec=declared), derivative=lower))
    failed(judge(PEAK, case(spec=declared), derivative=lower))
    for one in ALL:
        if one.applies(declared):
            assert judge(one, case(spec=declared)).state == judge(one, case()).state


@pytest.mark.parametrize("at_zero", [0.0, 1.0])
def test_a_peak_at_a_jump_may_be_either_side_of_it(at_zero: float) -> None:
    def derivative(x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, np.exp(-RATE * np.abs(x)), np.where(x == 0, at_zero, 0))

    where = case(alpha=RATE, spec=ONE_SIDED)
    for one in (ORACLE, PEAK, RANGE):
        passed(judge(one, where, derivative=derivative))
    failed(judge(PEAK, where, derivative=lambda x: np.where(x == 0, 0.5, derivative(x))))
    failed(judge(PEAK, where, derivative=lambda x: np.where(x == 1, 1 + ULP, derivative(x))))


def test_range_allows_the_jump_and_no_notch_beside_it() -> None:
    where = case(alpha=RATE, spec=BOXCAR)
    flicker = np.array([EDGE - ULP, EDGE + ULP])
    # Either value within the rounding of the edge, in any order.
    passed(
        judge(RANGE, where, derivative=lambda x: np.where(np.isin(np.abs(x), flicker), RATE, window(EDGE - 2 * ULP)(x)))
    )
    for notch in (0.5, EDGE - 4 * ULP):
        outcome = failed(judge(RANGE, where, derivative=lambda x, n=notch: np.where(x == n, 0, window(EDGE)(x))))
        assert outcome.allowed.startswith("not above the 0 at the nearer x = ")


def test_range_allows_a_branch_its_rounding_below_zero_at_its_end_and_nowhere_else() -> None:
    end = float(np.float32(1 / RATE))
    u = 2.0**-24

    def derivative(x: np.ndarray) -> np.ndarray:
        return np.where(np.abs(x) < end, RATE * (1 - RATE * np.abs(x)), 0)

    where = case(alpha=RATE, spec=QUADRATIC)
    passed(judge(RANGE, where, derivative=lambda x: np.where(np.abs(x) == end, -RATE * u, derivative(x))))
    failed(judge(RANGE, where, derivative=lambda x: np.where(np.abs(x) == end, -RATE * 20 * u, derivative(x))))
    failed(judge(RANGE, where, derivative=lambda x: np.where(np.abs(x) == 3, -RATE * u, derivative(x))))


def test_a_limit_that_no_format_holds_is_rounded_and_nothing_more() -> None:
    where = case(alpha=RATE, spec=LEAKY)
    leak = float(np.float32(0.1))
    passed(judge(NONFINITE, where, derivative=window(EDGE, 1.0, leak)))
    outcome = failed(judge(NONFINITE, where, derivative=lambda x: np.where(np.isinf(x), 0, window(EDGE, 1.0, leak)(x))))
    assert outcome.allowed == "0.1 ± 2.38e-08, the formula's limit"
    failed(judge(NONFINITE, where, derivative=window(EDGE, 1.0, 0.1 + 1e-7)))
    even = LEAKY.replace(claims=(Even(),), gradient=LEAKY.gradient.subs(0.1, 0.5))
    failed(judge(NONFINITE, case(alpha=RATE, spec=even), derivative=window(EDGE, 1.0, 0.5 + 2.0**-24)))
