from __future__ import annotations

import math

import numpy as np
import pytest
from handmade import SLAYER, ask, bound, case, failed, judge, passed, slayer
from hypothesis import given
from hypothesis import strategies as st

from surrogate_core.drivers.base import Observation
from surrogate_core.properties.instances import CALLS, INSTANCES, LENGTH, Call, Play
from surrogate_core.spec.model import Parameters

ONE, STEEP = (("alpha", 1.0),), (("alpha", 40.0),)
PROGRAM = Play((ONE, STEEP), (Call(0), Call(1, turn=1, weights=(1.0, -2.0)), Call(0, "value", 2), Call(1, "late vjp")))


def alpha(parameters: Parameters | None) -> float:
    return dict(parameters or ())["alpha"]


def test_every_call_is_judged_by_its_own_instance() -> None:
    outcome = passed(judge(INSTANCES, case(), example=PROGRAM))
    assert outcome.figures == {"instances": 2, "calls": 4}


def test_calls_of_one_instance_go_to_one_object_and_of_another_program_to_another() -> None:
    requests, _ = bound(INSTANCES, case(), PROGRAM)
    names = [requests[str(n)].instance for n in range(4)]
    assert names[0] == names[2] != names[1] == names[3]
    other, _ = bound(INSTANCES, case(), Play(PROGRAM.instances, PROGRAM.calls[:1]))
    assert other["0"].instance not in names
    assert len({request.key for request in requests.values()}) == 4


def test_inputs_scale_with_the_instance_and_change_with_the_turn() -> None:
    requests, _ = bound(INSTANCES, case(), Play((ONE, STEEP), (Call(0), Call(1), Call(0, turn=1))))
    wide, narrow, again = (np.abs(requests[str(n)].x).max() for n in range(3))
    assert wide == pytest.approx(40 * narrow, rel=0.05)
    assert not np.array_equal(requests["0"].x, requests["2"].x)
    assert 0.5 * wide < again <= 2 * wide


@pytest.mark.parametrize("number", range(4))
def test_an_answer_of_another_rate_is_rejected_and_carries_the_calls_before_it(number: int) -> None:
    requests, _ = bound(INSTANCES, case(), PROGRAM)
    request = requests[str(number)]
    wrong = ask(request, lambda x: np.where(x > 0, 1.0, 0.0), slayer(1.1 * alpha(request.parameters)))
    outcome = failed(judge(INSTANCES, case(), instead={str(number): wrong}, example=PROGRAM))
    assert outcome.given.startswith(f"call {number + 1} of 4 calls to 2 instances: ")
    assert f"alpha={alpha(request.parameters):g}" in outcome.given
    assert outcome.witness is not None
    assert [r.turn for r in outcome.witness.before] == list(range(number))


def test_a_zero_cotangent_gives_exactly_zero() -> None:
    program = Play((ONE,), (Call(weights=(0.0,)),))
    request = bound(INSTANCES, case(), program)[0]["0"]
    leaked = Observation(ask(request).value, np.full(LENGTH, 1e-30, np.float32))
    assert "for a cotangent of 0" in failed(judge(INSTANCES, case(), instead={"0": leaked}, example=program)).allowed


@given(data=st.data())
def test_programs_are_drawn_over_the_domain(data: st.DataObject) -> None:
    play = data.draw(INSTANCES.examples(case()))
    (parameter,) = SLAYER.parameters
    low, high = parameter.search_range()
    assert 1 <= len(play.calls) <= CALLS
    assert 1 <= len(play.instances) <= 3
    for parameters in play.instances:
        assert math.isfinite(alpha(parameters))
        assert low <= alpha(parameters) <= high
    passed(judge(INSTANCES, case(), example=play))
