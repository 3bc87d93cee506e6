"""A command that is interrupted leaves a file that is finished with the same results, and no process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import surrogate_core
from surrogate_core.engine import Run, read
from surrogate_core.engine.isolation import available
from surrogate_core.engine.result import to_json

TARGETS = ["surrogate_core:SlayerGrad", "slow.py:make"]
ASKED: dict[str, Any] = {
    "profile": "quick",
    "dtypes": ["float32"],
    "params": {"alpha": [0.7]},
    "properties": ["forward.*", "gradient.*"],
}
OPTIONS = ["--profile", "quick", "--dtype", "float32", "--param", "alpha=0.7"]
OPTIONS += ["--property", "forward.*", "--property", "gradient.*"]

SLOW = """
import time
from surrogate_core import SlayerGrad

def make(alpha):
    right = SlayerGrad(alpha)

    def spike(x):
        time.sleep(0.02)
        return right(x)

    return spike
"""
"""Right, and slow enough to be interrupted: whenever it is traced, it takes its time."""

pytestmark = pytest.mark.skipif(not available(), reason="processes are isolated on Linux alone")


def descendants(pid: int) -> Iterator[int]:
    """The processes that came of one."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = stat.read_text().rpartition(")")
        except OSError:  # it has ended
            continue
        if int(rest.split()[1]) == pid:
            yield int(stat.parent.name)
            yield from descendants(int(stat.parent.name))


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def interrupted(number: int, folder: Path, command: list[str]) -> tuple[int, str]:
    """Send a signal once the third result is there; exit code and output, once every process is gone."""
    file, patience = folder / "run.jsonl", time.monotonic() + 120
    process = subprocess.Popen(
        [sys.executable, "-m", "surrogate_core", *command, "--results", "run.jsonl"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while process.poll() is None and time.monotonic() < patience:
        if file.exists() and file.read_bytes().count(b"\n") >= 4:
            break
        time.sleep(0.01)
    children = [*descendants(process.pid)]
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert len(children) >= 3  # what starts workers, and two of them with what keeps them
    patience = time.monotonic() + 10
    while any(map(alive, children)) and time.monotonic() < patience:
        time.sleep(0.05)
    assert not [child for child in children if alive(child)]
    return process.returncode, out


def told(run: Run) -> dict[str, Any]:
    """What was found, to the last bit of its figures."""
    return {r.id: to_json(r)["outcome"] for r in run.results}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slow")
    (path / "slow.py").write_text(SLOW)
    return path


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[str, Any]:
    """What a check finds that nobody interrupts."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return told(surrogate_core.check(TARGETS, in_process=True, **ASKED).run)
    finally:
        os.chdir(before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_check_is_finished_with_the_same_results(
    number: int, folder: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "run.jsonl").unlink(missing_ok=True)
    code, out = interrupted(number, folder, ["check", *TARGETS, *OPTIONS, "--jobs", "2"])
    monkeypatch.chdir(folder)
    run = read("run.jsonl")
    assert not run.complete
    assert 3 <= len(run.results) < len(whole)
    if number != signal.SIGKILL:
        assert code == 3
        assert "what is finished is in run.jsonl: add --resume run.jsonl to the same command to go on" in out
        assert "Traceback" not in out
    report = surrogate_core.check(TARGETS, in_process=True, resume="run.jsonl", **ASKED)
    assert report.conforms
    assert told(read("run.jsonl")) == told(report.run) == whole


def test_an_interrupted_survey_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _ = interrupted(
        signal.SIGTERM, tmp_path, ["survey", "--library", "surrogate_core", *OPTIONS[:4], *OPTIONS[6:]]
    )
    assert code == 3
    monkeypatch.chdir(tmp_path)
    before = read("run.jsonl")
    assert not before.complete
    few = {name: ASKED[name] for name in ("profile", "dtypes", "properties")}
    report = surrogate_core.survey("surrogate_core", resume="run.jsonl", **few)
    assert report.conforms
    assert told(before).items() <= told(report.run).items()
    assert read("run.jsonl").complete
