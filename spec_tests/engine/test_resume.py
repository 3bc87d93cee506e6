from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import surrogate_core
from surrogate_core.api import Interrupted
from surrogate_core.engine import Result, plan, read, resume
from surrogate_core.engine.result import to_json
from surrogate_core.errors import BadInput
from surrogate_core.spec import get_spec

OURS = "surrogate_core:SlayerGrad"
FAMILIAR = """
[[deviation]]
implementation = "{target}"
property = "gradient.*"
reason = "The left side decays too slowly."
"""
WRONG = """
import jax, jax.numpy as jnp

def make(alpha):
    @jax.custom_jvp
    def spike(x):
        return (x >= 0).astype(x.dtype)
    spike.defjvp(lambda p, t: (spike(*p), jnp.exp(-alpha * jnp.abs(p[0])) * jnp.where(p[0] < 0, 0.5, 1.0) * t[0]))
    return spike
"""
SMALL: dict[str, Any] = {
    "profile": "quick",
    "dtypes": ["float32", "bfloat16"],
    "params": {"alpha": [0.7, 2.0]},
    "properties": ["gradient.*"],
}


def interrupting_after(count: int) -> Callable[[Result], None]:
    """A user who presses Ctrl-C once so many results are there."""
    seen: list[Result] = []

    def on_result(result: Result) -> None:
        seen.append(result)
        if len(seen) == count:
            raise KeyboardInterrupt

    return on_result


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """A results file with five results and no footer."""
    with pytest.raises(Interrupted) as stopped:
        surrogate_core.check(
            OURS, in_process=True, results=tmp_path / "it.jsonl", on_result=interrupting_after(5), **SMALL
        )
    assert len(stopped.value.report.results) == 5
    assert stopped.value.report.run.exit_code == 3
    return tmp_path / "it.jsonl"


def planned(**changes: Any) -> Any:
    return plan([OURS], get_spec("slayer"), **{**SMALL, **changes})


def test_what_was_finished_before_an_interruption_is_on_disk(interrupted: Path) -> None:
    run = read(interrupted)
    assert len(run.results) == 5
    assert not run.complete


def test_a_resumed_check_does_only_what_is_missing(interrupted: Path) -> None:
    before = read(interrupted).results
    report = surrogate_core.check(OURS, in_process=True, resume=interrupted, **SMALL)
    run = read(interrupted)
    assert run.complete
    # Not judged again: their seconds are the same. As they are stored, where NaN equals NaN.
    assert [to_json(r) for r in run.results[:5]] == [to_json(r) for r in before]
    assert {r.id for r in run.results} == {u.id for u in planned().units}
    assert report.conforms
    assert report.ledger == run.ledger


def test_a_line_that_was_being_written_is_dropped_and_judged_again(interrupted: Path) -> None:
    text = interrupted.read_text()
    interrupted.write_text(text[:-40])
    assert len(read(interrupted).results) == 4
    assert surrogate_core.check(OURS, in_process=True, resume=interrupted, **SMALL).conforms
    assert read(interrupted).conforms


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"seed": 3}, "seed"),
        ({"profile": "standard"}, "profile"),
        ({"params": {"alpha": [0.5]}}, "grid"),
        ({"properties": ["gradient.peak"]}, "planned"),
    ],
)
def test_another_question_is_refused_with_what_differs(interrupted: Path, changes: dict[str, Any], part: str) -> None:
    content = interrupted.read_bytes()
    with pytest.raises(BadInput, match=f"whose {part} differs"):
        resume(interrupted, planned(**changes))
    assert interrupted.read_bytes() == content


def test_another_version_is_refused(interrupted: Path) -> None:
    interrupted.write_text(interrupted.read_text().replace('"version": "', '"version": "0.0.', 1))
    with pytest.raises(BadInput, match=r"was of version 0\.0\.0\.1\.0 and is of 0\.1\.0"):
        resume(interrupted, planned())


def test_other_packages_and_another_source_are_told_by_name(interrupted: Path) -> None:
    text = interrupted.read_text()
    interrupted.write_text(re.sub(r'"numpy": "', '"numpy": "0.', text, count=1))
    with pytest.raises(BadInput, match=r"something changed: numpy was 0\.\S+ and is "):
        resume(interrupted, planned())
    interrupted.write_text(re.sub(r'"digest": "\w\w', '"digest": "--', text, count=1))
    with pytest.raises(BadInput, match=r"the source of surrogate_core:SlayerGrad has changed \(.*slayer\.py\)"):
        resume(interrupted, planned())


def test_a_complete_file_is_not_resumed(tmp_path: Path) -> None:
    surrogate_core.check(OURS, in_process=True, results=tmp_path / "whole.jsonl", **SMALL)
    with pytest.raises(BadInput, match="which is complete"):
        resume(tmp_path / "whole.jsonl", planned())


def test_results_of_another_plan_are_refused(interrupted: Path) -> None:
    interrupted.write_text(interrupted.read_text().replace("gradient.oracle", "gradient.miracle"))
    with pytest.raises(BadInput, match=r"not planned now, such as .*gradient\.miracle"):
        resume(interrupted, planned())


def test_a_new_file_and_a_resumed_one_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="one of them"):
        surrogate_core.check(OURS, in_process=True, results=tmp_path / "a", resume=tmp_path / "b", **SMALL)


@pytest.fixture
def departing(tmp_path: Path) -> str:
    """A target that departs from its spec in a way that ``known.toml`` beside it explains."""
    (tmp_path / "mine.py").write_text(WRONG)
    target = f"{tmp_path}/mine.py:make"
    (tmp_path / "known.toml").write_text(FAMILIAR.format(target=target))
    return target


@pytest.mark.parametrize(("before", "now"), [(True, False), (False, True)])
def test_what_is_known_now_holds_for_what_was_judged_before(
    departing: str, tmp_path: Path, before: bool, now: bool
) -> None:
    file, known = tmp_path / "it.jsonl", tmp_path / "known.toml"
    few = {**SMALL, "properties": ["gradient.oracle", "gradient.symmetry"], "dtypes": ["float32"], "in_process": True}
    with pytest.raises(Interrupted):
        surrogate_core.check(
            departing, results=file, deviations=known if before else None, on_result=interrupting_after(2), **few
        )
    told = {True: "expected failure", False: "failed"}
    assert {r.outcome.state for r in read(file).results} == {told[before]}
    report = surrogate_core.check(departing, resume=file, deviations=known if now else None, **few)
    (note,) = report.notes
    assert note.endswith("2 of its results are told by those of now")
    assert report.ledger.counts[told[now]] == report.ledger.planned == 4
    assert [to_json(r) for r in read(file).results] == [to_json(r) for r in report.results]
    assert read(file).exit_code == report.run.exit_code == (0 if now else 1)
    assert not (tmp_path / "it.jsonl.draft").exists()


def test_the_same_deviations_leave_what_is_there_alone(departing: str, tmp_path: Path) -> None:
    file, known = tmp_path / "it.jsonl", tmp_path / "known.toml"
    few = {**SMALL, "properties": ["gradient.oracle"], "dtypes": ["float32"], "in_process": True, "deviations": known}
    with pytest.raises(Interrupted):
        surrogate_core.check(departing, results=file, on_result=interrupting_after(1), **few)
    content = file.read_bytes()
    report = surrogate_core.check(departing, resume=file, **few)
    assert report.notes == ()
    assert file.read_bytes().startswith(content)
