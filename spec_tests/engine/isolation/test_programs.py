"""Workers share their compiled programs; nothing is lost where that goes wrong, and nothing stays behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

import surrogate_core
from surrogate_core.engine.isolation import available, programs
from surrogate_core.engine.isolation.nursery import Nursery

pytestmark = pytest.mark.skipif(not available(), reason="processes are isolated on Linux alone")

JUDGED = """
import sys, warnings
from surrogate_core.engine.isolation import programs
warnings.simplefilter("error")
programs.unwarned()
import jax, jax.numpy as jnp
from surrogate_core.drivers import jax_devices
hits = []
jax.monitoring.register_event_listener(lambda event, **_: hits.append(event == "/jax/compilation_cache/cache_hits"))
print(jax.jit(lambda x: jnp.exp(-abs(x)))(jnp.float32(2)), jax_devices.compilations(), sum(hits))
"""
"""A small computation: its value, the programs that it counts as compiled, and how many it took from the cache."""


def judged(folder: Path | str) -> tuple[str, int, int]:
    environment = programs.shared(str(folder), {})
    value, counted, hits = subprocess.run(
        [sys.executable, "-c", JUDGED], env={**environment, "PATH": ""}, capture_output=True, text=True, check=True
    ).stdout.split()
    return value, int(counted), int(hits)


def test_what_is_taken_from_the_cache_is_the_same_and_counted_as_compiled(tmp_path: Path) -> None:
    value, counted, hits = judged(tmp_path)
    assert hits == 0
    assert judged(tmp_path) == (value, counted, counted)


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_program_that_was_not_written_to_its_end_is_compiled(tmp_path: Path, kept: int) -> None:
    value, counted, _ = judged(tmp_path)
    for file in tmp_path.glob("*-cache"):
        file.write_bytes(file.read_bytes()[:kept])
    assert judged(tmp_path) == (value, counted, 0)


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    value, counted, _ = judged(folder)
    assert judged("/proc/none") == (value, counted, 0)
    assert judged("/dev/full") == (value, counted, 0)


def test_who_has_a_cache_keeps_it() -> None:
    assert programs.shared("/ours", {programs.FOLDER: "/theirs"}) == {}
    assert programs.shared("/ours", {})[programs.FOLDER] == "/ours"


def folders(where: Path) -> list[Path]:
    return [*where.glob("surrogate_core-*")]


def test_the_folder_goes_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    nursery = Nursery([], sharing=True)
    (folder,) = folders(tmp_path)
    (folder / "program").write_text("compiled")
    nursery.close()
    assert not folders(tmp_path)


def test_the_folder_goes_with_a_run_that_is_killed(tmp_path: Path) -> None:
    killed = "import os; from surrogate_core.engine.isolation.nursery import Nursery; n = Nursery([]); os.abort()"
    subprocess.run([sys.executable, "-c", killed], env={"TMPDIR": str(tmp_path), "PATH": ""}, check=False)
    patience = time.monotonic() + 30
    while folders(tmp_path) and time.monotonic() < patience:
        time.sleep(0.05)
    assert not folders(tmp_path)


def test_several_implementations_are_judged_as_one_alone_is(tmp_path: Path) -> None:
    twin = tmp_path / "twin.py"
    twin.write_text("from surrogate_core import SlayerGrad")
    asked = {"profile": "quick", "dtypes": ["float32"], "params": {"alpha": [0.7]}, "properties": ["transform.*"]}
    alone = surrogate_core.check("surrogate_core:SlayerGrad", **asked).results
    both = surrogate_core.check(["surrogate_core:SlayerGrad", f"{twin}:SlayerGrad"], **asked).results
    told = [[(r.property_id, r.outcome, r.compilations) for r in results] for results in (alone, both)]
    assert sorted(map(str, told[1])) == sorted(map(str, 2 * told[0]))
