from __future__ import annotations

from pathlib import Path

from perf.handmade import A, B, failing, side_by_side
from perf.test_timings import stored
from typer.testing import CliRunner

from surrogate_core.cli import app
from surrogate_core.perf.history import load


def test_what_failed_in_some_processes_is_left_out_of_a_history_and_named(tmp_path: Path) -> None:
    kept = stored(side_by_side(*failing(A, 0, 1, 2, 3), *failing(B)), tmp_path / "b.jsonl")
    answer = CliRunner().invoke(app, ["history", "add", str(tmp_path / "history"), kept])
    assert answer.exit_code == 0, answer.output
    assert f"left out: m:new {A.id}: failed in 4 of 5 processes: Boom: no" in answer.output
    (series,) = load(tmp_path / "history")
    assert series.entries[0].pairs == (("m:new", B.id),)
    assert A.id not in {**series.entries[0].counts["m:new"], **series.entries[0].compiled["m:new"]}
