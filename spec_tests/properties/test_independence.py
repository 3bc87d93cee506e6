from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from handmade import ask, case, failed, judge, passed, slayer, step

from surrogate_core.drivers.base import Observation
from surrogate_core.engine import PROFILES
from surrogate_core.properties.independence import INDEPENDENCE

G = slayer()

STANDARD = case(profile="standard")


def test_all_lengths_are_odd_and_the_largest_is_for_more_than_a_quick_look() -> None:
    shapes = [{r.x.shape for r in INDEPENDENCE.observe(case(profile=p)).values()} for p in PROFILES]
    assert shapes == [{(25,)}, {(25,), (131,)}, {(25,), (131,), (4099,)}]
    assert passed(judge(INDEPENDENCE, STANDARD)).figures == {"arrays": 14}


def test_values_that_are_remembered_would_show_and_large_arrays_share_a_program() -> None:
    for framework, outer in (("jax", ["jit"]), ("torch", [])):
        requests = INDEPENDENCE.observe(case(framework=framework, profile="standard")).values()
        assert all([t.name for t in r.outer] == (outer if r.x.size > 25 else []) for r in requests)


@pytest.mark.parametrize("what", ["NaN", "+inf", "-inf", "the largest number", "0"])
def test_a_neighbour_that_reaches_another_gradient_is_rejected(what: str) -> None:
    name = f"131 elements, every other one {what}"
    answer = ask(INDEPENDENCE.observe(STANDARD)[name])
    gradient = answer.gradient.copy()
    gradient[130] *= np.float32(1.001)
    outcome = failed(judge(INDEPENDENCE, STANDARD, instead={name: Observation(answer.value, gradient)}))
    assert outcome.given == name
    assert outcome.measured.startswith("gradient[130] = ")
    assert outcome.severity is not None


def test_what_replaced_the_neighbours_is_not_judged() -> None:
    name = "131 elements, every other one NaN"
    answer = ask(INDEPENDENCE.observe(STANDARD)[name])
    value, gradient = answer.value.copy(), answer.gradient.copy()
    value[1::2], gradient[1::2] = 7, np.nan
    passed(judge(INDEPENDENCE, STANDARD, instead={name: Observation(value, gradient)}))


WHOLE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "normalised by its mean": lambda x: G(x) / np.nanmean(G(x)),
    "poisoned by a sum": lambda x: G(x) + 0 * x.sum(),
    "the last one wrong": lambda x: np.where(np.arange(x.size) == x.size - 1, 0.5, 1.0) * G(x),
    "the first one wrong": lambda x: np.where(np.arange(x.size) == 0, 0.5, 1.0) * G(x),
    "the middle one wrong": lambda x: np.where(np.arange(x.size) == x.size // 2, 0.5, 1.0) * G(x),
    "the left neighbour's": lambda x: G(np.roll(x, 1)),
}


@pytest.mark.parametrize("wrong", WHOLE)
def test_a_gradient_that_knows_its_place_or_its_neighbours_is_rejected(wrong: str) -> None:
    failed(judge(INDEPENDENCE, STANDARD, derivative=WHOLE[wrong]))


def test_spikes_that_know_their_neighbours_are_rejected_exactly() -> None:
    outcome = failed(judge(INDEPENDENCE, STANDARD, lambda x: step(x) * (1 - 2.0**-24 * np.isinf(x).any())))
    assert outcome.given == "25 elements, every other one +inf"
    assert outcome.measured.startswith("spikes[")


def test_a_permutation_moves_every_place_that_could_be_special() -> None:
    requests = INDEPENDENCE.observe(case(profile="thorough"))
    for length in (25, 131, 4099):
        x, moved = (requests[f"{length} elements{how}"].x for how in ("", ", in another order"))
        assert sorted(x.tolist()) == sorted(moved.tolist())
        for place in (0, length // 2, length - 1):
            assert x[place] != moved[place]


def test_rounding_otherwise_in_another_place_is_allowed() -> None:
    u = STANDARD.format.unit_roundoff
    passed(
        judge(
            INDEPENDENCE,
            STANDARD,
            derivative=lambda x: G(x) * (1 + 3 * u * (np.arange(x.size) % 3 - 1)),
        )
    )
