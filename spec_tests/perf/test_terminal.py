from __future__ import annotations

import io
import re

import pytest
from perf.handmade import A, B, failing, side_by_side
from rich.console import Console

from surrogate_core.perf.store import BenchRun
from surrogate_core.perf.terminal import exit_code, show


def shown(run: BenchRun) -> str:
    file = io.StringIO()
    show(run, Console(file=file, width=200))
    return re.sub(" +", " ", file.getvalue())


@pytest.mark.parametrize("processes", [[0, 1, 2, 3], [2]])
def test_a_target_that_fails_in_some_processes_is_not_measured_and_does_not_pass(processes: list[int]) -> None:
    run = side_by_side(*failing(A, *processes), *failing(B))
    assert f"{A.id} not measured: failed in {len(processes)} of 5 processes: Boom: no" in shown(run)
    assert exit_code(run) == 3


def test_a_benchmark_that_fails_everywhere_is_no_silent_pass_beside_another_that_is_measured() -> None:
    run = side_by_side(*failing(A, *range(5)), *failing(B))
    assert f"{A.id} not measured: Boom: no" in shown(run)
    assert exit_code(run) == 3


def test_what_is_not_offered_is_no_failure_but_where_nothing_else_is_measured() -> None:
    missing = failing(A, *range(5), error="not offered: compiling lif")
    assert exit_code(side_by_side(*missing, *failing(B))) == 0
    assert exit_code(side_by_side(*missing, *failing(B, *range(5), error="not offered: compiling lif"))) == 3


def test_what_was_measured_everywhere_passes() -> None:
    assert exit_code(side_by_side(*failing(A), *failing(B))) == 0
    assert exit_code(side_by_side(*failing(A), *failing(B), complete=False)) == 3


def test_what_an_interrupted_run_did_not_reach_is_told_once() -> None:
    run = side_by_side(*failing(A), complete=False)
    assert f"{B.id} not measured: the run was not finished" in shown(run)
