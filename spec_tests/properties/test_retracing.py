from __future__ import annotations

import numpy as np
import pytest
from handmade import ask, case, failed, judge, passed

from surrogate_core.drivers.base import Observation
from surrogate_core.properties.retracing import RETRACING

CALLS = ["spike", "vjp(spike)", "jit(vjp(spike))"]


@pytest.mark.parametrize("name", CALLS)
def test_a_second_call_that_compiles_is_rejected(name: str) -> None:
    answer = ask(RETRACING.observe(case())[name])
    for programs, words in ((1, "1 program compiled"), (3, "3 programs compiled")):
        again = Observation(answer.value, answer.derivative, compiled=programs)
        outcome = failed(judge(RETRACING, case(), instead={name: again}))
        assert outcome.given == f"a second call of {name}, with other values of the same shape and dtype"
        assert outcome.measured == words
        assert outcome.figures["compiled"][name] == programs


def test_calls_that_compile_nothing_again_pass_whatever_they_answer() -> None:
    assert passed(judge(RETRACING, case(), np.zeros_like, np.zeros_like)).figures == {"calls": CALLS}


def test_the_second_values_are_ordinary_and_nobodys_before() -> None:
    seen: set[float] = set()
    for request in RETRACING.observe(case()).values():
        assert request.warm is not None
        assert (request.x.shape, request.x.dtype) == (request.warm.shape, request.warm.dtype)
        largest = float(np.abs(request.x).max())
        assert largest not in seen | {float(np.abs(request.warm).max())}
        seen.add(largest)
        for values in (request.x, request.warm):
            assert np.isfinite(values).all()
            assert values.min() < 0 < values.max()
            assert np.signbit(values[values == 0]).tolist() in ([False, True], [True, False])


def test_it_is_said_of_jax_alone() -> None:
    assert RETRACING.frameworks == ("jax",)
