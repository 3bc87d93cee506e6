from __future__ import annotations

import numpy as np
import pytest
from handmade import ask, case, failed, judge, passed

from surrogate_core.drivers.base import Observation, Request
from surrogate_core.properties.arguments import ARGUMENTS

PULLED = "forward and backward, x of shape (25,)"


def touched(request: Request, *what: str) -> Observation:
    answer = ask(request)
    return Observation(answer.value, answer.derivative, what)


def test_every_call_that_touches_an_argument_is_rejected_by_name() -> None:
    for framework in ("jax", "torch"):
        where = case(framework=framework)
        for name, request in ARGUMENTS.observe(where).items():
            outcome = failed(judge(ARGUMENTS, where, instead={name: touched(request, "x was donated")}))
            assert (outcome.given, outcome.measured) == (name, "x was donated")
            assert outcome.allowed == "x, the cotangent and earlier answers bit for bit as they were"


def test_all_that_was_touched_is_told_with_the_smallest_input_that_shows_it() -> None:
    requests = ARGUMENTS.observe(case())
    both = touched(requests[PULLED], "x was written to", "the cotangent was written to")
    sweep = touched(requests["forward and backward"], "x was written to")
    outcome = failed(judge(ARGUMENTS, case(), instead={PULLED: both, "forward and backward": sweep}))
    assert (outcome.given, outcome.measured) == (PULLED, "x was written to, the cotangent was written to")


def test_untouched_arguments_pass_whatever_the_answer() -> None:
    assert passed(judge(ARGUMENTS, case(), np.zeros_like, np.zeros_like)).figures == {"calls": 6}


@pytest.mark.parametrize("framework", ["jax", "torch"])
def test_the_spikes_alone_and_a_cotangent_that_is_not_uniform_are_asked_for_eagerly(framework: str) -> None:
    requests = ARGUMENTS.observe(case(framework=framework)).values()
    assert {r.operation for r in requests} == {"value", "vjp"}
    assert not any(r.inner or r.outer for r in requests)
    assert any(r.direction is not None and len(set(r.direction.ravel().tolist())) > 1 for r in requests)


@pytest.mark.parametrize("framework", ["jax", "torch"])
def test_the_answers_to_an_earlier_call_are_looked_at_with_a_gradient_and_without(framework: str) -> None:
    again = [r for r in ARGUMENTS.observe(case(framework=framework)).values() if r.warm is not None]
    assert [r.operation for r in again] == ["value", "vjp"]
    for request in again:
        assert request.warm is not None
        assert request.warm.shape == request.x.shape
        assert not np.array_equal(request.warm, request.x)
