from __future__ import annotations

import numpy as np
import pytest

from surrogate_core.spec.expectation import Expectation, Side

NAN = np.nan


def numbers(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def expectation() -> Expectation:
    """A window of height 2 whose edge lies between the second and the third input; the last is tiny."""
    index = np.array([1, 2])
    inside = Side(index, numbers(2, 2), numbers(0, 0), numbers(0.1, 0.1))
    outside = Side(index, numbers(0, 0), numbers(0, 0), numbers(0, 0))
    middle = Side(np.array([2]), numbers(1), numbers(0.01), numbers(0.05))
    return Expectation(
        numbers(2, 2, 0, 0, 1e-9), np.zeros(5), numbers(0.1, 0.1, 0, 0, 0), 1e-6, 2.0, (inside, outside, middle)
    )


@pytest.mark.parametrize(
    ("measured", "accepted"),
    [
        ((2, 2, 0, 0, 0), (True, True, True, True, True)),
        ((2.09, 0, 2, 0, 1e-9), (True, True, True, True, True)),
        ((1.91, 2.09, 1.91, 1e-6, 1e-6), (True, True, True, True, True)),
        ((0, 1, 1, 2, 2e-6), (False, False, True, False, False)),
        ((1, 0.5, 1.07, 1, -1e-9), (False, False, False, False, False)),
        ((NAN, NAN, NAN, NAN, NAN), (False, False, False, False, False)),
    ],
)
def test_near_a_breakpoint_either_side_is_accepted_and_nothing_between(
    measured: tuple[float, ...], accepted: tuple[bool, ...]
) -> None:
    np.testing.assert_array_equal(expectation().within(numbers(*measured)), accepted)


def test_the_error_near_a_breakpoint_is_that_against_the_nearest_side() -> None:
    error = expectation().error(numbers(2.5, 0.25, 1.75, 0.25, 0))
    assert error == pytest.approx([0.5, 0.25, -0.25, 0.25, -1e-9])
    assert expectation().error(numbers(2, 2, 1.03, 0, 0))[2] == pytest.approx(0.02)


def test_the_nearest_side_is_one_that_accepts_the_answer() -> None:
    # Nearer to the formula's 2 than to 0, yet only a side with a wide bound accepts it.
    wide = Side(np.array([0]), numbers(0), numbers(0), numbers(1.5))
    found = Expectation(numbers(2), np.zeros(1), numbers(0.1), 1e-6, 2.0, (wide,))
    assert found.within(numbers(1.4)).all()
    assert found.nearest(numbers(1.4)).gradient[0] == 0
    assert found.nearest(numbers(1.7)).gradient[0] == 2


def test_without_a_breakpoint_the_nearest_is_the_expectation_itself() -> None:
    plain = Expectation(numbers(1), np.zeros(1), numbers(0.1), 1e-6, 1.0)
    assert plain.nearest(numbers(5)) is plain
    assert not plain.near.any()
    assert not plain.jumps.any()
    assert plain.slack is plain.bound


def test_what_is_accepted_is_told_with_every_side() -> None:
    assert expectation().accepted(0) == "2 ± 0.1"
    assert expectation().accepted(1) == "2 ± 0.1 or 0 ± 0"
    assert expectation().accepted(2) == "0 ± 0 or 2 ± 0.1 or 1.01 ± 0.05"


def test_what_is_accepted_has_the_digits_that_its_bound_needs() -> None:
    third, nan = np.array([1 / 3]), np.array([np.nan])
    assert Expectation(third, 0 * third, third * 2**-52, 0.0, 1.0).accepted(0) == "0.3333333333333333 ± 7.4e-17"
    assert Expectation(third, 0 * third, third * 2**-23, 0.0, 1.0).accepted(0) == "0.333333333 ± 3.97e-08"
    assert Expectation(nan, nan, nan, 0.0, 1.0).accepted(0) == "NaN"


def test_two_answers_near_a_breakpoint_may_lie_a_jump_apart() -> None:
    found = expectation()
    assert found.tolerance() == pytest.approx([0.2, 2.1, 2.1, 1e-6, 1e-6], rel=1e-5)
    assert found.slack == pytest.approx([0.1, 2, 2.1, 0, 0])
    np.testing.assert_array_equal(found.near, [False, True, True, False, False])
    np.testing.assert_array_equal(found.jumps, [False, True, True, False, False])


def test_a_kink_is_no_jump() -> None:
    side = Side(np.array([0]), numbers(1e-3), numbers(0), numbers(2e-3))
    kink = Expectation(numbers(0), np.zeros(1), numbers(0), 1e-9, 1.0, (side,))
    assert kink.near.all()
    assert not kink.jumps.any()
    assert kink.within(numbers(2.5e-3)).all()
