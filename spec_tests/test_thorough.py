"""The profile `thorough`, judged for real: `make thorough`."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from impostors import RIGHT, WRONG, Entry

import surrogate_core
from surrogate_core.engine import Run, read
from surrogate_core.engine.result import to_json
from surrogate_core.libraries.target import _executed  # pyright: ignore[reportPrivateUsage]  (told nowhere else)
from surrogate_core.properties.outcome import Passed
from surrogate_core.spec import FORMATS

ROOT = Path(__file__).parent.parent
ONE: dict[str, Any] = {"spec": "slayer", "profile": "thorough", "params": {"alpha": [1.72]}}
"""At a rate whose products round."""

FLOAT32 = {**ONE, "dtypes": ["float32"]}

OURS = "surrogate_core:SlayerGrad"
OPTIONS = ["--profile", "thorough", "--dtype", "float32", "--param", "alpha=1.72", "--property", "pointwise.patterns"]
ALL = 2**32

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """What remembers, does not remember what another test has done with it."""
    _executed.cache_clear()


def proved(run: Run) -> int:
    """How many bit patterns a run has found right."""
    parts = (r.outcome for r in run.results if r.property_id == "pointwise.patterns")
    return sum(part.figures["inputs"] for part in parts if isinstance(part, Passed))


def test_a_right_surrogate_in_jax_passes_all_of_it() -> None:
    report = surrogate_core.check(OURS, **ONE)
    assert report.conforms
    assert not report.ledger.counts["failed"]
    assert proved(report.run) == ALL
    assert {r.dtype for r in report.results if r.property_id == "transform.stacks"} == {*FORMATS}


def test_a_right_surrogate_in_pytorch_passes_what_thorough_adds() -> None:
    entry = next(entry for entry in RIGHT if entry.framework == "torch")
    added = ["pointwise.patterns", "transform.jit", "gradient.*", "torch.*"]
    report = surrogate_core.check(f"{ROOT}/{entry.target}", properties=added, **FLOAT32)
    assert report.conforms
    assert proved(report.run) == ALL


@pytest.mark.parametrize("entry", [e for e in WRONG if e.profile == "thorough"], ids=lambda e: e.name)
def test_an_impostor_that_only_thorough_sees_is_caught(entry: Entry) -> None:
    catcher = entry.caught_by[0]
    options: dict[str, Any] = {"properties": [catcher], "framework": entry.framework, "in_process": True}
    in_standard = surrogate_core.check(f"{ROOT}/{entry.target}", **{**FLOAT32, **options, "profile": "standard"})
    assert not in_standard.ledger.counts["failed"]
    report = surrogate_core.check(f"{ROOT}/{entry.target}", **FLOAT32, **options)
    assert report.ledger.counts["failed"] == 1


def command(folder: Path, *options: str, until: int = 0) -> tuple[int, list[int]]:
    """Judge a proof in a terminal, interrupted once so many parts are finished: the exit code, what its bar counted."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "surrogate_core", "check", OURS, *OPTIONS, *options],
        cwd=folder,
        env={**os.environ, "COLUMNS": "160", "TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=end,
    )
    os.close(end)
    said, told = "", False
    while chunk := _read(terminal):
        said += chunk
        counted = [int(n) for n in re.findall(r"(\d+)/64", said)]
        if until and not told and counted and counted[-1] >= until:
            process.send_signal(2)
            told = True
    os.close(terminal)
    return process.wait(), [int(n) for n in re.findall(r"(\d+)/64", said)]


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 1 << 16).decode(errors="replace")
    except OSError:  # nobody has it open any more
        return ""


def told(run: Run) -> dict[str, Any]:
    """What was found, to the last bit of its figures."""
    return {r.id: to_json(r)["outcome"] for r in run.results}


@pytest.mark.usefixtures("interruptible")
def test_a_proof_that_is_interrupted_is_finished_by_the_same_command_with_the_same_results(tmp_path: Path) -> None:
    code, counted = command(tmp_path, "--results", "begun.jsonl", until=8)
    assert code == 3
    assert counted == sorted(counted)
    begun = read(tmp_path / "begun.jsonl")
    assert not begun.complete
    assert 8 <= len(begun.results) < 64
    kept = (tmp_path / "begun.jsonl").read_text().splitlines()[: 1 + len(begun.results)]
    code, counted = command(tmp_path, "--resume", "begun.jsonl")
    assert code == 0
    # What is there counts from the start.
    assert counted[-1] == 64
    assert (tmp_path / "begun.jsonl").read_text().splitlines()[: len(kept)] == kept
    assert command(tmp_path, "--results", "whole.jsonl")[0] == 0
    resumed, whole = read(tmp_path / "begun.jsonl"), read(tmp_path / "whole.jsonl")
    assert resumed.complete
    assert told(resumed) == told(whole)
    assert proved(resumed) == ALL
