"""What workers report is accounted for: a duplicate, a stranger, a silence are each told in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import pytest

from surrogate_core.engine import Unit, plan
from surrogate_core.engine.isolation import Ended, Limits, Trouble
from surrogate_core.engine.isolation.judge import LOSSES, judge
from surrogate_core.engine.isolation.supervisor import Worker
from surrogate_core.engine.result import Result, to_json
from surrogate_core.properties.outcome import Errored, Passed
from surrogate_core.slayer import SlayerGrad

Said = Mapping[str, Any] | Ended


@pytest.fixture(scope="module")
def units() -> tuple[Unit, ...]:
    return plan(
        [SlayerGrad],
        params={"alpha": 1},
        profile="quick",
        properties=["forward.step", "gradient.peak", "gradient.range"],
        dtypes=["float32"],
        framework="jax",
    ).units


class Scripted:
    """A worker that says what it is told to, in place of a process."""

    def __init__(self, said: Sequence[Said]) -> None:
        self._said, self.closed, self.children = said, False, 0

    def ask(self, message: object, total: float) -> Iterator[Mapping[str, Any]]:
        for said in self._said:
            if isinstance(said, Ended):
                raise said
            yield said

    def close(self) -> None:
        self.closed = True


def heard(units: Sequence[Unit], *scripts: Sequence[Said]) -> list[Result | Trouble]:
    """What is made of workers that say so, one after the other."""
    workers = iter(scripts)
    start = cast(Callable[[], Worker], lambda: Scripted(next(workers)))
    return list(judge(units, Limits(60.0, 600.0), start))


def doing(number: int) -> Said:
    return {"kind": "doing", "unit": number}


def result(unit: Unit) -> Said:
    return {"kind": "result", **to_json(unit.result(Passed()))}


def troubles(found: Sequence[Result | Trouble]) -> list[str]:
    return [said.sentence for said in found if isinstance(said, Trouble)]


def test_what_is_reported_once_each_is_all_there_is(units: tuple[Unit, ...]) -> None:
    found = heard(units, [result(unit) for unit in units])
    assert [r.id for r in found if isinstance(r, Result)] == [unit.id for unit in units]
    assert troubles(found) == []


def test_a_duplicate_a_stranger_and_what_is_no_result_are_told(units: tuple[Unit, ...]) -> None:
    first, *_ = units
    stranger = {**result(first), "property": "gradient.invented"}  # pyright: ignore[reportGeneralTypeIssues]
    odd = {"kind": "result", "property": 7}
    unknown = {**result(first), "outcome": {"state": "glorious"}}  # pyright: ignore[reportGeneralTypeIssues]
    found = heard(units, [result(first), result(first), stranger, odd, unknown, *map(result, units[1:])])
    duplicate, strange, *none = troubles(found)
    assert duplicate == f"{first.id} was reported twice"
    assert strange.endswith("gradient.invented[float32-alpha=1-cpu:0] was reported and not asked for")
    assert [said.partition(" (")[0] for said in none] == [
        f"{first.implementation.name}: a worker reported what is no result"
    ] * 2
    assert sum(isinstance(r, Result) for r in found) == len(units)


def test_a_worker_that_is_done_too_early_leaves_a_sentence(units: tuple[Unit, ...]) -> None:
    found = heard(units, [result(units[0])])
    assert troubles(found) == [f"{units[0].implementation.name}: {units[1].id} was never reported, nor were 1 more"]


def test_a_fault_costs_the_property_that_was_judged_and_a_fresh_worker_goes_on(units: tuple[Unit, ...]) -> None:
    fault = Ended("it ended its process", "there")
    found = heard(units, [doing(0), result(units[0]), doing(1), fault], [result(units[2])])
    assert [r.outcome.state for r in found if isinstance(r, Result)] == ["passed", "errored", "passed"]
    assert troubles(found) == []


def test_one_that_is_brought_down_again_and_again_is_given_up_and_every_property_has_an_outcome(
    units: tuple[Unit, ...],
) -> None:
    fault = Ended("it ended its process", "there")
    found = list(
        judge(
            units,
            Limits(60.0, 600.0, restarts=1),
            cast(Callable[[], Worker], lambda: Scripted([doing(0), fault])),
        )
    )
    assert [r.outcome.state for r in found if isinstance(r, Result)] == ["errored"] * 3
    assert troubles(found) == []


def test_workers_that_are_lost_are_replaced_as_long_as_results_come(units: tuple[Unit, ...]) -> None:
    lost = Ended("the worker vanished", lost=True)
    found = heard(units, [lost], [lost], [result(units[0]), lost], [lost], [result(units[1]), result(units[2])])
    assert sum(isinstance(r, Result) for r in found) == len(units)
    assert troubles(found) == []
    assert troubles(heard(units, *[[lost]] * LOSSES)) == [
        f"{units[0].implementation.name}: the worker vanished; {units[0].id} was never reported, nor were 2 more"
    ]


def left_over(units: Sequence[Unit], *workers: Scripted, handed_on: bool = False) -> tuple[Worker | None, list[str]]:
    """The worker that may go on to another implementation, and what came of the units."""
    there = iter(workers)
    start = cast(Callable[[], Worker], lambda: next(there))
    first = next(there) if handed_on else None
    judging = judge(units, Limits(60.0, 600.0), start, cast("Worker | None", first), handed_on=handed_on)
    states: list[str] = []
    while True:
        try:
            said = next(judging)
        except StopIteration as end:
            return end.value, states
        states.append(said.outcome.state if isinstance(said, Result) else said.sentence)


def test_a_worker_that_judged_all_of_it_may_go_on_and_is_still_there(units: tuple[Unit, ...]) -> None:
    worker = Scripted([result(unit) for unit in units])
    assert left_over(units, worker)[0] is worker
    assert not worker.closed


@pytest.mark.parametrize("what", ["errored", "process", "silent", "children"])
def test_a_worker_in_which_something_went_wrong_goes_on_to_nobody(units: tuple[Unit, ...], what: str) -> None:
    said = [unit.result(Passed()) for unit in units]
    if what == "errored":
        said[1] = units[1].result(Errored("it raised"))
    elif what == "process":
        said[1] = units[1].result(Passed(), process=("it changed the locale, which was put back",))
    elif what == "silent":
        said.pop()
    worker = Scripted([{"kind": "result", **to_json(one)} for one in said])
    worker.children = int(what == "children")
    assert left_over(units, worker)[0] is None
    assert worker.closed


def test_of_two_workers_the_one_that_was_not_brought_down_may_go_on(units: tuple[Unit, ...]) -> None:
    fault = Ended("it ended its process", "there")
    brought_down, other = Scripted([result(units[0]), doing(1), fault]), Scripted([result(units[2])])
    assert left_over(units, brought_down, other) == (other, ["passed", "errored", "passed"])
    assert (brought_down.closed, other.closed) == (True, False)


@pytest.mark.parametrize("said", [[], [0], [1]], ids=["at once", "at the first", "later"])
def test_the_end_of_a_worker_that_was_handed_on_is_blamed_on_nobody(units: tuple[Unit, ...], said: list[int]) -> None:
    fault = Ended("it ended its process", "there")
    told = [result(unit) for unit in units[: max(said, default=0)]]
    used = Scripted([*told, *map(doing, said), fault])
    fresh = Scripted([result(unit) for unit in units[len(told) :]])
    assert left_over(units, used, fresh, handed_on=True) == (fresh, ["passed"] * 3)
    # Of a fresh one it is.
    _, states = left_over(units, Scripted([*told, doing(len(told)), fault]), fresh)
    assert "errored" in states
