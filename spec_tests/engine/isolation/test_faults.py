"""Whatever the code under test does to its process costs one property, and nothing of anything else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from impostors import hostile

import surrogate_core
from surrogate_core.engine.isolation import available
from surrogate_core.properties.outcome import Errored

ZOO = Path(hostile.__file__)
OURS = "surrogate_core:SlayerGrad"
ASKED: dict[str, Any] = {
    "spec": "slayer",
    "params": {"alpha": 0.7},
    "profile": "quick",
    "properties": ["forward.step", "forward.shape", "gradient.peak"],
    "dtypes": ["float32"],
    "framework": "jax",
}

pytestmark = pytest.mark.skipif(not available(), reason="processes are isolated on Linux alone")

FAULTS = {
    "segfaults": ("it ended its process with SIGSEGV", "in string_at"),
    "exits": ("it left its process with exit status 0", ""),
    "leaves": ("the implementation left with sys.exit(0)", "_leave"),
    "interrupts": ("it left its process with exit status 1", "KeyboardInterrupt"),
    "recurses": ("RecursionError", "_recurse"),
    "overflows_the_stack": ("it ended its process with SIGSEGV", "__repr__"),
    "starts_children": ("it left its process with exit status 3", "processes that it had started were ended, too."),
    "bombs": ("it left its process with exit status 4", "processes that it had started were ended, too."),
    "floods": ("it ended its process with SIGABRT", "that was all"),
    "closes_everything": ("it closed files that were not its own", ""),
}
"""Impostor -> what the message says, and what the details hold."""


MEDDLES = """
import jax, os
from surrogate_core import SlayerGrad as make
os.chdir(os.sep)
os.environ["MEDDLED"] = "1"
jax.config.update("jax_enable_x64", True)
jax.vjp = jax.jvp = jax.grad
"""
"""A right surrogate whose module changes its process when it is imported."""


@pytest.fixture(scope="module")
def meddling(tmp_path_factory: pytest.TempPathFactory) -> str:
    file: Path = tmp_path_factory.mktemp("targets") / "meddling.py"
    file.write_text(MEDDLES)
    return f"{file}:make"


@pytest.fixture(scope="module")
def judged(meddling: str) -> surrogate_core.Report:
    """All of them and right ones, two at a time: the costly part, once."""
    return surrogate_core.check([*(f"{ZOO}:{name}" for name in FAULTS), meddling, OURS], jobs=2, **ASKED)


def outcomes(report: surrogate_core.Report, target: str) -> dict[str, Any]:
    return {r.property_id: r.outcome for r in report.run.of(target)}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_the_property_in_which_it_happens(judged: surrogate_core.Report, fault: str) -> None:
    found = outcomes(judged, f"{ZOO}:{fault}")
    assert {name: outcome.state for name, outcome in found.items()} == {
        "forward.step": "passed",
        "forward.shape": "errored",
        "gradient.peak": "passed",
    }
    errored = found["forward.shape"]
    assert isinstance(errored, Errored)
    said, shown = FAULTS[fault]
    assert said in errored.message
    assert shown in errored.traceback
    assert "\x1b" not in errored.traceback
    assert len(errored.traceback) < 50_000


def test_other_implementations_are_untouched(judged: surrogate_core.Report) -> None:
    assert {outcome.state for outcome in outcomes(judged, OURS).values()} == {"passed"}
    assert judged.run.objections == ()
    assert judged.run.exit_code == 1


def test_what_an_import_changes_is_told_with_the_first_property_and_put_back(
    judged: surrogate_core.Report, meddling: str
) -> None:
    first, *others = judged.run.of(meddling)
    assert {result.outcome.state for result in (first, *others)} == {"passed"}
    assert first.remarks == (
        "importing it changed the working directory to /, which was put back",
        "importing it changed the environment (MEDDLED)",
        "importing it changed JAX's configuration (jax_enable_x64 to True), which was put back",
        "importing it changed what is called jax.jvp, jax.vjp, which was put back",
    )
    assert not any(result.remarks for result in others)


def test_no_process_is_left_behind(judged: surrogate_core.Report) -> None:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert f"sleep {hostile.MARK}" not in listed


HANGING = {
    "hangs": ["in _sleep_for_ever", "It had written last:\ngoing to sleep"],
    "loops_in_c": ["in <lambda>"],
    "hangs_and_ignores_signals": ["It had written last:\ncannot be told"],
}
"""Impostor -> what is told of where it was. One that blocks every signal cannot be asked for its stack."""


@pytest.fixture(scope="module")
def limited() -> surrogate_core.Report:
    """Those that a limit ends, all at once: they wait side by side."""
    names = [*HANGING, "eats_memory"]
    return surrogate_core.check([f"{ZOO}:{name}" for name in names], jobs=4, timeout=8, memory=1_000, **ASKED)


@pytest.mark.parametrize("fault", HANGING)
def test_what_hangs_is_ended_and_tells_where_it_was(limited: surrogate_core.Report, fault: str) -> None:
    found = outcomes(limited, f"{ZOO}:{fault}")
    assert [found[name].state for name in ASKED["properties"]] == ["passed", "errored", "passed"]
    assert found["forward.shape"].message == "no answer within 8 s"
    told = found["forward.shape"].traceback
    for part in HANGING[fault]:
        assert part in told
    if "in " in HANGING[fault][0][:3]:
        where, _, rest = told.partition("\n")
        assert where.endswith("(most recent call first):")
        assert "hostile.py" in rest.splitlines()[0]


def test_a_limit_of_memory_holds_and_what_was_judged_stays(limited: surrogate_core.Report) -> None:
    found = outcomes(limited, f"{ZOO}:eats_memory")
    assert [found[name].state for name in ASKED["properties"]] == ["passed", "errored", "passed"]
    assert "MiB in memory, where 1000 are allowed" in found["forward.shape"].message
    assert "_eat_memory" in found["forward.shape"].traceback


def test_what_kills_its_keeper_or_the_nursery_leaves_a_sentence_and_others_are_judged_all_the_same() -> None:
    faults = ("kills_the_keeper", "kills_the_nursery")
    report = surrogate_core.check([*(f"{ZOO}:{fault}" for fault in faults), OURS], **ASKED)
    assert report.run.exit_code == 3
    for fault in faults:
        lacking = f"{ZOO}:{fault}::forward.shape[float32-alpha=0.7-cpu:0] was never reported, nor were 1 more"
        (said,) = (trouble for trouble in report.run.troubles if lacking in trouble)
        assert said.startswith(f"{ZOO}:{fault}: the worker vanished, and what kept it, too")
    assert [outcome.state for outcome in outcomes(report, OURS).values()] == ["passed"] * 3
