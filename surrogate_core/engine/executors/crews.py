"""Crews: where tasks are sent. An executor of ``concurrent.futures``, and what it does not tell of itself."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from typing import Protocol

from surrogate_core.engine.executors.task import Answer, Task
from surrogate_core.engine.telling import sentence
from surrogate_core.errors import BadInput, near_misses

__all__ = ["Crew", "Gone", "crew"]

Work = Callable[[Task], Answer]
"""What is done with a task: :func:`surrogate_core.engine.executors.task.work`."""


class Gone(Exception):
    """What hands tasks to workers is gone for good: no worker can be reached any more, and none has lost a task."""


class Crew(Protocol):
    """Workers that take tasks. Each of the methods may raise :class:`Gone`."""

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
        try:
            return self._executor.submit(work, task)
        except RuntimeError as error:  # one of its processes was killed, or it was shut down
            raise Gone(f"the executor takes no more tasks: {sentence(error)}") from None

    def refuse(self, worker: str) -> bool:
        return True  # it is not ours to choose among its workers: the next one may be another


class Processes:
    """Processes of this machine, started anew where one of them was killed, which breaks an executor for good.

    They end with this process, however it ends, and not when they come to the end of what they are at.
    """

    tries = 3

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._theirs, self._leash = multiprocessing.Pipe(duplex=False)
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
        self._leash.close()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._theirs.close()

    def _started(self) -> ProcessPoolExecutor:
        # Spawned: a fork of a process with threads may hang.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._jobs, context, initializer=_leashed, initargs=(self._theirs,))


def _leashed(leash: Connection) -> None:
    """In a process of ours: it ends when the other end of ``leash`` is closed, and not by Ctrl-C at the terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def held() -> None:
        with contextlib.suppress(EOFError, OSError):
            leash.recv_bytes()
        os._exit(1)

    threading.Thread(target=held, daemon=True).start()


@contextlib.contextmanager
def crew(executor: str | Executor, jobs: int) -> Iterator[Crew]:
    """The workers behind the name of an executor: ``processes``, ``dask``, ``dask://host:port``; or an executor.

    Raises:
        BadInput: no such executor; dask is not installed; no address is given, or no scheduler answers there.
    """
    if isinstance(executor, Executor):
        yield Own(executor)
    elif executor == "processes":
        with contextlib.closing(Processes(jobs)) as made:
            yield made
    elif executor == "dask" or executor.startswith("dask://"):
        if executor == "dask://":  # as where a variable of the shell is empty
            raise BadInput("executor 'dask://'", "dask://host:port", "for a cluster of this machine, say dask")
        from surrogate_core.engine.executors.dask import Dask

        with contextlib.closing(Dask(executor.removeprefix("dask").removeprefix("://"), jobs)) as made:
            yield made
    else:
        known = ("processes", "dask", "dask://host:port")
        raise BadInput(f"executor {executor!r}", f"one of {', '.join(known)}", near_misses(executor, known))
