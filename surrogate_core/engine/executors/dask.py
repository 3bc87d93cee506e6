"""Workers of dask.distributed: a cluster of this machine, or a scheduler that is there already."""

from __future__ import annotations

import contextlib
import logging
import signal
from concurrent.futures import Future
from typing import Any

from surrogate_core.engine.executors.crews import Gone
from surrogate_core.engine.executors.task import Answer, Task
from surrogate_core.errors import BadInput

__all__ = ["Dask"]

PATIENCE = 30
"""Seconds that a scheduler may take to answer, and its first worker to come."""


def dask_setup(worker: object) -> None:
    """Called by dask in each process of a cluster of ours: Ctrl-C at the terminal is the client's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Dask:
    """A client of a scheduler; close it.

    Args:
        address: ``host:port`` of a scheduler; empty for a cluster of this machine, which is ended with it.
        jobs: processes of that cluster.

    Raises:
        BadInput: dask.distributed is not installed; nothing answers at the address; no worker is there.
    """

    tries = 2  # where a worker is lost, the scheduler itself sends its tasks out again: three times, as it is set up

    def __init__(self, address: str, jobs: int) -> None:
        try:
            import distributed
        except ImportError:
            raise BadInput(
                "executor 'dask' without dask.distributed",
                "the package distributed",
                "pip install 'surrogate_core[dask]'",
            ) from None
        self._cluster: Any = None
        if not address:
            self._cluster = distributed.LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                dashboard_address=":0",
                silence_logs=logging.ERROR,
                preload=[__name__],
            )
        try:
            self._client: Any = distributed.Client(self._cluster or f"tcp://{address}", timeout=PATIENCE)
            self._client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, TimeoutError, ValueError) as error:
            self.close()
            raise BadInput(
                f"executor 'dask://{address}': {error}",
                "a scheduler with at least one worker",
                "start `dask scheduler` and `dask worker HOST:PORT`, and give HOST:PORT",
            ) from None
        self._executor = self._client.get_executor(pure=False)
        self._refused: set[str] = set()

    def slots(self) -> int:
        return sum(threads for worker, threads in self._threads().items() if worker not in self._refused)

    def submit(self, work: Any, task: Task) -> Future[Answer]:
        if not self._refused:
            return self._executor.submit(work, task)
        # Those that have come since are among them, because tasks are sent out as others come back.
        return self._executor.submit(work, task, workers=[*self._threads().keys() - self._refused])

    def refuse(self, worker: str) -> bool:
        self._refused.add(worker)
        return bool(self._threads().keys() - self._refused)

    def close(self) -> None:
        """Take back what was sent, and leave; end the cluster where it is ours."""
        for opened in (getattr(self, "_client", None), self._cluster):
            if opened is not None:
                with contextlib.suppress(TimeoutError, OSError):
                    opened.close()

    def _threads(self) -> dict[str, int]:
        try:
            return dict(self._client.nthreads())
        except (OSError, TimeoutError, RuntimeError) as error:  # the client has tried for half a minute
            raise Gone(f"the scheduler does not answer any more: {error}") from None
