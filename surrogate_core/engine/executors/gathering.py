"""Gathering: tasks are sent out, their results come back in any order, each unit counts once.

What a worker loses is sent out again, a bounded number of times; then its units are *errored* with the reason. What a
worker refuses, because it has other versions, goes to another one, and the refusal is told by the worker's name. Where
nobody is left who could judge, the run stops, and what is missing is not judged: it can be gone on with.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any

from surrogate_core.engine.executors.crews import Crew, Gone
from surrogate_core.engine.executors.task import Answer, Task, work
from surrogate_core.engine.isolation import Trouble
from surrogate_core.engine.result import Result, from_json
from surrogate_core.engine.telling import printable, sentence
from surrogate_core.properties.outcome import Errored

__all__ = ["Stopped", "gather"]

AHEAD = 2
"""Tasks that wait at every slot beside the one that is judged there: few, so that little is lost with a worker."""

TICK = 1.0
"""Seconds between two looks at what takes too long."""

SLOW = 3.0
"""A task that takes so many times as long as the longest of all others is given to an idle worker, too."""

SHORTEST = 30.0
"""Seconds below which nothing is slow."""

REFUSALS = 20
"""Workers that may refuse one task before it is taken that all would."""

SILENCE = 60.0
"""Seconds without any worker after which that is told, and told again."""

log = logging.getLogger("surrogate_core")


@dataclass(frozen=True)
class Stopped(Trouble):
    """Nobody is left who could judge what is missing."""


@dataclass(eq=False)
class _Job:
    """A task on its way."""

    task: Task
    sent: int = 0
    refused: int = 0
    lost: str = ""
    since: float = 0.0
    due: float = 0.0
    flying: list[Future[Answer]] = field(default_factory=list)


def gather(crew: Crew, tasks: Sequence[Task]) -> Iterator[Result | Trouble]:
    """The results of all tasks as they come, and whatever keeps them from adding up."""
    waiting, open_ = {unit.id for task in tasks for unit in task.units}, _Open(crew, tasks)
    try:
        while open_.jobs:
            open_.send()
            for job, answer in open_.come():
                if isinstance(answer, str):
                    yield from _given_up(job, answer, waiting)
                else:
                    yield from _told(answer, waiting)
        if waiting and open_.none_left:
            yield Stopped(f"no worker is left that may judge {min(waiting)}, nor {len(waiting) - 1} more")
    except Gone as gone:
        yield Stopped(f"{gone}; {len(waiting)} results are missing")
    finally:
        open_.cancel()


class _Open:
    """The tasks that are not settled yet: those to be sent, and those on their way."""

    def __init__(self, crew: Crew, tasks: Sequence[Task]) -> None:
        self.crew, self.none_left = crew, False
        self._queue = deque(_Job(task) for task in tasks)
        self._flying: dict[Future[Answer], _Job] = {}
        self._silent = time.monotonic()
        self._longest = 0.0
        self._refused: set[str] = set()

    @property
    def jobs(self) -> bool:
        """Whether anything is still to come."""
        return bool((self._queue or self._flying) and not self.none_left)

    def send(self) -> None:
        """Send out as many as the workers can take."""
        slots = self.crew.slots()
        if not slots and time.monotonic() - self._silent > SILENCE:
            log.warning("no worker for %.0f s: waiting for one", SILENCE)
            self._silent = time.monotonic()
        if slots:
            self._silent = time.monotonic()
        if not self._queue and len(self._flying) < slots:
            self._queue.extend(self._slow()[: slots - len(self._flying)])
        while self._queue and len(self._flying) < (1 + AHEAD) * slots:
            job = self._queue.popleft()
            allowed, now = job.task.limits.start + job.task.limits.total, time.monotonic()
            future = self.crew.submit(work, job.task)
            job.sent, job.since, job.due = job.sent + 1, now, now + (1 + AHEAD) * allowed
            job.flying.append(future)
            self._flying[future] = job

    def _slow(self) -> list[_Job]:
        """What may well be done sooner by one who has nothing else to do."""
        before = time.monotonic() - max(SHORTEST, SLOW * self._longest)
        mine = dict.fromkeys(self._flying.values())
        return [job for job in mine if job.sent < self.crew.tries and job.since < before]

    def come(self) -> Iterator[tuple[_Job, Answer | str]]:
        """What has come back: answers, and of what is given up the reason."""
        if not self._flying:
            time.sleep(TICK)
            return
        done, _ = wait(self._flying, timeout=TICK, return_when=FIRST_COMPLETED)
        for future in done:
            job = self._flying.pop(future, None)
            if job is None:
                continue  # another copy of the task has come back meanwhile
            job.flying.remove(future)
            try:
                answer = future.result()
            except Exception as error:
                # What the implementation raises is a result: this is of the machinery.
                self.crew.slots()  # raises where it is not a worker that is lost, but whoever hands out the tasks
                job.lost = f"its worker was lost: {sentence(error)}"
                yield from self._again(job)
                continue
            if answer.refused:
                self._refuse(job, answer)
                continue
            self._longest = max(self._longest, time.monotonic() - job.since)
            self._settle(job)
            yield job, answer
        for job in [j for j in self._flying.values() if time.monotonic() > j.due]:
            job.lost, job.due = "it did not come back in time", float("inf")
            yield from self._again(job)

    def cancel(self) -> None:
        """Take back what is on its way."""
        for future in self._flying:
            future.cancel()

    def _again(self, job: _Job) -> Iterator[tuple[_Job, str]]:
        if job in self._queue:
            return  # another copy of it was late
        if job.sent < self.crew.tries:
            self._queue.append(job)
        elif not job.flying or job.due == float("inf"):
            self._settle(job)
            yield job, f"not judged: sent out {job.sent} time{'s' if job.sent > 1 else ''}, at last {job.lost}"

    def _refuse(self, job: _Job, answer: Answer) -> None:
        if answer.worker not in self._refused:
            self._refused.add(answer.worker)
            log.warning("worker %s is not used: %s", answer.worker, printable(answer.refused))
        job.sent, job.refused = job.sent - 1, job.refused + 1
        self._queue.appendleft(job)
        self.none_left = not self.crew.refuse(answer.worker) or job.refused >= REFUSALS

    def _settle(self, job: _Job) -> None:
        for copy in job.flying:
            self._flying.pop(copy, None)
            copy.cancel()
        job.flying.clear()
        if job in self._queue:
            self._queue.remove(job)


def _told(answer: Answer, waiting: set[str]) -> Iterator[Result | Trouble]:
    for trouble in answer.troubles:
        yield Trouble(f"{answer.worker}: {trouble}")
    for stored in answer.results:
        yield from _one(stored, answer.worker, waiting)


def _one(stored: Mapping[str, Any], worker: str, waiting: set[str]) -> Iterator[Result | Trouble]:
    try:
        result = from_json(stored)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield Trouble(f"{worker} reported what is no result ({type(error).__name__}: {error})")
        return
    if result.id in waiting:
        waiting.remove(result.id)
        yield result


def _given_up(job: _Job, why: str, waiting: set[str]) -> Iterator[Result]:
    for unit in job.task.units:
        if unit.id in waiting:
            waiting.remove(unit.id)
            yield unit.result(Errored(printable(why)))
