"""What a worker refuses to judge; here in this process, as in one of an executor that lives for long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_core.engine import limits, plan
from surrogate_core.engine.executors import Task, cut, work

SOURCE = """from surrogate_core import SlayerGrad


def make(alpha):
    return SlayerGrad(alpha)
"""


def task() -> Task:
    options = {"profile": "quick", "properties": ["gradient.peak"], "dtypes": ["float32"], "params": {"alpha": [0.7]}}
    (found,) = cut(plan(["mine.py:make"], **options).units, limits("quick"))  # pyright: ignore[reportArgumentType]
    return found


def test_a_worker_that_lives_on_judges_the_source_as_it_is_edited_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "mine.py"
    file.write_text(SOURCE)
    before = task()
    assert len(work(before).results) == 1
    file.write_text(SOURCE + "# edited\n")
    after = task()
    assert len(work(after).results) == 1
    assert work(before).refused == f"the source of mine.py:make differs ({file})"
    file.unlink()
    assert work(after).refused.startswith("mine.py:make cannot be used: ")
    file.write_text(SOURCE)
    assert len(work(before).results) == 1


def test_a_worker_without_a_device_that_is_needed_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(SOURCE)
    planned = task()
    (unit,) = planned.units
    facts = replace(unit.implementation.facts, devices=(("cpu:0", "cpu"), ("gpu:0", "NVIDIA")))
    elsewhere = replace(
        unit,
        implementation=replace(unit.implementation, facts=facts),
        case=replace(unit.case, devices=("cpu:0", "gpu:0")),
    )
    assert work(replace(planned, units=(elsewhere,))).refused == "device gpu:0 is not there and not NVIDIA"
