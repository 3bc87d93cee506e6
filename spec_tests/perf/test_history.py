from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from perf.handmade import DEVICES, SUBJECT, A, B, gate, sample, side_by_side

from surrogate_core.errors import BadInput
from surrogate_core.perf.history import Entry, add, load, unlike
from surrogate_core.perf.store import BenchRun

NEW = "m:new"


def measured(day: int, *ratios: float, **changes: Any) -> BenchRun:
    """A run of one day: the ratio of the first benchmark, and of the second where it is given."""
    samples = [
        sample(b, p, 1, **{NEW: r * (1 + 0.001 * p), "bare": 1.0})
        for b, r in zip((A, B), ratios, strict=False)
        for p in range(3)
    ]
    run = side_by_side(*samples)
    return dataclasses.replace(run, header={**run.header, "started": f"2026-01-{day:02}T00:00:00Z", **changes})


def at(alpha: float) -> dict[str, Any]:
    """A header whose target is timed at another parameter."""
    return {"subjects": [{**SUBJECT, "parameters": [["alpha", alpha]]}]}


def older(folder: Path, *names: str) -> None:
    """Take from every entry what earlier versions did not keep."""
    for path in folder.glob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        kept = [{name: value for name, value in line.items() if name not in names} for line in lines]
        path.write_text("".join(json.dumps(line) + "\n" for line in kept))


def fill(folder: Path, *ratios: float) -> None:
    for day, ratio in enumerate(ratios, start=1):
        add(folder, measured(day, ratio * (1 + 0.0005 * (-1) ** day), 1.0 + 0.0005 * (-1) ** day), label=f"c{day}")


def test_what_is_added_stays_and_is_in_order(tmp_path: Path) -> None:
    add(tmp_path, measured(2, 1.5))
    add(tmp_path, measured(1, 1.4), label="first")
    (series,) = load(tmp_path)
    assert [e.label for e in series.entries] == ["first", ""]
    assert isinstance(series.entries[0], Entry)
    assert series.place["jax"] == "0.10.2"


@pytest.mark.parametrize("what", ["comparison", "unfinished", "empty", "again", "again, by another name"])
def test_what_does_not_belong_into_a_history_is_refused(what: str, tmp_path: Path) -> None:
    run = measured(1, 1.0)
    add(tmp_path, run)
    label = "other" if "name" in what else ""
    other = {
        "comparison": gate(),
        "unfinished": dataclasses.replace(run, complete=False),
        "empty": side_by_side(),
        "again": run,
        "again, by another name": run,
    }[what]
    with pytest.raises(BadInput):
        add(tmp_path, other, label)
    assert len(load(tmp_path)[0].entries) == 1


def test_a_folder_without_a_history_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadInput, match="a folder with a history"):
            load(folder)
    (tmp_path / "x.jsonl").write_text('{"kind": "header"}\n')
    with pytest.raises(BadInput, match="history"):
        load(tmp_path)


def test_what_only_one_place_has_is_a_difference() -> None:
    here, there = {"jax": "1", "devices of torch": "cpu:0 (cpu)"}, {"jax": "1", "devices of jax": "cpu:0 (cpu)"}
    assert unlike(here, there) == ("devices of torch cpu:0 (cpu), was none", "devices of jax none, was cpu:0 (cpu)")
    assert unlike(here, here) == ()


def test_a_run_with_another_framework_is_kept_apart_and_the_reason_is_named(tmp_path: Path) -> None:
    add(tmp_path, measured(1, 1.0))
    _, differences = add(tmp_path, measured(2, 1.0, devices={**DEVICES, "torch": [["cpu:0", "cpu"]]}))
    assert differences == ("devices of torch cpu:0 (cpu), was none",)


def test_runs_at_other_parameters_are_not_compared(tmp_path: Path) -> None:
    add(tmp_path, measured(1, 1.0))
    add(tmp_path, measured(2, 1.0, **at(2.0)))
    add(tmp_path, measured(3, 1.0, **at(2.0)))
    (series,) = load(tmp_path)
    assert [e.parameters for e in series.entries] == [{NEW: "alpha=1.0"}, *[{NEW: "alpha=2.0"}] * 2]
    assert series.having(NEW, A.id) == series.entries[1:]


def test_a_store_of_an_earlier_version_is_read_and_its_runs_are_one_series(tmp_path: Path) -> None:
    fill(tmp_path, 1.0, 1.0, 1.0)
    older(tmp_path, "parameters", "compiled")
    (series,) = load(tmp_path)
    assert len(series.having(NEW, A.id)) == 3
    with pytest.raises(BadInput, match="that the history has as 'c1'"):
        add(tmp_path, measured(1, 1.0 * (1 - 0.0005), 1.0 - 0.0005))


def test_programs_compiled_are_kept(tmp_path: Path) -> None:
    add(tmp_path, measured(1, 1.0))
    assert load(tmp_path)[0].entries[0].compiled == {NEW: {A.id: [1, 0]}}


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """A history of two runs, in the middle of whose second line a machine stopped."""
    fill(tmp_path, 1.0, 1.0)
    (path,) = tmp_path.glob("*.jsonl")
    path.write_text(path.read_text()[:-20])
    return path


def test_a_line_that_was_cut_off_is_left_out_and_told(cut: Path, caplog: pytest.LogCaptureFixture) -> None:
    (series,) = load(cut.parent)
    assert [entry.label for entry in series.entries] == ["c1"]
    assert caplog.messages == [f"history {cut}: its last line was cut off, and is left out"]


def test_after_a_line_that_was_cut_off_the_next_run_stands_on_a_line_of_its_own(cut: Path) -> None:
    add(cut.parent, measured(3, 1.0, 1.0), label="c3")
    (series,) = load(cut.parent)
    assert [entry.label for entry in series.entries] == ["c1", "c3"]
    assert cut.read_text().endswith("\n")


@pytest.mark.parametrize("kept", [10, -20], ids=["within its head", "within the run"])
def test_where_the_first_run_was_cut_off_it_can_be_added_again(tmp_path: Path, kept: int) -> None:
    fill(tmp_path, 1.0)
    (path,) = tmp_path.glob("*.jsonl")
    path.write_text(path.read_text()[:kept])
    with pytest.raises(BadInput, match="a folder with a history"):
        load(tmp_path)
    fill(tmp_path, 1.0)
    assert [entry.label for entry in load(tmp_path)[0].entries] == ["c1"]


def test_a_whole_line_that_lacks_its_end_alone_is_kept(tmp_path: Path) -> None:
    fill(tmp_path, 1.0, 1.0)
    (path,) = tmp_path.glob("*.jsonl")
    path.write_text(path.read_text().rstrip())
    add(tmp_path, measured(3, 1.0, 1.0), label="c3")
    assert [entry.label for entry in load(tmp_path)[0].entries] == ["c1", "c2", "c3"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("ratios", 7), ("ratios", {NEW: {A.id: "much"}}), ("label", 3), ("counts", {NEW: {A.id: 1}}), ("versions", [])],
)
def test_a_line_of_other_types_is_told_with_its_file(tmp_path: Path, name: str, value: Any) -> None:
    fill(tmp_path, 1.0, 1.0)
    (path,) = tmp_path.glob("*.jsonl")
    head, first, second = path.read_text().splitlines()
    path.write_text("\n".join([head, first, json.dumps({**json.loads(second), name: value})]) + "\n")
    with pytest.raises(BadInput, match=re.escape(str(path))):
        load(tmp_path)
