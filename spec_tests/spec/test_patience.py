from __future__ import annotations

import signal
import threading
import time

import pytest

from surrogate_core.spec import patience
from surrogate_core.spec.patience import OutOfPatience, at_most

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer of a process's computing here")


def compute(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_patience_ends_with_what_it_is_for() -> None:
    assert at_most(60, lambda: 3) == 3
    with pytest.raises(OutOfPatience):
        at_most(0.1, lambda: compute(60))
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    compute(0.6)  # nothing comes afterwards


def test_a_patience_within_another_takes_nothing_from_it() -> None:
    def within() -> None:
        for _ in range(1_000):
            at_most(60, lambda: compute(0.06))

    with pytest.raises(OutOfPatience):
        at_most(0.3, within)


def test_what_runs_may_not_take_it_for_its_own_for_ever() -> None:
    taken: list[OutOfPatience] = []

    def deaf() -> None:
        while len(taken) < 2:
            try:
                compute(60)
            except OutOfPatience as ours:
                taken.append(ours)
        compute(60)

    with pytest.raises(OutOfPatience):
        at_most(0.1, deaf)
    assert len(taken) == 2


def test_an_exception_of_what_runs_comes_through() -> None:
    def fails() -> None:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        at_most(60, fails)


def test_work_that_ends_as_its_time_is_up_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "TICK", 1e-5)  # as often as the system ticks
    given_up = 0
    for _ in range(150):
        try:
            at_most(0.006, lambda: compute(0.007))
        except OutOfPatience:
            given_up += 1
        compute(0.001)
    assert given_up > 0
    assert patience._limits == []


def test_a_limit_that_was_left_raises_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    over = patience._Limit(0.0, OutOfPatience)
    monkeypatch.setattr(patience, "_limits", [over])
    with pytest.raises(OutOfPatience):
        patience._look()
    over.left = True
    patience._look()


def test_another_thread_and_somebody_elses_timer_are_left_alone() -> None:
    done: list[bool] = []
    other = threading.Thread(target=lambda: at_most(0.0, lambda: done.append(True)))
    other.start()
    other.join()
    assert done == [True]
    before = signal.signal(signal.SIGVTALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_VIRTUAL, 100)
    try:
        assert at_most(0.0, lambda: compute(0.6)) is None
        assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 90
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
