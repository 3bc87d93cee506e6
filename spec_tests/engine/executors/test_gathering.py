"""Tasks are cut, sent out and gathered; here by workers that are lost, late, of other versions, or confused."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace

import pytest

from surrogate_core.engine import Plan, Unit, plan
from surrogate_core.engine.executors import Answer, Stopped, Task, cut, gather
from surrogate_core.engine.executors.crews import Gone
from surrogate_core.engine.facts import Facts
from surrogate_core.engine.isolation import Trouble, limits
from surrogate_core.engine.result import Result, to_json
from surrogate_core.properties.outcome import Errored, Passed

LIMITS = limits("quick")

Does = Callable[[Task], Answer | Exception | None]
"""What a worker does with a task: it answers, is lost, or never comes back."""


def planned(profile: str = "quick", **options: object) -> Plan:
    """A plan for which nothing is imported."""
    facts = [Facts("jax", (("cpu:0", "cpu"),))]
    return plan(["surrogate_core:SlayerGrad"], profile=profile, ask=lambda asked: facts, **options)  # pyright: ignore[reportArgumentType]


UNITS = planned(properties=["gradient.peak", "forward.step"], dtypes=["float16", "float32"]).units
TASKS = cut(UNITS, LIMITS)


def result(unit: Unit) -> Result:
    return unit.result(Passed())


def right(task: Task) -> Answer:
    return Answer("one", tuple(to_json(result(unit)) for unit in task.units))


class Workers:
    """A crew that does with the first tasks what it is told, and judges the others."""

    def __init__(self, *does: Does, tries: int = 3, others: bool = True) -> None:
        self.tries, self._does, self._others = tries, [*does], others
        self.sent: list[Task] = []
        self.refused: list[str] = []
        self.futures: list[Future[Answer]] = []

    def slots(self) -> int:
        return 1

    def submit(self, work: object, task: Task) -> Future[Answer]:
        self.sent.append(task)
        future: Future[Answer] = Future()
        came = (self._does.pop(0) if self._does else right)(task)
        if isinstance(came, Answer):
            future.set_result(came)
        elif came is not None:
            future.set_exception(came)
        self.futures.append(future)
        return future

    def refuse(self, worker: str) -> bool:
        self.refused.append(worker)
        return self._others


def lost(task: Task) -> Exception:
    return ConnectionError("the worker is gone")


def results(said: Iterator[Result | Trouble]) -> tuple[list[Result], list[str]]:
    everything = [*said]
    found = [one for one in everything if isinstance(one, Result)]
    return found, [one.sentence for one in everything if isinstance(one, Trouble)]


def test_units_of_a_case_travel_together_and_spans_by_the_handful() -> None:
    units = planned("thorough", dtypes=["float32"], params={"alpha": [0.7]}).units
    tasks = cut(units, LIMITS)
    assert [u.id for task in tasks for u in task.units if not u.span] == [u.id for u in units if not u.span]
    assert sorted(u.id for task in tasks for u in task.units) == sorted(u.id for u in units)
    assert [len(task.units) for task in tasks if task.units[0].span] == [16] * 4
    assert len([task for task in tasks if not task.units[0].span]) == 1


def test_a_task_is_a_plain_value_of_a_few_kilobytes() -> None:
    task = max(cut(planned("thorough").units, LIMITS), key=lambda task: len(pickle.dumps(task)))
    assert pickle.loads(pickle.dumps(task)) == task
    assert len(pickle.dumps(task)) < 16_000


def test_every_unit_comes_back_once() -> None:
    found, troubles = results(gather(Workers(), TASKS))
    assert sorted(r.id for r in found) == sorted(u.id for u in UNITS)
    assert not troubles


def test_what_a_worker_loses_is_sent_out_again() -> None:
    workers = Workers(lost, lost)
    found, troubles = results(gather(workers, TASKS))
    assert all(isinstance(r.outcome, Passed) for r in found)
    assert len(found) == len(UNITS)
    assert len(workers.sent) == len(TASKS) + 2
    assert not troubles


def test_what_is_lost_every_time_is_errored_with_the_reason() -> None:
    found, troubles = results(gather(Workers(*[lost] * 2, tries=2), TASKS[:1]))
    assert {type(r.outcome) for r in found} == {Errored}
    assert "sent out 2 times, at last its worker was lost: ConnectionError: the worker is gone" in str(found[0].outcome)
    assert len(found) == len(TASKS[0].units)
    assert not troubles


def test_what_is_late_is_sent_out_again_and_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surrogate_core.engine.executors.gathering.TICK", 0.01)
    hasty = [replace(TASKS[0], limits=replace(LIMITS, total=1e-3, start=0.0))]
    workers = Workers(lambda task: None)
    found: list[Result] = []
    for said in gather(workers, hasty):
        assert isinstance(said, Result)
        found.append(said)
        if not workers.futures[0].done():
            workers.futures[0].set_result(right(hasty[0]))  # the first copy comes back after all
    assert sorted(r.id for r in found) == sorted(u.id for u in hasty[0].units)
    assert len(workers.sent) == 2


def test_what_never_comes_back_is_errored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surrogate_core.engine.executors.gathering.TICK", 0.01)
    hasty = [replace(TASKS[0], limits=replace(LIMITS, total=1e-3, start=0.0))]
    found, _ = results(gather(Workers(*[lambda task: None] * 2, tries=2), hasty))
    assert {str(r.outcome) for r in found} == {
        str(Errored("not judged: sent out 2 times, at last it did not come back in time"))
    }


def test_a_unit_that_is_reported_twice_counts_once() -> None:
    twice = [to_json(result(TASKS[0].units[0]))] * 2 + [to_json(result(u)) for u in TASKS[0].units[1:]]
    found, _ = results(gather(Workers(lambda task: Answer("one", tuple(twice))), TASKS[:1]))
    assert [r.id for r in found] == [u.id for u in TASKS[0].units]


def test_a_worker_of_other_versions_is_refused_by_name_and_another_one_judges(caplog: pytest.LogCaptureFixture) -> None:
    workers = Workers(lambda task: Answer("old", refused="jax is 0.4 and not 0.10"))
    with caplog.at_level(logging.WARNING, "surrogate_core"):
        found, troubles = results(gather(workers, TASKS))
    assert caplog.messages == ["worker old is not used: jax is 0.4 and not 0.10"]
    assert workers.refused == ["old"]
    assert len(found) == len(UNITS)
    assert not troubles


def test_where_every_worker_is_refused_nothing_is_judged_and_the_run_says_so() -> None:
    workers = Workers(*[lambda task: Answer("old", refused="jax is 0.4 and not 0.10")] * 3, others=False)
    found, troubles = results(gather(workers, TASKS))
    assert not found
    (trouble,) = troubles
    assert trouble.startswith("no worker is left that may judge ")


def test_where_whoever_hands_out_tasks_is_gone_the_run_stops_and_nothing_is_errored() -> None:
    workers = Workers(right, lost, tries=1)
    slots = iter([1])

    def gone() -> int:
        if (there := next(slots, None)) is None:
            raise Gone("the scheduler does not answer any more")
        return there

    workers.slots = gone  # pyright: ignore[reportAttributeAccessIssue]
    *found, stopped = gather(workers, TASKS)
    assert all(isinstance(r, Result) and isinstance(r.outcome, Passed) for r in found)
    missing = len(UNITS) - len(found)
    assert stopped == Stopped(f"the scheduler does not answer any more; {missing} results are missing")
    assert missing


@pytest.mark.parametrize("comes_back", [True, False])
def test_what_is_slow_is_given_to_an_idle_worker_too_and_counts_once(
    comes_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("surrogate_core.engine.executors.gathering.TICK", 0.01)
    monkeypatch.setattr("surrogate_core.engine.executors.gathering.SHORTEST", 0.05)
    workers = Workers(lambda task: None)
    monkeypatch.setattr(workers, "slots", lambda: 2)
    found: list[Result] = []
    for said in gather(workers, TASKS):
        assert isinstance(said, Result)
        found.append(said)
        if comes_back and len(workers.sent) > len(TASKS) and not workers.futures[0].done():
            workers.futures[0].set_result(right(TASKS[0]))
    assert sorted(r.id for r in found) == sorted(u.id for u in UNITS)
    assert workers.sent == [*TASKS, TASKS[0]]
    assert workers.futures[0].done()


def test_what_is_late_and_then_lost_is_sent_out_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surrogate_core.engine.executors.gathering.TICK", 0.01)
    hasty = [replace(task, limits=replace(LIMITS, total=1e-3, start=0.0)) for task in TASKS[:1]]
    workers = Workers(lambda task: None)
    there = iter([1, 0])
    monkeypatch.setattr(workers, "slots", lambda: next(there, None) or _then_lose(workers))
    found, troubles = results(gather(workers, hasty))
    assert len(workers.sent) == 2
    assert {type(r.outcome) for r in found} == {Passed}
    assert not troubles


def _then_lose(workers: Workers) -> int:
    """While the late task waits to be sent out again, its first copy is lost; the slot is free after that."""
    if not workers.futures[0].done():
        workers.futures[0].set_exception(ConnectionError("the worker is gone"))
        return 0
    return 1


def test_a_refusal_without_end_ends() -> None:
    workers = Workers(*[lambda task: Answer("old", refused="jax is 0.4 and not 0.10")] * 100)
    found, troubles = results(gather(workers, TASKS[:1]))
    assert not found
    assert len(troubles) == 1
    assert len(workers.sent) == 20


def test_what_is_no_result_is_told_with_its_worker() -> None:
    _, troubles = results(gather(Workers(lambda task: Answer("one", ({"what": 1},))), TASKS[:1]))
    assert troubles == ["one reported what is no result (KeyError: 'implementation')"]


def test_what_is_on_its_way_is_taken_back_when_nobody_waits_any_more() -> None:
    workers = Workers(right, lambda task: None)
    said = gather(workers, TASKS)
    next(said)
    said.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert workers.futures[1].cancelled()


def test_that_no_worker_is_there_is_told_and_the_work_waits_for_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("surrogate_core.engine.executors.gathering.TICK", 0.0)
    monkeypatch.setattr("surrogate_core.engine.executors.gathering.SILENCE", 0.0)
    workers, there = Workers(), iter([0, 0])
    monkeypatch.setattr(workers, "slots", lambda: next(there, 1))
    with caplog.at_level(logging.WARNING, "surrogate_core"):
        found, troubles = results(gather(workers, TASKS))
    assert caplog.messages == ["no worker for 0 s: waiting for one"] * 2
    assert len(found) == len(UNITS)
    assert not troubles
