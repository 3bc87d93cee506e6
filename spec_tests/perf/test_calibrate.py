from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from perf.test_measure import BOTH, GOOD, request
from scipy import stats
from typer.testing import CliRunner

from surrogate_core.cli import app
from surrogate_core.perf import calibrate
from surrogate_core.perf.calibrate import ARMS, OLD, calibration, gates, needed, power
from surrogate_core.perf.decide import Rule
from surrogate_core.perf.plan import plan

RULE = Rule()


def records(processes: int, spread: float, seed: int) -> list[dict[str, list[float]]]:
    """Processes whose arms differ as they are meant to, with noise between processes and between rounds."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(processes):
        arms = {OLD: 0.0, **{arm: math.log1p(s) + spread * random.standard_normal() for arm, s in ARMS.items()}}
        found.append({name: np.exp(at + 0.001 * random.standard_normal(20)).tolist() for name, at in arms.items()})
    return found


@pytest.mark.parametrize(("processes", "slowdown"), [(7, 0.05), (7, 0.04), (10, 0.05)])
def test_the_predicted_power_is_what_gates_have(processes: int, slowdown: float, seed: int) -> None:
    rule, spread = Rule(processes=processes), 0.015
    random = np.random.default_rng(seed)
    family = {"b": math.log1p(slowdown) + spread * random.standard_normal(processes * 1600)}
    states = [g["b"] for g in gates(family, rule)]
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
    assert found.achieved["+10 %"] == pytest.approx(0.10, abs=0.006)
    assert abs(found.bias) < 0.005
    assert found.gates["same"] == (0, 20)
    caught, number = found.gates["+10 %"]
    assert caught >= 0.9 * number


def test_gates_do_not_share_processes() -> None:
    assert len(gates({"b": np.zeros(7 * 5 + 3)}, RULE)) == 5
    # Each of these looks twice, and the last lacks the processes for it.
    assert len(gates({"b": np.full(7 * 5, 0.5)}, RULE)) == 2


@pytest.mark.usefixtures("no_processes")
def test_added_work_is_chosen_by_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock counts 100 and one for each exponential: of 1,124, a tenth is 112."""
    from surrogate_core.perf import measure

    monkeypatch.setattr(calibrate, "answers", measure.answers)
    laid: Any = plan(request(GOOD))
    added = calibrate.extras(laid)
    (name,) = {benchmark for benchmark, _ in added}
    assert added[name, "same"] == 0
    assert added[name, "+10 %"] == pytest.approx(112, abs=8)
    got = list(calibrate.samples(laid, added))
    assert [process for process, _, _ in got] == [0, 1, 2]
    assert set(got[0][2]) == {OLD, *ARMS}
    slower = np.log(np.median(got[0][2]["+10 %"]) / np.median(got[0][2][OLD]))
    assert slower == pytest.approx(math.log(1.1), abs=0.02)


@pytest.mark.usefixtures("no_processes")
def test_the_command_says_what_to_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from surrogate_core.perf import measure

    monkeypatch.setattr(calibrate, "answers", measure.answers)
    kept = tmp_path / "calibration.jsonl"
    asked = ["bench", "--calibrate", GOOD, "--framework", "jax", "--bench", BOTH, "--processes", "7", "--rounds", "4"]
    answer = CliRunner().invoke(app, [*asked, "--results", str(kept)], catch_exceptions=False)
    assert re.search(r"\+10 %, in truth (9|1\d)\S* %: called regressed by 0 of 0 gates of 7 x 4", answer.output)
    assert "the same: called regressed by 0 of 1 gates" in answer.output
    assert "to see +10 % 95 times in 100: --processes 3 --rounds 4" in answer.output
    assert len(kept.read_text().splitlines()) == 1 + 7
