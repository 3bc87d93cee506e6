from __future__ import annotations

import gc

from surrogate_core.drivers.workload import Prepared
from surrogate_core.perf.turns import calls, take_turns


def arms(log: list[str], *names: str) -> dict[str, Prepared]:
    def arm(name: str) -> Prepared:
        return Prepared(lambda: log.append(name), lambda _: log.append(f"wait {name}"), 0.0, 0, 0, {})

    return {name: arm(name) for name in names}


def test_in_every_round_each_arm_has_one_turn_and_is_waited_for() -> None:
    log: list[str] = []
    seconds = take_turns(arms(log, "a", "b"), rounds=30, repeat=2, seed=1)
    assert {name: len(s) for name, s in seconds.items()} == {"a": 30, "b": 30}
    rounds = [log[i : i + 6] for i in range(0, len(log), 6)]
    assert all(sorted(r[::3]) == ["a", "b"] for r in rounds)
    assert all(r[2] == f"wait {r[0]}" and r[5] == f"wait {r[3]}" for r in rounds)


def test_neither_arm_always_goes_first() -> None:
    log: list[str] = []
    take_turns(arms(log, "a", "b"), rounds=60, repeat=1, seed=1)
    first = log[::4].count("a")
    assert 15 < first < 45


def test_short_calls_are_repeated_within_a_turn_but_not_for_ever() -> None:
    assert calls(arms([], "a")) == 1000


def test_garbage_is_collected_again_afterwards() -> None:
    assert gc.isenabled()
    take_turns(arms([], "a"), rounds=1, repeat=1, seed=0)
    assert gc.isenabled()
