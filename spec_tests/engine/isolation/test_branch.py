"""A library is imported once for all of its workers where nothing is lost by it, and by each of them where it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from surrogate_core.engine.isolation import Limits, available
from surrogate_core.engine.isolation.branch import Branch
from surrogate_core.engine.isolation.nursery import Nursery, environment
from surrogate_core.engine.isolation.supervisor import Worker
from surrogate_core.engine.where import _shared  # pyright: ignore[reportPrivateUsage]  (costs no process)

pytestmark = pytest.mark.skipif(not available(), reason="processes are isolated on Linux alone")

MODULES = {
    "plain": "import sys\nassert 'not_wanted' in sys.modules",
    "starts_a_thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "starts_a_process": "import subprocess\nsubprocess.Popen(['sleep', '60'])",
    "raises": "1 / 0",
    "leaves": "raise SystemExit(0)",
    "hangs": "import time\ntime.sleep(60)",
    "exits": "import os\nos._exit(0)",
    "starts_a_backend": "import jax\njax.devices()",
}
"""What a library does when it is imported; only the first may be forked."""


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    folder: Path = tmp_path_factory.mktemp("libraries")
    for name, text in MODULES.items():
        (folder / f"library_that_{name}.py").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(folder), *sys.path])
        nursery = Nursery([])
    yield nursery
    nursery.close()


@pytest.mark.parametrize("name", MODULES)
def test_only_what_starts_nothing_is_imported_once_for_all(nursery: Nursery, name: str) -> None:
    branch = Branch(nursery.send, [f"library_that_{name}"], ["not_wanted"], 3.0 if name == "hangs" else 60.0)
    assert branch.ready() == (name == "plain")
    branch.close()


def test_workers_are_forked_from_a_branch_and_end_with_it(nursery: Nursery) -> None:
    branch = Branch(nursery.send, ["library_that_plain"], ["not_wanted"], 60.0)
    assert branch.ready()
    worker = Worker(branch.send, Limits(60.0, 60.0))
    worker.close()
    branch.close()


def test_workers_side_by_side_share_the_cores_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert "OMP_NUM_THREADS" not in environment(None)
    assert environment(3)["OMP_NUM_THREADS"] == "3"
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert environment(3)["OMP_NUM_THREADS"] == "5"


def test_a_library_is_shared_where_several_of_its_surrogates_are_judged() -> None:
    names = ["braintools.SlayerGrad", "braintools.Sigmoid", "spyx.superspike", "brainpy.Sigmoid", "file.py:make"]
    assert {name: library.name for name, library in _shared(names).items()} == dict.fromkeys(names[:2], "braintools")
