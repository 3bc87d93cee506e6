from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from perf.handmade import MACHINE, A, B, gate, sample, side_by_side
from typer.testing import CliRunner

from surrogate_core.cli import app
from surrogate_core.errors import BadInput
from surrogate_core.perf.history import Entry, add, check, load
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


def test_steady_ratios_exit_with_zero(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    assert check(tmp_path).exit_code == 0


def test_a_drift_that_no_neighbours_show_is_a_regression(tmp_path: Path) -> None:
    fill(tmp_path, *[1 + 0.008 * i for i in range(10)])
    found = check(tmp_path)
    assert found.trends[NEW, A.id].state == "drift"
    assert found.trends[NEW, B.id].state == "steady"
    assert found.exit_code == 4
    shown = CliRunner().invoke(app, ["history", "check", str(tmp_path)])
    assert shown.exit_code == 4
    assert "drifted up by 7" in shown.output


def test_a_step_is_told_with_the_run_that_brought_it(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 6, *[1.1] * 4)
    shown = CliRunner().invoke(app, ["history", "check", str(tmp_path)])
    assert shown.exit_code == 4
    assert "stepped up by 10 % at 2026-01-07T00:00:00Z m 1.0 c7" in shown.output
    listed = CliRunner().invoke(app, ["history", "show", str(tmp_path)])
    assert listed.exit_code == 0
    assert re.search(r"1\.10. of the bare operation  m 1\.0 c7$", listed.output, flags=re.MULTILINE)


def test_few_runs_do_not_pass_for_steady(tmp_path: Path) -> None:
    fill(tmp_path, 1.0, 1.0)
    assert check(tmp_path).exit_code == 3


def test_a_benchmark_that_vanished_is_not_comparable(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    add(tmp_path, measured(20, 1.0))
    found = check(tmp_path)
    assert (found.vanished, found.exit_code) == (((NEW, B.id),), 3)
    assert "it vanished" in CliRunner().invoke(app, ["history", "check", str(tmp_path)]).output


def test_another_machine_begins_a_series_of_its_own_and_says_so(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    moved = measured(20, 2.0, 2.0, machine={**MACHINE, "processor": "another"})
    _, differences = add(tmp_path, moved)
    assert differences == ("processor another, was a processor",)
    found = check(tmp_path)
    assert len(load(tmp_path)) == 2
    assert found.exit_code == 3
    assert "8 runs elsewhere are not comparable: processor another, was a processor" in found.remarks


def test_what_was_measured_in_another_way_is_not_compared(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    _, differences = add(tmp_path, measured(20, 2.0, 2.0, machine={**MACHINE, "protocol": 99}))
    assert differences == ("measuring protocol 99, was none",)
    assert check(tmp_path).exit_code == 3


def test_a_count_that_the_latest_run_changed_is_named(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    run = measured(20, 1.0, 1.0)
    twice = tuple(
        dataclasses.replace(s, arms={n: dataclasses.replace(m, counts={"traced exp": 2.0}) for n, m in s.arms.items()})
        for s in run.samples
    )
    add(tmp_path, dataclasses.replace(run, samples=twice))
    assert check(tmp_path).changed[NEW, A.id] == ("exp evaluated twice, was once",)


@pytest.mark.parametrize("what", ["comparison", "unfinished", "empty", "again"])
def test_what_does_not_belong_into_a_history_is_refused(what: str, tmp_path: Path) -> None:
    run = measured(1, 1.0)
    add(tmp_path, run)
    other = {
        "comparison": gate(),
        "unfinished": dataclasses.replace(run, complete=False),
        "empty": side_by_side(),
        "again": run,
    }[what]
    with pytest.raises(BadInput):
        add(tmp_path, other)


def test_a_folder_without_a_history_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadInput, match="a folder with a history"):
            check(folder)
    (tmp_path / "x.jsonl").write_text('{"kind": "header"}\n')
    with pytest.raises(BadInput, match="history"):
        load(tmp_path)
