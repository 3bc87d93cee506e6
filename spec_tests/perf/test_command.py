"""`surrogate-core bench` compares: its exit codes, and the options that do not go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from surrogate_core.cli import app
from surrogate_core.errors import BadInput

HERE = Path(__file__).parent / "surrogates.py"
GOOD, SLOW = (f"{HERE}:{name}" for name in ("good", "slow"))
BOTH = "forward+backward/compiled/1024/float32/cpu:0"


def bench(*given: str) -> Any:
    return CliRunner().invoke(app, ["bench", *given], catch_exceptions=False)


@pytest.mark.usefixtures("no_processes")
def test_the_command_exits_with_4_on_a_regression_and_with_0_where_a_frozen_version_is_met(tmp_path: Path) -> None:
    kept, results = str(tmp_path / "accepted.bench"), ("--results", str(tmp_path / "bench.jsonl"))
    answer = bench(SLOW, "--against", GOOD, "--bench", BOTH, *results)
    assert answer.exit_code == 4, answer.output
    assert "regressed" in answer.output
    assert bench(GOOD, "--freeze", kept, "--bench", BOTH).exit_code == 0
    met = bench(GOOD, "--against", kept, *results)
    assert (met.exit_code, "1 no regression" in met.output) == (0, True)
    assert bench(SLOW, "--against", kept, *results).exit_code == 4


@pytest.mark.parametrize(
    "given",
    [
        ["--freeze", "kept.bench", "--calibrate"],
        ["--freeze", "kept.bench", "--results", "bench.jsonl"],
        ["--freeze", "kept.bench", "--strict"],
        ["--strict"],
        ["--effect", "0.02"],
    ],
)
def test_options_that_would_be_dropped_are_refused(given: list[str]) -> None:
    with pytest.raises(BadInput, match=r"--freeze and|--strict without|--effect without"):
        bench(GOOD, *given)


@pytest.mark.usefixtures("no_processes")
def test_strict_makes_what_is_inconclusive_exit_with_3(tmp_path: Path) -> None:
    # Of 1 % between calls, a thousandth is not to be excluded in three processes.
    asked = (GOOD, "--against", GOOD, "--bench", BOTH, "--effect", "0.0001", "--processes", "3", "--rounds", "5")
    answer = bench(*asked, "--strict", "--results", str(tmp_path / "bench.jsonl"))
    assert (answer.exit_code, "inconclusive" in answer.output) == (3, True)
