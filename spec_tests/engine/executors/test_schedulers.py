"""Real executors: a scheduler and its workers as processes of their own, which are killed and joined on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import surrogate_core
from surrogate_core import engine
from surrogate_core.errors import BadInput

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.thorough

SLOW = """
import time

import jax

from surrogate_core import SlayerGrad


def make(alpha):
    time.sleep(0.3)  # so that there is a while in which workers can be killed
    return SlayerGrad(alpha)
"""

RATES = "0.3,0.7,1.3,1.7"
OPTIONS = ["--profile", "quick", "--dtype", "float16,float32", "--property", "gradient.peak", "--property", "forward.*"]
"""Eight tasks."""


def outcomes(run: engine.Run) -> dict[str, object]:
    """What has to be the same wherever it was judged: all but time and compilations."""
    return {result.id: (result.outcome, result.part) for result in run.results}


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def other_versions(folder: Path) -> str:
    """A PYTHONPATH on which another version of a package is found first."""
    place = folder / "other" / "sympy-0.1.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: sympy\nVersion: 0.1\n")
    return f"{place.parent}{os.pathsep}{ROOT}"


class Cluster:
    """A scheduler, and workers that come and go."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.processes = folder, list[subprocess.Popen[bytes]]()
        file = folder / "scheduler.json"
        self._start("scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1", "--scheduler-file", str(file))
        deadline = time.monotonic() + 60
        while not file.exists() or not file.read_text().strip().endswith("}"):
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.1)
        self.address = json.loads(file.read_text())["address"].removeprefix("tcp://")

    def worker(self, **more: str) -> subprocess.Popen[bytes]:
        """One more worker, of one thread, which nobody starts again."""
        return self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60",
            "--local-directory", str(self._folder), **more,
        )  # fmt: skip

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
        for process in self.processes:
            process.wait()

    def _start(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        log = (self._folder / f"{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *command], env=environment(**more), stdout=log, stderr=log, cwd=self._folder
        )
        log.close()
        self.processes.append(process)
        return process


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="pip install 'surrogate_core[dask]'")
    made = Cluster(tmp_path)
    yield made
    made.close()


def check(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "surrogate_core", "check", "slow.py:make", "--param", f"alpha={RATES}", *OPTIONS]
    return subprocess.Popen(
        [*command, *more], cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def wait_for(file: Path, number: int) -> None:
    deadline = time.monotonic() + 240
    while lines(file) < number:
        assert time.monotonic() < deadline, f"{file} has {lines(file)} lines, and not {number}"
        time.sleep(0.05)


def test_workers_and_the_client_may_die_and_nothing_is_lost_or_counted_twice(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    file = tmp_path / "results.jsonl"
    first, _ = cluster.worker(), cluster.worker()
    client = check(tmp_path, "--executor", f"dask://{cluster.address}", "--results", str(file))
    wait_for(file, 2)
    client.send_signal(signal.SIGKILL)
    client.communicate()
    begun = engine.read(file)
    assert not begun.complete
    assert 0 < len(begun.results) < begun.header["planned"]

    other = other_versions(tmp_path)
    client = check(tmp_path, "--executor", f"dask://{cluster.address}", "--resume", str(file))
    wait_for(file, lines(file) + 1)
    first.send_signal(signal.SIGKILL)
    cluster.worker(PYTHONPATH=other)
    cluster.worker()
    said, complained = client.communicate(timeout=300)
    assert client.returncode == 0, said + complained
    assert "conforms to the spec slayer" in said

    finished = engine.read(file)
    assert finished.complete
    assert len(finished.results) == len({r.id for r in finished.results}) == finished.header["planned"]
    local = tmp_path / "local.jsonl"
    check(tmp_path, "--results", str(local)).communicate(timeout=300)
    assert outcomes(finished) == outcomes(engine.read(local))


def test_a_worker_of_other_versions_alone_judges_nothing_and_is_named(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    cluster.worker(PYTHONPATH=other_versions(tmp_path))
    file = tmp_path / "results.jsonl"
    client = check(tmp_path, "--executor", f"dask://{cluster.address}", "--results", str(file))
    said, complained = client.communicate(timeout=300)
    assert client.returncode == 3
    assert not engine.read(file).complete
    assert "sympy is 0.1 and not" in complained
    assert "worker tcp://127.0.0.1:" in complained
    assert "no worker is left that may judge" in " ".join(said.split())


def test_where_the_scheduler_dies_nothing_is_called_wrong_and_the_run_can_be_gone_on_with(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import distributed

    cluster.worker()
    with distributed.Client(cluster.address, timeout=60) as client:
        client.wait_for_workers(1, timeout=60)
    monkeypatch.setattr("surrogate_core.engine.executors.dask.PATIENCE", 3)
    file = tmp_path / "results.jsonl"
    report = surrogate_core.check(
        "surrogate_core:SlayerGrad",
        profile="quick",
        properties=["gradient.peak"],
        executor=f"dask://{cluster.address}",
        results=file,
        on_result=lambda result: cluster.processes[0].kill(),
    )
    assert report.run.exit_code == 3
    assert any("the scheduler does not answer any more" in objection for objection in report.run.objections)
    assert report.notes == (f"what is finished is in {file}: --resume {file} goes on",)
    begun = engine.read(file)
    assert not begun.complete
    assert {result.outcome.state for result in begun.results} == {"passed"}


def test_an_executor_of_ones_own_gives_the_same_results() -> None:
    options = {"profile": "quick", "dtypes": ["float16"], "properties": ["gradient.*"], "params": {"alpha": [0.7]}}
    with ThreadPoolExecutor(2) as threads:
        spread = surrogate_core.check("surrogate_core:SlayerGrad", executor=threads, **options)
    assert outcomes(spread.run) == outcomes(surrogate_core.check("surrogate_core:SlayerGrad", **options).run)


def test_an_executor_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(BadInput, match=r"executor 'dusk'") as caught:
        surrogate_core.check("surrogate_core:SlayerGrad", executor="dusk")
    assert "did you mean dask?" in str(caught.value)


def test_a_scheduler_that_does_not_answer_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="pip install 'surrogate_core[dask]'")
    monkeypatch.setattr("surrogate_core.engine.executors.dask.PATIENCE", 0.5)
    with pytest.raises(BadInput, match=r"executor 'dask://127.0.0.1:9'"):
        surrogate_core.check("surrogate_core:SlayerGrad", executor="dask://127.0.0.1:9")


def test_without_dask_the_extra_that_brings_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadInput, match=r"surrogate_core\[dask\]"):
        surrogate_core.check("surrogate_core:SlayerGrad", executor="dask")
