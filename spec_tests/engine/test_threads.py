from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from surrogate_core.drivers import Observation, Request
from surrogate_core.engine import threads
from surrogate_core.engine.threads import Wrap, at_once

COUNT, TURNS = 4, 4
X = np.arange(COUNT * TURNS * 3, dtype=np.float64).reshape(COUNT, TURNS, 3)
REQUEST = Request("vjp", X, direction=10 + X, threads=COUNT)

Spike = Callable[[Any], Any]


def evaluating(spike: Spike, backward: Spike | None = None) -> Any:
    """Plays the bench: a forward pass, and a backward pass that doubles the cotangent."""

    def evaluate(request: Request, wrap: Wrap = lambda function: function) -> Observation:
        assert request.threads == 1
        value = wrap(spike)(request.x)
        if request.operation == "value":
            return Observation(value)
        assert request.direction is not None
        return Observation(value, (backward or (lambda c: 2 * c))(request.direction))

    return evaluate


def test_every_row_is_evaluated_and_the_answers_are_laid_out_as_the_input() -> None:
    shapes: list[Any] = []
    found = at_once(REQUEST, evaluating(lambda x: shapes.append(x.shape) or -x))
    np.testing.assert_array_equal(found.value, -X)
    np.testing.assert_array_equal(found.gradient, 2 * (10 + X))
    assert shapes == [(3,)] * (COUNT * TURNS)
    alone = at_once(Request("value", X, threads=COUNT), evaluating(lambda x: -x))
    assert alone.derivative is None


def test_every_thread_takes_its_own_rows_and_all_run_at_the_same_time() -> None:
    who: dict[int, set[float]] = {}
    most: list[int] = []

    def spike(x: Any) -> Any:
        who.setdefault(threading.get_ident(), set()).add(float(x[0]) // (3 * TURNS))
        most.append(len(who))
        return x

    at_once(REQUEST, evaluating(spike))
    assert sorted(map(tuple, who.values())) == [(0.0,), (1.0,), (2.0,), (3.0,)]
    assert max(most) == COUNT


def test_what_a_call_leaves_for_its_backward_pass_has_been_overwritten() -> None:
    stash: dict[str, Any] = {}

    def evaluate(request: Request, wrap: Wrap = lambda function: function) -> Observation:
        def forward(x: Any) -> Any:
            stash["x"] = x
            return x

        wrap(forward)(request.x)
        return Observation(request.x, stash["x"])

    for _ in range(20):
        found = at_once(REQUEST, evaluate)
        for turn in (0, 2):
            # Only the last one that went forward may find its own.
            assert (found.gradient[:, turn] == X[:, turn]).all(axis=-1).sum() <= 1


def test_in_every_other_turn_threads_run_as_they_happen_to() -> None:
    waited: list[bool] = []
    plain = evaluating(lambda x: x)

    def evaluate(request: Request, wrap: Wrap | None = None) -> Observation:
        waited.append(wrap is not None)
        return plain(request) if wrap is None else plain(request, wrap)

    at_once(Request("value", X[:1], threads=1), evaluate)
    assert waited == [True, False, True, False]


def test_a_race_within_one_pass_is_lost_at_once() -> None:
    shared: dict[str, Any] = {}

    def doubled(cotangent: Any) -> Any:
        shared["c"] = cotangent
        factor = 2
        return factor * shared["c"]

    for _ in range(20):
        found = at_once(REQUEST, evaluating(lambda x: x, doubled))
        assert (found.gradient != 2 * (10 + X)).any()


def test_lines_are_rested_before_where_they_are_the_implementations(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr(threads.time, "sleep", rests.append)
    at_once(REQUEST, evaluating(np.negative, np.negative))
    own = len(rests)
    rests.clear()

    def long(x: Any) -> Any:
        for _ in range(1000):
            x = -x
        return x

    at_once(REQUEST, evaluating(long, np.negative))
    assert own < len(rests) <= COUNT * TURNS * threads.PAUSES
    assert set(rests) == {threads.PAUSE}


def test_a_debugger_or_a_measure_of_coverage_is_given_back_its_hook() -> None:
    hooks: list[Any] = []

    def evaluate(request: Request, wrap: Wrap = lambda function: function) -> Observation:
        hooks.append(sys.gettrace())
        return Observation(request.x, request.x)

    before = sys.gettrace()
    at_once(REQUEST, evaluate)
    assert all(hooks)
    assert sys.gettrace() is before
    with pytest.raises(ZeroDivisionError):
        at_once(REQUEST, evaluating(lambda x: 1 // 0))
    assert sys.gettrace() is before


@pytest.mark.parametrize("kind", [ValueError, KeyError, SystemExit])
def test_what_one_thread_raises_is_raised_and_no_thread_waits_for_it_for_ever(kind: type[BaseException]) -> None:
    def spike(x: Any) -> Any:
        if x[0] == X[2, 2, 0]:
            raise kind("its own mistake")
        return x

    start = time.perf_counter()
    with pytest.raises(kind, match="its own mistake"):
        at_once(REQUEST, evaluating(spike))
    assert time.perf_counter() - start < threads.PATIENCE / 2


def test_threads_that_cannot_run_at_once_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "PATIENCE", 0.2)
    held = threading.Lock()

    def evaluate(request: Request, wrap: Wrap = lambda function: function) -> Observation:
        with held:  # from forward to backward
            return Observation(wrap(lambda x: x)(request.x), request.x)

    with pytest.raises(TimeoutError, match=r"4 threads at once waited 0\.2 s for one another"):
        at_once(REQUEST, evaluate)


def test_answers_of_different_shapes_cannot_be_laid_out() -> None:
    with pytest.raises(ValueError, match="same shape"):
        at_once(REQUEST, evaluating(lambda x: x[: int(x[0]) % 2 + 1]))
