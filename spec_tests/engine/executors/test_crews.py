"""Executors that break, and processes that have to end with the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from pathlib import Path

import pytest

from surrogate_core.engine.executors import Task, crew
from surrogate_core.engine.executors.crews import Gone
from surrogate_core.engine.isolation import limits
from surrogate_core.errors import BadInput

TASK = Task((), limits("quick"), ())

CLIENT = """
import multiprocessing
import time

from surrogate_core.engine.executors import crew

if __name__ == "__main__":
    with crew("processes", 2) as workers:
        busy = [workers.submit(time.sleep, 600) for _ in range(2)]
        while not all(one.running() for one in busy) or len(multiprocessing.active_children()) < 2:
            time.sleep(0.01)
        print(*[one.pid for one in multiprocessing.active_children()], flush=True)
        time.sleep(600)
"""


def test_an_executor_whose_process_was_killed_is_gone() -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool, crew(pool, 1) as workers:
        os.kill(pool.submit(os.getpid).result(), signal.SIGKILL)
        with pytest.raises(BrokenExecutor):
            pool.submit(time.sleep, 60).result()
        with pytest.raises(Gone, match=r"the executor takes no more tasks: BrokenProcessPool: "):
            workers.submit(lambda task: pytest.fail("it was judged"), TASK)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("how", ["killed", "interrupted"])
def test_processes_end_with_the_one_that_started_them_and_say_nothing(how: str, tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(CLIENT)
    client = subprocess.Popen(
        [sys.executable, "client.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert client.stdout is not None
    workers = [int(word) for word in client.stdout.readline().split()]
    assert len(workers) == 2
    _wait_until(lambda: all(map(_ignores_interrupts, workers)), "the workers did not start")
    if how == "killed":
        client.kill()
    else:
        os.killpg(client.pid, signal.SIGINT)  # as the terminal does: to all of them
    _, complained = client.communicate(timeout=60)
    _wait_until(lambda: all(map(_ended, workers)), f"{workers} live on")
    # The client's own interrupt is told by Python, and nothing by the workers.
    assert complained.count("Traceback") == (how == "interrupted")


def _wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def _ignores_interrupts(pid: int) -> bool:
    (mask,) = re.findall(r"SigIgn:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
    return bool(int(mask, 16) >> signal.SIGINT - 1 & 1)


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_scheduler_without_an_address_is_a_mistake_and_no_cluster_of_this_machine() -> None:
    with pytest.raises(BadInput, match=r"executor 'dask://'"), crew("dask://", 1):
        pass
