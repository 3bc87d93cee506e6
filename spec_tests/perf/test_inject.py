from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from perf.test_measure import BOTH, BROKEN, GOOD, SMALL, request

from surrogate_core.errors import BadInput
from surrogate_core.perf.calibrate import ARMS, OLD, WANTED, samples
from surrogate_core.perf.inject import LOOKS, inject, next_units, settled, sure
from surrogate_core.perf.plan import plan


@pytest.mark.parametrize(
    ("slowdowns", "expected"),
    [
        ({8: 0.02, 32: 0.08}, 20),  # between the two
        ({8: 0.02, 32: 0.03}, 80),  # beyond them, on their line
        ({8: 0.10, 32: 0.40}, 4),  # before them
        ({8: 0.00, 32: 0.00}, 256),  # too little to be seen
        ({8: 0.00, 32: 0.001}, 256),  # a line through noise is not believed further
        ({8: 0.30, 32: 0.29}, 1),  # the first of them costs all
        ({8: 0.01, 32: 0.04, 64: 0.09}, 38),  # of a curve, the two that enclose it
    ],
)
def test_the_next_trial_is_where_a_line_through_two_others_meets_the_wish(
    slowdowns: dict[int, float], expected: int
) -> None:
    assert next_units(slowdowns, 0.05) == expected


def test_a_wish_is_met_by_what_was_measured_near_it_alone() -> None:
    assert settled({8: 0.02, 20: 0.047, 32: 0.08}, 0.05) == 20
    assert settled({8: 0.02, 32: 0.08}, 0.05) is None


@pytest.mark.usefixtures("no_processes")
@pytest.mark.parametrize(
    "cost",
    [
        pytest.param(lambda n: 1 + 0.002 * n, id="in proportion"),
        pytest.param(lambda n: 1 + (0.035 + 0.0001 * n if n else 0), id="dear to begin with"),
        pytest.param(lambda n: max(1, 0.9 + 0.0004 * n), id="hidden at first"),
        pytest.param(lambda n: 1 + 1e-5 * n**2, id="dearer and dearer"),
    ],
)
def test_what_was_found_is_as_much_slower_as_it_was_meant_to_be(cost: Callable[[int], float], clock: Any) -> None:
    laid = plan(request(GOOD))
    clock(cost)
    found = inject(laid, WANTED)
    assert not found.refused
    for arm, slowdown in WANTED.items():
        assert cost(found.units[BOTH, arm]) - 1 == pytest.approx(slowdown, abs=0.25 * slowdown)


@pytest.mark.usefixtures("no_processes")
def test_where_the_least_work_is_too_much_it_is_refused_and_the_larger_slowdown_is_not(clock: Any) -> None:
    laid = plan(request(GOOD))
    clock(lambda n: 1 + 0.1 * n)
    found = inject(laid, WANTED)
    assert found.units == {(BOTH, "+10 %"): 1}
    assert found.refused[BOTH, "+5 %"].startswith("work cannot be added so finely: the least there is makes it")


@pytest.mark.usefixtures("no_processes")
@pytest.mark.parametrize(("cliff", "expected"), [(0.065, {"+5 %", "+10 %"}), (0.03, {"+5 %"}), (0.02, set())])
def test_where_nothing_is_near_less_is_taken_and_never_more(cliff: float, expected: set[str], clock: Any) -> None:
    laid = plan(request(GOOD))
    clock(lambda n: 1 + min(cliff, 0.002 * n) + (0.5 if n > 100 else 0), spread=0.001)
    found = inject(laid, WANTED)
    assert {arm for _, arm in found.units} == expected
    for where, slowdown in found.seen.items():
        assert slowdown <= 1.2 * WANTED[where[1]]


@pytest.mark.usefixtures("no_processes")
def test_where_processes_differ_too_much_to_tell_nothing_is_called_five_percent_slower(clock: Any) -> None:
    laid = plan(request(GOOD))
    clock(lambda n: 1 + 0.002 * n, spread=0.08)
    found = inject(laid, WANTED)
    assert (BOTH, "+5 %") not in found.units
    assert "processes differ too much to tell" in found.refused[BOTH, "+5 %"]


@pytest.mark.usefixtures("no_processes")
def test_work_that_is_compiled_away_is_refused(clock: Any) -> None:
    laid = plan(request(GOOD))
    looks = []
    clock(lambda n: 1.0)
    found = inject(laid, WANTED, processes=1, advance=lambda: looks.append(1))
    assert not found.units
    assert len(looks) == LOOKS
    assert f"not found in {LOOKS} looks, or" in found.refused[BOTH, "+5 %"]


@pytest.mark.usefixtures("no_processes")
def test_real_work_is_chosen_by_what_it_costs() -> None:
    laid: Any = plan(request(GOOD))
    found = inject(laid, WANTED, processes=3)
    assert not found.refused
    process, benchmark, seconds = next(samples(laid, found, [0]))
    assert (process, benchmark, set(seconds)) == (0, BOTH, {OLD, *ARMS})
    slower = np.log(np.median(seconds["+10 %"]) / np.median(seconds[OLD]))
    assert slower == pytest.approx(math.log(1.1), abs=0.03)


@pytest.mark.usefixtures("no_processes")
def test_a_target_that_cannot_be_timed_is_refused() -> None:
    with pytest.raises(BadInput, match="no spikes today"):
        inject(plan(request(BROKEN, SMALL)), WANTED)


def test_one_process_in_five_that_is_far_off_leaves_what_was_found_sure() -> None:
    near = [0.048, 0.05, 0.051, 0.052]
    assert sure([*near, 0.34], 0.05)
    assert not sure([0.01, 0.05, 0.09, 0.13, 0.02], 0.05)
