from __future__ import annotations

import gc
import itertools
import math

import numpy as np
import pytest

from surrogate_core.drivers.workload import Prepared
from surrogate_core.perf import turns
from surrogate_core.perf.decide import medians
from surrogate_core.perf.turns import GO, GOES, TURN, Turn, lengths, take_turns


def arms(log: list[str], *names: str) -> dict[str, Prepared]:
    def arm(name: str) -> Prepared:
        return Prepared((lambda: log.append(name),), lambda _: log.append(f"wait {name}"), 0.0, 0, 0, {})

    return {name: arm(name) for name in names}


class Clock:
    """Stands still but for what calls take; each one what comes next."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(turns.time, "perf_counter", lambda: self.now)

    def arm(self, *seconds: float) -> Prepared:
        taken = itertools.cycle(seconds)

        def call() -> None:
            self.now += next(taken)

        return Prepared((call,), lambda _: None, 0.0, 0, 0, {})


def test_in_every_go_each_arm_is_called_and_waited_for() -> None:
    log: list[str] = []
    seconds = take_turns(arms(log, "a", "b"), rounds=10, turn=Turn(goes=3, repeat=2), seed=1)
    assert {name: [len(goes) for goes in s] for name, s in seconds.items()} == {"a": [3] * 10, "b": [3] * 10}
    goes = [log[i : i + 6] for i in range(0, len(log), 6)]
    assert len(goes) == 30
    assert all(sorted(g[::3]) == ["a", "b"] for g in goes)
    assert all(g[2] == f"wait {g[0]}" and g[5] == f"wait {g[3]}" for g in goes)


def test_neither_arm_always_goes_first() -> None:
    log: list[str] = []
    take_turns(arms(log, "a", "b"), rounds=1, turn=Turn(goes=60, repeat=1), seed=1)
    first = log[::4].count("a")
    assert 15 < first < 45


def test_every_go_is_kept_in_the_order_in_which_it_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    given = {"steady": clock.arm(1.0), "disturbed": clock.arm(1.0, 2.0, 50.0)}
    seconds = take_turns(given, rounds=2, turn=Turn(goes=3, repeat=1), seed=0)
    assert seconds == {"steady": [[1.0] * 3] * 2, "disturbed": [[1.0, 2.0, 50.0]] * 2}


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_ratio_does_not_jump_whatever_share_of_the_calls_is_slow(share: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    old, new = (0.35 + 0.2 * (random.random((20, 40)) < share) + 0.002 * random.random((20, 40)) for _ in range(2))
    # The median of each turn, and the mean of its faster half, are off by up to 0.25 and 0.04 at half.
    assert float(medians([(1.1 * new).tolist()], [old.tolist()])[0]) == pytest.approx(math.log(1.1), abs=0.005)


def test_one_go_after_the_other_calls_one_copy_of_the_program_after_the_other() -> None:
    log: list[str] = []
    copies = tuple(lambda name=name: log.append(name) for name in "abc")
    take_turns({"arm": Prepared(copies, lambda _: None, 0.0, 0, 0, {})}, 2, Turn(goes=2, repeat=2), seed=0)
    assert "".join(log) == "aabbccaa"


def test_seconds_are_of_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    assert take_turns({"a": clock.arm(1.0, 3.0)}, rounds=1, turn=Turn(goes=4, repeat=2), seed=0) == {"a": [[2.0] * 4]}


@pytest.mark.parametrize(
    ("call", "expected"),
    # Powers of two, which no difference of times rounds.
    [(2.0**-17, Turn(40, 7)), (2.0**-10, Turn(13, 1)), (1.0, Turn(1, 1))],
    ids=["short", "longer than a go", "longer than a turn"],
)
def test_a_turn_is_as_long_for_every_arm_as_the_fastest_needs(
    call: float, expected: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    found = lengths({"fast": clock.arm(call), "slow": clock.arm(9 * call)})
    assert found == expected
    assert found.repeat * call >= GO
    assert found.goes == GOES or found.goes * found.repeat * call >= TURN


def test_short_calls_are_repeated_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lengths({"a": Clock(monkeypatch).arm(0.0)}) == Turn(40, 1000)


def test_garbage_is_collected_again_afterwards() -> None:
    assert gc.isenabled()
    take_turns(arms([], "a"), rounds=1, turn=Turn(1, 1), seed=0)
    assert gc.isenabled()
