"""Workers for a whole run: as many at a time as there are jobs, each for one implementation or one group of them."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from operator import itemgetter
from types import TracebackType
from typing import Any

from surrogate_core.engine.facts import Facts
from surrogate_core.engine.isolation.branch import Branch
from surrogate_core.engine.isolation.groups import groups
from surrogate_core.engine.isolation.judge import LOSSES, Trouble, judge
from surrogate_core.engine.isolation.limits import Limits
from surrogate_core.engine.isolation.nursery import Nursery
from surrogate_core.engine.isolation.supervisor import Ended, Worker
from surrogate_core.engine.isolation.worker import AskFacts
from surrogate_core.engine.plan import Unit
from surrogate_core.engine.result import Result
from surrogate_core.errors import BadInput
from surrogate_core.libraries import Library
from surrogate_core.libraries.target import Misfit, Target
from surrogate_core.spec.model import Parameters

__all__ = ["Pool", "available", "cores"]

KEPT = 4
"""Workers that are kept, with their target imported, from planning to judging, beyond one for each job."""

WORKER = "surrogate_core.engine.isolation.worker"


def available() -> bool:
    """Whether processes can be isolated here: what that takes is offered by Linux alone."""
    return sys.platform == "linux"


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Pool:
    """Workers, and the threads of this process that watch one each. Close it, or use it in a ``with`` statement.

    Args:
        limits: of each implementation.
        jobs: how many implementations, or groups of them, are judged at a time.
        frameworks: those that the implementations are known to need, imported once for all.
        shared: by name, the library that several of the implementations come from, to be imported once for them.
        alike: whether several implementations are to be judged, which then share what they compile.
    """

    def __init__(
        self,
        limits: Limits,
        jobs: int = 1,
        frameworks: Iterable[str] = ("jax",),
        shared: Mapping[str, Library] | None = None,
        alike: bool = False,
    ) -> None:
        self._limits, self._jobs = limits, jobs
        # Two workers whose threads wait for the same cores, busily, take twice the time that they take in turns.
        threads = max(1, cores() // jobs) if jobs > 1 else None
        drivers = [f"surrogate_core.drivers.{name}" for name in frameworks]
        self._breed = partial(Nursery, [WORKER, *drivers], threads, alike)
        self._nursery = self._breed()
        self._threads = ThreadPoolExecutor(jobs)
        self._idle: dict[str, Worker] = {}
        self._shared, self._branches = dict(shared or {}), dict[str, Branch]()
        self._turn, self._renewing, self._closing = threading.Lock(), threading.Lock(), threading.Event()

    def facts(self, asked: Sequence[tuple[Target, Parameters]]) -> list[Facts | Ended | BadInput]:
        """What is to be known of each target, how its worker ended before that, or why it cannot be used."""
        # Of a library's targets one after the other: to look at one takes far less than to start a worker for it.
        together: dict[str, list[int]] = {}
        for number, (target, _) in enumerate(asked):
            library = self._shared.get(target.name)
            together.setdefault(library.name if library else f"{number}", []).append(number)
        told = [self._threads.submit(self._facts, [asked[n] for n in numbers]) for numbers in together.values()]
        order, found = chain(*together.values()), chain(*(future.result() for future in told))
        return [one for _, one in sorted(zip(order, found, strict=True), key=itemgetter(0))]

    def run(self, units: Sequence[Unit]) -> Iterator[Result | Trouble]:
        """The results as they happen, and whatever keeps them from adding up."""
        batches: dict[str, list[Unit]] = {}
        for unit in units:
            batches.setdefault(unit.implementation.name, []).append(unit)
        # With a limit of memory each has a process of its own: what one holds cannot be told from what others left.
        shared = {} if self._limits.memory is not None else self._shared
        said: queue.SimpleQueue[Result | Trouble | BaseException | None] = queue.SimpleQueue()
        grouped = groups(batches, shared, self._jobs)
        for group in grouped:
            self._threads.submit(self._judge, [batches[name] for name in group], said)
        left = len(grouped)
        while left:
            heard = said.get()
            if heard is None:
                left -= 1
            elif isinstance(heard, BaseException):
                raise heard
            else:
                yield heard

    def close(self) -> None:
        """End every worker."""
        self._closing.set()
        for branch in self._branches.values():
            branch.close()
        self._nursery.close()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._idle.values():
            worker.close()
        self._idle.clear()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, name: str) -> Worker:
        if (branch := self._branch(name)) and branch.ready():
            try:
                return Worker(branch.send, self._limits)
            except Ended:
                self._forget(branch)
        return Worker(self._send, self._limits)

    def _send(self, order: Mapping[str, Any], fds: Sequence[int]) -> None:
        """Hand an order to the nursery; to a new one, where the code under test has killed it."""
        nursery = self._nursery
        try:
            nursery.send(order, fds)
        except OSError:
            with self._renewing:
                if self._closing.is_set():
                    raise
                if self._nursery is nursery:
                    nursery.close()
                    self._nursery = self._breed()
            self._nursery.send(order, fds)

    def _forget(self, branch: Branch) -> None:
        """A branch that is gone is grown anew for the next that needs it."""
        branch.close()
        with self._turn:
            self._branches = {name: one for name, one in self._branches.items() if one is not branch}

    def _branch(self, name: str) -> Branch | None:
        """That of its library, if that is shared; it is grown when it is first asked for."""
        if (library := self._shared.get(name)) is None:
            return None
        with self._turn:
            if library.name not in self._branches:
                modules = dict.fromkeys(surrogate.module for surrogate in library.surrogates)
                self._branches[library.name] = Branch(self._send, [*modules], library.blocked, self._limits.start)
            return self._branches[library.name]

    def _facts(self, asked: Sequence[tuple[Target, Parameters]]) -> list[Facts | Ended | BadInput]:
        """What is to be known of each, from one worker for as long as it lives; it is kept where it saw one alone."""
        found: list[Facts | Ended | BadInput] = []
        worker: Worker | None = None
        for target, parameters in asked:
            one, worker = self._known(target, parameters, worker)
            found.append(one)
        if worker and len(asked) == 1:
            self._keep(asked[0][0].name, worker)
        elif worker:
            worker.close()
        return found

    def _known(
        self, target: Target, parameters: Parameters, worker: Worker | None
    ) -> tuple[Facts | Ended | BadInput, Worker | None]:
        """What is to be known of one, and the worker that told it, if it may be asked again."""
        if worker:
            found, worker = self._asked(target, parameters, worker)
            if not isinstance(found, Ended):
                return found, worker
        # By itself, so that nobody is blamed for what was done to the worker before.
        found, worker = self._asked(target, parameters, None)
        for _ in range(1, LOSSES):
            if isinstance(found, Ended) and found.lost:
                found, worker = self._asked(target, parameters, None)
        if not (isinstance(found, Ended) and found.lost):
            return found, worker
        mistake = BadInput(
            f"target {target.name!r}: {found.what}\n{found.details}".strip(),
            "a system that can start worker processes",
            "judge it in this process, with --in-process",
        )
        return mistake, None

    def _asked(
        self, target: Target, parameters: Parameters, worker: Worker | None
    ) -> tuple[Facts | Ended | BadInput, Worker | None]:
        try:
            worker = worker or self._start(target.name)
        except Ended as ended:
            return ended, None
        stage = "while it was imported"
        found: Facts | BadInput | None = None
        try:
            for answer in worker.ask(AskFacts(target, parameters), self._limits.total):
                if answer["kind"] == "imported":
                    stage = "when it was called for the first time"
                elif answer["kind"] in ("mistake", "misfit"):
                    found = (Misfit if answer["kind"] == "misfit" else BadInput)(*answer["message"])
                else:
                    found = _facts_from(answer)
        except Ended as ended:
            worker.close()
            return Ended(f"{ended.what}, {stage}", ended.details, ended.lost), None
        if isinstance(found, Facts):
            return found, worker
        worker.close()
        return found or Ended("the worker did not say what it had found", lost=True), None

    def _keep(self, name: str, worker: Worker) -> None:
        spare: Worker | None = worker
        with self._turn:
            if name in self._idle or len(self._idle) < self._jobs + KEPT:
                spare, self._idle[name] = self._idle.get(name), worker
        if spare:
            spare.close()

    def _judge(self, group: Sequence[Sequence[Unit]], said: queue.SimpleQueue[Any]) -> None:
        try:
            for result in self._judged(group):
                if self._closing.is_set():
                    return
                said.put(result)
        except BaseException as error:  # told by the thread that waits for it
            said.put(error)
        finally:
            said.put(None)

    def _judged(self, group: Sequence[Sequence[Unit]]) -> Iterator[Result | Trouble]:
        """The results of a group, from one worker for as long as it may go on to the next."""
        worker: Worker | None = None
        try:
            for batch in group:
                name = batch[0].implementation.name
                with self._turn:
                    idle = self._idle.pop(name, None)
                if worker and idle:
                    idle.close()
                used, worker = worker, None  # which is closed by whoever judges in it
                start = partial(self._start, name)
                worker = yield from judge(batch, self._limits, start, used or idle, handed_on=used is not None)
        finally:
            if worker:
                worker.close()


def _facts_from(answer: dict[str, Any]) -> Facts:
    values = {name: value for name, value in answer.items() if name != "kind"}
    values["devices"] = tuple((name, kind) for name, kind in values["devices"])
    values["absent"] = tuple(values["absent"])
    return Facts(**values)
