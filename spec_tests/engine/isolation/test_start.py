"""Whatever code under test does when it is imported, or called for the first time, is told, and ends there."""

from __future__ import annotations

from pathlib import Path

import pytest

import surrogate_core
from surrogate_core.engine.isolation import Ended, Limits, Pool, available
from surrogate_core.engine.isolation.supervisor import Worker
from surrogate_core.errors import BadInput
from surrogate_core.libraries import Library
from surrogate_core.libraries.target import locate

pytestmark = pytest.mark.skipif(not available(), reason="processes are isolated on Linux alone")

DOES = {
    "hangs": "print('going to sleep')\nimport time\ntime.sleep(1e6)",
    "ignores_signals": "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
    "print('cannot be told')\ntime.sleep(1e6)",
    "exits": "import os\nos._exit(0)",
    "segfaults": "import ctypes\nctypes.string_at(0)",
    "eats_memory": "eaten = []\nwhile True: eaten.append(b'x' * (64 << 20))",
    "leaves": "import sys\nsys.exit(0)",
    "raises": "1 / 0",
    "interrupts": "raise KeyboardInterrupt",
}
IMPORT, CALL = "while it was imported", "when it was called for the first time"
TOLD = {
    "hangs": ("no answer within 8 s", "going to sleep"),
    "ignores_signals": ("no answer within 8 s", "It had written last:\ncannot be told"),
    "exits": ("it left its process with exit status 0", ""),
    "segfaults": ("it ended its process with SIGSEGV", "string_at"),
    "eats_memory": ("MiB in memory, where 700 are allowed", "eats_memory"),
    "interrupts": ("it left its process with exit status 1", "KeyboardInterrupt"),
}
"""What brings the process down -> what the message says, and what the details hold."""

MISTAKES = {"leaves": "SystemExit: 0", "raises": "ZeroDivisionError"}
"""What is an import that fails, like any other."""

Found = dict[str, object]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("targets")
    for name, text in DOES.items():
        (folder / f"{name}.py").write_text(text)
        body = "\n".join(f"    {line}" for line in text.splitlines())
        (folder / f"make_{name}.py").write_text(f"def make(alpha):\n{body}\n")
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> Found:
    """What came of each, side by side, since some wait for the limit of time."""
    names = [f"{when}{name}" for name in DOES for when in ("", "make_")]
    targets = [locate(f"{folder}/{name}.py:make", "jax" if "make" not in name else "auto") for name in names]
    with Pool(Limits(8.0, 60.0, memory=700, start=8.0), jobs=4) as pool:
        answers = pool.facts([(target, (("alpha", 1.0),)) for target in targets])
    return dict(zip(names, answers, strict=True))


@pytest.mark.parametrize("place", ["", "make_"])
@pytest.mark.parametrize("fault", TOLD)
def test_what_brings_its_process_down_is_told_with_where_it_was(found: Found, fault: str, place: str) -> None:
    ended = found[f"{place}{fault}"]
    assert isinstance(ended, Ended)
    said, shown = TOLD[fault]
    assert said in ended.what
    assert ended.what.endswith(CALL if place else IMPORT)
    assert shown in ended.details
    assert not ended.lost
    if fault in ("hangs", "segfaults", "eats_memory"):
        assert f"{place}{fault}.py" in ended.details


@pytest.mark.parametrize("fault", MISTAKES)
def test_an_import_that_fails_is_a_mistake_with_the_whole_traceback(found: Found, fault: str) -> None:
    mistake = found[fault]
    assert isinstance(mistake, BadInput)
    assert "cannot be imported:\nTraceback" in mistake.given
    assert MISTAKES[fault] in mistake.given
    assert f"{fault}.py" in mistake.given


def test_targets_of_a_library_are_looked_at_by_one_worker_and_a_fault_is_told_of_its_own_target_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second", "third"):
        (folder / f"{name}.py").write_text("def make(alpha): ...\n")
    names = ["first", "second", "exits", "raises", "third"]
    targets = [locate(f"{folder}/{name}.py:make", "jax") for name in names]
    library = Library("library", "library", "library", "", ())
    started: list[str] = []
    start = Pool._start  # pyright: ignore[reportPrivateUsage]  (how many workers there were is told nowhere)

    def counting(pool: Pool, name: str) -> Worker:
        started.append(name)
        return start(pool, name)

    monkeypatch.setattr(Pool, "_start", counting)
    with Pool(Limits(8.0, 60.0, start=8.0), shared={target.name: library for target in targets}) as pool:
        found = pool.facts([(target, (("alpha", 1.0),)) for target in targets])
    kinds = [type(one).__name__ for one in found]
    assert kinds == ["Facts", "Facts", "Ended", "BadInput", "Facts"]
    assert isinstance(found[2], Ended)
    assert found[2].what == f"{TOLD['exits'][0]}, {IMPORT}"
    # The one that ended the worker of all is looked at by itself, and after it and the mistake another is started.
    assert [Path(name.rpartition(":")[0]).stem for name in started] == ["first", "exits", "raises", "third"]


def test_a_target_that_does_not_survive_its_import_does_not_conform_and_others_are_judged(folder: Path) -> None:
    ours, dead = "surrogate_core:SlayerGrad", f"{folder}/exits.py:make"
    report = surrogate_core.check(
        [dead, ours], "slayer", profile="quick", dtypes=["float32"], properties=["gradient.peak"], params={"alpha": 0.7}
    )
    assert [(r.implementation, r.property_id, r.outcome.state) for r in report.results] == [
        (dead, "process.start", "errored"),
        (ours, "gradient.peak", "passed"),
    ]
    assert report.run.objections == ()
    assert report.run.exit_code == 1
