"""The proof counts what it says it counts."""

from __future__ import annotations

import math
import os
import select
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import proof_gate
import pytest
from perf.handmade import DEVICES, MACHINE
from proof_gate import BURN, app, read
from proof_scores import NIGHT, Score, allowed_alarms, asked, claim, left, missed, scores, seconds
from scipy import stats
from typer.testing import CliRunner

from surrogate_core.perf import calibrate
from surrogate_core.perf.calibrate import ARMS, OLD
from surrogate_core.perf.inject import Added
from surrogate_core.perf.plan import Plan

Process = dict[str, dict[str, list[list[float]]]]


def simulated(count: int, seed: int, paired: float = 0.013, between: float = 0.21) -> list[Process]:
    """Processes that differ by a fifth, and within which arms differ by one percent beside their slowdown."""
    random = np.random.default_rng(seed)
    found: list[Process] = []
    for _ in range(count):
        process: Process = {}
        for benchmark in ("a", "b", "c"):
            base = math.exp(between * random.standard_normal())
            arms = {OLD: 0.0, **{arm: math.log1p(s) + paired * random.standard_normal() for arm, s in ARMS.items()}}
            noise = {name: 0.002 * random.standard_normal((40, 1)) for name in arms}
            process[benchmark] = {name: (base * np.exp(at + noise[name])).tolist() for name, at in arms.items()}
        found.append(process)
    return found


def slower(seconds: list[list[float]]) -> list[list[float]]:
    return (1.2 * np.array(seconds)).tolist()


def test_the_gate_and_the_rule_beside_it_are_told_apart(seed: int) -> None:
    found = {(s.rule, s.arm, s.benchmark): s for s in scores(simulated(427, seed))}
    gate, mean = found["paired 7 x 20", "same", ""], found["mean:10%", "same", ""]
    assert (gate.flagged, gate.of) == (0, 60)
    assert mean.flagged / mean.of > 0.3
    for benchmark in "abc":
        # A gate that flags looks twice, so that there are half as many; one slower benchmark pays for a family.
        caught = found["paired 7 x 20", "+10 %", benchmark]
        assert (caught.of, caught.flagged / caught.of > 0.9) == (30, True)
        night = found["paired 10 x 40", "+5 %", benchmark]
        assert night.flagged / night.of > 0.6
    assert found["paired 7 x 20, had it not looked twice", "same", ""].of == 60


def test_an_alarm_is_counted_once_for_its_family(seed: int) -> None:
    """Where the two arms are in truth not the same, the proof shows it."""
    shifted = simulated(28, seed)
    for process in shifted:
        for arms in process.values():
            arms["same"] = slower(arms["same"])
    found = {(s.rule, s.arm): s for s in scores(shifted)}
    assert (found["paired 7 x 20", "same"].flagged, found["paired 7 x 20", "same"].of) == (2, 2)


def test_power_is_counted_in_the_processes_that_measured_it(seed: int) -> None:
    mixed = simulated(84, seed)
    for process in mixed[1::2]:
        for arms in process.values():
            for arm in ("+5 %", "+10 %"):
                del arms[arm]
            arms |= {arm: seconds[:20] for arm, seconds in arms.items()}
    found = {(s.rule, s.arm, s.benchmark): s for s in scores(mixed)}
    assert found["paired 7 x 20", "same", ""].of == 11
    assert found["paired 7 x 20", "+10 %", "a"].of == 3
    assert found["mean:10%", "+10 %", "a"].of == 21
    assert found["paired 10 x 40", "same", ""].of == 3  # of the 42 that have as many rounds


def test_a_second_look_makes_more_processes_necessary(seed: int) -> None:
    quiet = simulated(28, seed)  # for three gates, of which the last might need as many again
    assert (left([], 3), left(quiet[:27], 3), left(quiet, 3)) == (28, 1, 0)
    for process in quiet[:7]:
        process["a"]["same"] = slower(process["a"]["same"])
    assert left(quiet, 3) == 7


@pytest.mark.parametrize(("gates", "allowed"), [(298, None), (299, 0), (472, 0), (473, 1), (2100, 13)])
def test_so_many_alarms_leave_no_doubt_that_the_rate_is_below_one_percent(gates: int, allowed: int | None) -> None:
    assert allowed_alarms(gates) == allowed
    if allowed is not None:
        assert stats.binomtest(allowed, gates, 0.01, alternative="less").pvalue <= 0.05
        assert stats.binomtest(allowed + 1, gates, 0.01, alternative="less").pvalue > 0.05


def test_what_false_alarms_show_is_said_exactly() -> None:
    said = claim(Score("the gate", "same", "", 1, 300))
    assert "1 of 300 gates, observed rate 0.33 %, exact 95 % interval 0.01 to 1.84 %" in said
    assert "an observed rate of 1 % at most means 3 alarms or fewer" in said
    assert "a rate above 1 % is excluded with 95 % confidence by at most 0 of them" in said
    assert "too few gates" in claim(Score("the gate", "same", "", 0, 60))


def test_a_target_that_is_missed_is_named() -> None:
    met = [
        Score("paired 7 x 20", "same", "", 3, 300),
        Score("paired 7 x 20", "+10 %", "a", 19, 20),
        Score("paired 10 x 40", "+5 %", "a", 19, 20),
        Score("paired 7 x 20", "+5 %", "a", 0, 20),  # asked of the other tier
    ]
    assert missed(met, asked("quiet", ["a"])) == []
    behind = [Score("paired 7 x 20", "same", "", 4, 300), met[1], Score("paired 10 x 40", "+5 %", "a", 18, 20)]
    assert missed(behind, asked("quiet", ["a"])) == [
        "paired 7 x 20 accused what did not change 4 times in 300",
        "paired 10 x 40 saw +5 % of a 18 times in 20",
    ]


def test_a_target_without_a_gate_is_missed() -> None:
    assert missed([Score("paired 7 x 20", "same", "", 0, 300)], asked("quiet", ["a"])) == [
        "paired 7 x 20 had no gate for +10 % of a",
        "paired 10 x 40 had no gate for +5 % of a",
    ]
    # Beside other work 5 % is asked of nobody.
    assert missed([], asked("burners", ["a"])) == [
        "paired 7 x 20 had no gate for what did not change",
        "paired 7 x 20 had no gate for +10 % of a",
    ]


def test_what_a_gate_takes_is_that_of_seven_processes_shared_by_their_benchmarks() -> None:
    records = {"a": {}, "b": {}, "c": {}}
    processes = [
        {"arms": arms, "rounds": 20, "seconds": took, "records": records} for arms, took in ((2, 3.0), (3, 9.0))
    ]
    assert seconds(processes) == 7.0
    assert seconds(processes[1:]) == math.inf


def test_a_burner_ends_with_the_process_that_started_it() -> None:
    end, held = os.pipe()  # closed once the burner, the last that holds it, has ended
    os.set_inheritable(held, True)
    command = f"[sys.executable, '-c', {BURN!r}, str(os.getpid())]"
    start = f"import os, subprocess, sys; subprocess.Popen({command}, close_fds=False)"
    subprocess.run([sys.executable, "-c", start], check=True, close_fds=False)
    os.close(held)
    ready, _, _ = select.select([end], [], [], 60)
    os.close(end)
    assert ready


@pytest.fixture
def measured_at_once(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Every process answers at once."""
    processes = simulated(40, seed)
    laid = Plan({"machine": MACHINE, "devices": DEVICES, "rule": asdict(NIGHT)}, (), ())
    monkeypatch.setattr(proof_gate, "plan", lambda request: laid)
    found = Added({("a", "+5 %"): 7}, {}, {("b", "+5 %"): "not so finely"})
    monkeypatch.setattr(proof_gate, "inject", lambda *_, **__: found)
    monkeypatch.setattr(
        calibrate,
        "samples",
        lambda laid, added, which, arms: ((i, b, r) for i in which for b, r in processes[i].items()),
    )


@pytest.mark.usefixtures("measured_at_once")
def test_what_was_measured_stays_and_the_same_command_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "proof.jsonl"
    command = ["measure", "quiet", str(file), "--gates"]
    assert CliRunner().invoke(app, [*command, "2"], catch_exceptions=False).exit_code == 0
    with file.open("a") as cut:
        cut.write('{"kind": "proc')
    assert CliRunner().invoke(app, [*command, "3"], catch_exceptions=False).exit_code == 0
    head, processes = read(file)
    assert head["units"] == [["a", "+5 %", 7]]
    assert head["refused"] == [["b", "+5 %", "not so finely"]]
    assert [p["process"] for p in processes] == list(range(28))
    assert {"load", "others", "seconds"} <= processes[0].keys()
    answer = CliRunner().invoke(app, ["summary", str(file)], catch_exceptions=False)
    assert "quiet: 28 processes" in answer.output
    assert "false alarms of paired 7 x 20: 0 of 3 gates" in answer.output
    assert "b: no work was found for +5 %: not so finely" in answer.output
    assert (answer.exit_code, "every target is met" in answer.output) == (0, True)
    beside = tmp_path / "beside.jsonl"
    command = ["measure", "quiet", str(beside), "--gates", "1", "--work-from", str(file)]
    assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    assert read(beside)[0]["units"] == head["units"]
    other = CliRunner().invoke(app, ["measure", "burners", str(file)])
    assert other.exit_code == 2
    assert "another condition" in other.output


@pytest.mark.usefixtures("measured_at_once")
def test_it_stops_when_its_time_is_over(tmp_path: Path) -> None:
    file = tmp_path / "proof.jsonl"
    answer = CliRunner().invoke(app, ["measure", "quiet", str(file), "--minutes", "0"], catch_exceptions=False)
    assert (answer.exit_code, len(read(file)[1])) == (0, 0)
