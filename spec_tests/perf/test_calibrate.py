from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from perf.test_measure import BOTH, GOOD
from scipy import stats
from typer.testing import CliRunner

from surrogate_core.cli import app
from surrogate_core.errors import BadInput
from surrogate_core.perf.calibrate import ARMS, OLD, at_most, calibration, gates, needed, power, proportion
from surrogate_core.perf.decide import Rule

RULE = Rule()


def records(processes: int, spread: float, seed: int) -> list[dict[str, list[list[float]]]]:
    """Processes whose arms differ as they are meant to, with noise between processes and between rounds."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(processes):
        arms = {OLD: 0.0, **{arm: math.log1p(s) + spread * random.standard_normal() for arm, s in ARMS.items()}}
        found.append({name: np.exp(at + 0.001 * random.standard_normal((20, 1))).tolist() for name, at in arms.items()})
    return found


@pytest.mark.parametrize(("processes", "slowdown"), [(7, 0.05), (7, 0.04), (10, 0.05)])
def test_the_predicted_power_is_what_gates_have(processes: int, slowdown: float, seed: int) -> None:
    rule, spread = Rule(processes=processes), 0.015
    random = np.random.default_rng(seed)
    family = {"b": math.log1p(slowdown) + spread * random.standard_normal(processes * 1600)}
    states = [g["b"].state for g in gates(family, rule)]
    # A flagged gate takes twice as many processes, but whether it flags does not depend on what follows.
    low, high = stats.binom.interval(0.999, len(states), power(spread, slowdown, rule))
    assert low <= states.count("regressed") <= high


def test_more_processes_see_more_and_the_number_needed_is_the_first_that_does() -> None:
    rule = Rule()
    wanted = needed(0.013, 0.05, rule)
    assert wanted is not None
    assert power(0.013, 0.05, Rule(processes=wanted)) >= 0.95 > power(0.013, 0.05, Rule(processes=wanted - 1))
    assert (needed(0.013, 0.05, rule, family=17) or 0) >= wanted
    assert needed(0.5, 0.03, rule) is None


def test_a_calibration_recovers_the_noise_and_the_slowdowns(seed: int) -> None:
    found = calibration({"b": records(140, 0.013, seed)}, RULE)["b"]
    assert found.spread[20] == pytest.approx(0.013, rel=0.25)
    assert found.achieved["+10 %"].value == pytest.approx(1.10, abs=0.006)
    assert found.achieved["same"].low < 1 < found.achieved["same"].high
    assert found.gates["same"] == (0, 19)
    caught, number = found.gates["+10 %"]
    assert caught >= 0.9 * number


def test_gates_do_not_share_processes() -> None:
    assert len(gates({"b": np.full(7 * 6, 0.5)}, RULE)) == 3  # each of them looks twice


def test_a_gate_that_could_not_look_twice_is_not_begun_whatever_it_would_say() -> None:
    assert len(gates({"b": np.zeros(7 * 5 + 3)}, RULE)) == len(gates({"b": np.zeros(7 * 5 + 6)}, RULE)) == 4
    assert len(gates({"b": np.full(7 * 5, 0.5)}, RULE)) == 2


@pytest.mark.usefixtures("no_processes")
def test_the_command_says_what_to_use(tmp_path: Path, clock: Any) -> None:
    clock(lambda n: 1 + 0.002 * n)
    kept = tmp_path / "calibration.jsonl"
    asked = ["bench", "--calibrate", GOOD, "--framework", "jax", "--bench", BOTH, "--processes", "14", "--rounds", "4"]
    answer = CliRunner().invoke(app, [*asked, "--results", str(kept)], catch_exceptions=False)
    assert re.search(r"\+10 %: in truth 1\.(08|09|1\d)\S* \(.* times as long; .* [01] of 1 gate", answer.output)
    assert "called regressed by 0 of 1 gates (rates of 0 to 98 % are not excluded) of 7 x 4" in answer.output
    assert re.search(r"to see \+10 % 95 times in 100 with 4 rounds: --processes \d ", answer.output)
    assert len(kept.read_text().splitlines()) == 1 + 14


def test_a_calibration_of_too_few_processes_is_refused_before_anything_is_measured() -> None:
    answer = CliRunner().invoke(app, ["bench", "--calibrate", GOOD, "--processes", "6"])
    assert isinstance(answer.exception, BadInput)
    assert "7 or more" in str(answer.exception)


def test_an_arm_for_which_there_is_no_work_is_left_out_and_costs_the_others_nothing(seed: int) -> None:
    without = [{arm: s for arm, s in r.items() if arm != "+5 %"} for r in records(21, 0.013, seed)]
    found = calibration({"b": without}, RULE)["b"]
    assert set(found.gates) == {"same", "+10 %"}


def test_few_processes_leave_open_that_they_differ_more_than_was_seen() -> None:
    random = np.random.default_rng(0)
    spreads = random.standard_normal((4000, 7)).std(axis=1, ddof=1)
    missed = np.mean([at_most(float(s), 7) < 1 for s in spreads])
    assert missed == pytest.approx(0.05, abs=0.015)


def test_of_three_hundred_gates_none_may_alarm_for_one_percent_to_be_shown() -> None:
    assert proportion(0, 300) == (0.0, pytest.approx(1 - 0.025 ** (1 / 300)))
    assert proportion(3, 300)[0] < 0.01 < proportion(3, 300)[1]
