"""Crews: where tasks are sent. An executor of ``concurrent.futures``, and what it does not tell of itself."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import Protocol

from surrogate_core.engine.executors.task import Answer, Task
from surrogate_core.errors import BadInput, near_misses

__all__ = ["Crew", "crew"]

Work = Callable[[Task], Answer]
"""What is done with a task: :func:`surrogate_core.engine.executors.task.work`."""


class Crew(Protocol):
    """Workers that take tasks."""

    tries: int
    """How often a task is sent out before it is given up."""

    def slots(self) -> int:
        """How many tasks are judged at a time."""
        ...

    def submit(self, work: Work, task: Task) -> Future[Answer]:
        """Send a task to a worker that has not been refused."""
        ...

    def refuse(self, worker: str) -> bool:
        """Send nothing more to a worker; whether others are left, as far as that is known."""
        ...


class Own:
    """An executor that the user made, used as it is."""

    tries = 3

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def slots(self) -> int:
        return int(getattr(self._executor, "_max_workers", 0)) or os.cpu_count() or 1

    def submit(self, work: Work, task: Task) -> Future[Answer]:
        return self._executor.submit(work, task)

    def refuse(self, worker: str) -> bool:
        return True  # it is not ours to choose among its workers: the next one may be another


class Processes:
    """Processes of this machine, started anew where one of them was killed, which breaks an executor for good."""

    tries = 3

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._executor = self._started()

    def slots(self) -> int:
        return self._jobs

    def submit(self, work: Work, task: Task) -> Future[Answer]:
        try:
            return self._executor.submit(work, task)
        except BrokenExecutor:
            self._executor.shutdown(wait=False)
            self._executor = self._started()
            return self._executor.submit(work, task)

    def refuse(self, worker: str) -> bool:
        return True

    def close(self) -> None:
        """End the processes, and what they are at."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        # Spawned: a fork of a process with threads may hang.
        return ProcessPoolExecutor(self._jobs, multiprocessing.get_context("spawn"))


@contextlib.contextmanager
def crew(executor: str | Executor, jobs: int) -> Iterator[Crew]:
    """The workers behind the name of an executor: ``processes``, ``dask``, ``dask://host:port``; or an executor.

    Raises:
        BadInput: no such executor; dask is not installed; no scheduler answers at its address.
    """
    if isinstance(executor, Executor):
        yield Own(executor)
    elif executor == "processes":
        with contextlib.closing(Processes(jobs)) as made:
            yield made
    elif executor == "dask" or executor.startswith("dask://"):
        from surrogate_core.engine.executors.dask import Dask

        with contextlib.closing(Dask(executor.removeprefix("dask").removeprefix("://"), jobs)) as made:
            yield made
    else:
        known = ("processes", "dask", "dask://host:port")
        raise BadInput(f"executor {executor!r}", f"one of {', '.join(known)}", near_misses(executor, known))
