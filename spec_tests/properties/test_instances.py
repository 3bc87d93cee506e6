from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from handmade import SLAYER, ask, bound, case, failed, found_on_paper, judge, passed, slayer
from hypothesis import given
from hypothesis import strategies as st

from surrogate_core.drivers.base import Observation, Request
from surrogate_core.properties.base import Requests
from surrogate_core.properties.instances import CALLS, INSTANCES, LENGTH, Call, Play
from surrogate_core.properties.outcome import Failed, Outcome
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


Rates = Callable[[list[Request]], list[float]]
"""From the calls, in order, to the rate with which each is answered."""


def told(rates: Rates, seed: int, profile: str = "thorough") -> tuple[Failed, Play]:
    """What a search tells of an implementation on paper, and the program it is told by."""

    def settle(play: Play, requests: Requests) -> Outcome:
        answers = zip(requests.items(), rates([*requests.values()]), strict=True)
        return INSTANCES.judge(where, play, {name: ask(r, derivative=slayer(rate)) for (name, r), rate in answers})

    where = case(profile=profile, seed=seed)
    outcome = failed(found_on_paper(INSTANCES, where, settle)[0])
    return outcome, INSTANCES.restored(where, outcome.example)


def latest_wins(calls: list[Request]) -> list[float]:
    """The rate of the instance that was made last: each is made when it is first called."""
    made: dict[str, float] = {}
    rates: list[float] = []
    for call in calls:
        made.setdefault(call.instance, alpha(call.parameters))
        rates.append([*made.values()][-1])
    return rates


@pytest.mark.parametrize("seed", [0, 3, 7, 11])
def test_a_defect_of_a_parameter_is_told_by_one_call_of_one_instance(seed: int) -> None:
    outcome, play = told(lambda calls: [min(alpha(c.parameters), 50.0) for c in calls], seed, "standard")
    assert (len(play.instances), len(play.calls)) == (1, 1)
    assert outcome.given.startswith("call 1 of 1 call to 1 instance: ")


@pytest.mark.parametrize("seed", range(4))
def test_a_defect_of_the_second_call_is_told_by_two_calls_of_one_instance(seed: int) -> None:
    outcome, play = told(lambda calls: [alpha(c.parameters) * (1.5 if n else 1) for n, c in enumerate(calls)], seed)
    assert (len(play.instances), len(play.calls)) == (1, 2)
    assert outcome.given.startswith("call 2 of 2 calls to 1 instance: ")


@pytest.mark.parametrize("seed", range(4))
def test_where_the_latest_instance_wins_both_are_told_and_no_call_beyond_those_that_show_it(seed: int) -> None:
    _, play = told(latest_wins, seed)
    assert [call.instance for call in play.calls] == [0, 1, 0]
    assert len(play.instances) == 2


def test_what_is_simpler_than_a_program_numbers_the_instances_that_are_left() -> None:
    last = (("alpha", 2.0),)
    assert [*INSTANCES.simpler(Play((ONE, STEEP, last), (Call(2), Call(0, "value"), Call(2, turn=1))))] == [
        Play((last, ONE), (Call(0), Call(1, "value"), Call(0, turn=1))),
        Play((last,), (Call(0, turn=1),)),
        Play((ONE,), (Call(0, "value"),)),
        Play((last,), (Call(0),)),
        Play((ONE, last), (Call(0, "value"), Call(1, turn=1))),
        Play((last,), (Call(0), Call(0, turn=1))),
        Play((last, ONE), (Call(0), Call(1, "value"))),
    ]
    assert [*INSTANCES.simpler(Play((ONE,), (Call(0),)))] == []


@pytest.mark.parametrize("turn", range(4))
def test_the_input_that_is_told_is_the_simplest_that_fails(turn: int) -> None:
    program = Play((ONE,), (Call(turn=turn),))
    outcome = failed(judge(INSTANCES, case(), derivative=lambda x: 2 * slayer(1.0)(x), example=program))
    assert outcome.given.endswith(" at x = 0 (0x00000000)")
    assert outcome.witness is not None
    assert outcome.witness.index == turn
    silent = failed(judge(INSTANCES, case(), lambda x: np.zeros(x.shape), example=program))
    assert silent.given.endswith(" at x = 0 (0x00000000)")
