from __future__ import annotations

import numpy as np
from handmade import ask, case, failed, judge, passed, slayer

from surrogate_core.drivers.base import Observation
from surrogate_core.properties.compare import SMALL
from surrogate_core.properties.threads import COUNT, THREADS, TOGETHER, TURNS

REQUESTS = THREADS.observe(case())
AT_ONCE = ask(REQUESTS[TOGETHER])


def test_each_thread_has_inputs_and_cotangents_of_its_own_and_several_turns() -> None:
    together = REQUESTS[TOGETHER]
    assert together.threads == COUNT == 8
    assert together.x.shape == (COUNT, TURNS, SMALL)
    assert TURNS >= 2
    for thread in range(COUNT):
        alone = REQUESTS[f"thread {thread}"]
        assert alone.threads == 1
        for turn in range(TURNS):
            np.testing.assert_array_equal(together.at((thread, turn)).x, alone.x)
            np.testing.assert_array_equal(together.at((thread, turn)).direction, alone.direction)
    assert len({REQUESTS[f"thread {i}"].x.tobytes() for i in range(COUNT)}) == COUNT
    assert not any(np.intersect1d(together.x[i], together.x[j]).any() for i in range(COUNT) for j in range(i))


def test_what_threads_compute_alone_is_asked_for_first() -> None:
    assert list(REQUESTS)[-1] == TOGETHER


def test_answers_like_those_alone_pass_within_the_bound() -> None:
    assert passed(judge(THREADS, case())).figures == {"threads": 8, "calls": 8 * TURNS}
    u = case().format.unit_roundoff
    near = ask(REQUESTS[TOGETHER], derivative=lambda x: slayer()(x) * (1 + 4 * u))
    passed(judge(THREADS, case(), instead={TOGETHER: near}))


def test_a_wrong_formula_is_no_matter_of_threads() -> None:
    passed(judge(THREADS, case(), np.zeros_like, lambda x: 3 * slayer()(x)))


def test_one_call_with_another_threads_gradient_is_rejected() -> None:
    gradient = AT_ONCE.gradient.copy()
    gradient[5, 1] = gradient[1, 1]
    outcome = failed(judge(THREADS, case(), instead={TOGETHER: Observation(AT_ONCE.value, gradient)}))
    assert outcome.given == "8 threads at once, call 2 of thread 6"
    assert outcome.measured.startswith("gradient[")
    assert outcome.allowed.startswith("the plain call's ")
    assert outcome.severity is not None


def test_one_spike_of_another_thread_is_rejected() -> None:
    value = AT_ONCE.value.copy()
    value[0, TURNS - 1, 7] = 1 - value[0, TURNS - 1, 7]
    outcome = failed(judge(THREADS, case(), instead={TOGETHER: Observation(value, AT_ONCE.gradient)}))
    assert outcome.given == f"8 threads at once, call {TURNS} of thread 1"
    assert outcome.measured.startswith("spikes[7] = ")
