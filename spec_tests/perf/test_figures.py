"""What pytest-benchmark is told of arms that other processes timed, and what becomes of a verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from figures import Told, beside, compared, settle, tell, within
from perf import handmade

from surrogate_core.perf.cases import Benchmark
from surrogate_core.perf.comparison import NEW, OLD
from surrogate_core.perf.decide import GATE, Interval
from surrogate_core.perf.job import BARE, benchmark_to

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CASE = "*forward/compiled/1024/float32/*"
GPU = Benchmark(handmade.A.workload, "jax", "cuda:0")

SUITE = """
from figures import replace

def test_an_arm(benchmark):
    benchmark.pedantic(lambda: None, rounds=1)
    replace(benchmark, [1.0, 2.0, 3.0, 4.0, 100.0], 10)

def test_nothing_was_measured(benchmark):
    benchmark.pedantic(lambda: None, rounds=1)
    replace(benchmark, [], 0)
"""


def ran(folder: Path, *command: str) -> str:
    # A worker of xdist starts this one, and pytest-benchmark would measure nothing in such.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    answer = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_figures_are_those_of_the_arm_in_the_table_in_json_and_where_pytest_benchmark_compares(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {BENCHMARKS}\n")
    suite = ("pytest", "-q", "-p", "no:cacheprovider", "--benchmark-storage", str(tmp_path), "--benchmark-columns=max")
    table = ran(tmp_path, *suite, "--benchmark-json", "speed.json", "--benchmark-save", "saved")
    assert "100.0000" in table
    assert "test_nothing_was_measured" not in table
    (entry,) = json.loads((tmp_path / "speed.json").read_text())["benchmarks"]
    kept = entry["stats"]
    assert (kept["rounds"], kept["iterations"], kept["median"], kept["max"]) == (5, 10, 3.0, 100.0)
    assert (kept["hd15iqr"], kept["iqr_outliers"], kept["data"]) == (4.0, 1, [1.0, 2.0, 3.0, 4.0, 100.0])
    assert ran(tmp_path, *suite, "--benchmark-compare").count("100.0000") >= 2
    every = "--columns=min,max,mean,stddev,median,iqr,outliers,ops,rounds,iterations"
    read = ran(tmp_path, "pytest_benchmark", "compare", "speed.json", every)
    assert "test_an_arm" in read


class Fixture:
    """As much of pytest-benchmark's as is told anything where it is disabled."""

    def __init__(self) -> None:
        self.stats: Any = None
        self.extra_info: dict[str, Any] = {}


def gate(benchmark: Benchmark, new: float) -> Any:
    """Four processes in which the new arm takes so many times as long as the old."""
    return [handmade.sample(benchmark, p, 1, **{NEW: new * (1 + p / 1e4), OLD: 1.0}) for p in range(4)]


def both_devices(*samples: Any) -> Any:
    return handmade.gate(*samples, benchmarks=[benchmark_to(handmade.A), benchmark_to(GPU)])


def test_a_target_is_told_of_beside_the_bare_operation() -> None:
    samples = [handmade.sample(handmade.A, p, 1, **{"m:new": 3.0, BARE: 2.0}) for p in range(4)]
    (told,) = beside(handmade.side_by_side(*samples), CASE, "m:new")
    fixture = Fixture()
    tell(fixture, [told])
    kept = fixture.extra_info
    assert (kept["benchmark"], kept["calls"], len(kept["arms"]["m:new"])) == (handmade.A.id, 10, 4)
    assert kept["ratio"] == pytest.approx([1.5] * 3)
    assert kept["verdict"].startswith("measured: ")
    settle([told])


def test_what_raised_fails() -> None:
    raised = [
        replace(handmade.sample(handmade.A, p, 1, **{BARE: 2.0}), errors={"m:new": "ValueError: no"}) for p in range(4)
    ]
    told = beside(handmade.side_by_side(*raised), CASE, "m:new")
    with pytest.raises(pytest.fail.Exception, match="not measured: ValueError: no"):
        settle(told)


def test_each_device_is_compared_and_one_that_regressed_fails() -> None:
    again = [replace(sample, look=2) for sample in gate(GPU, 1.5)]
    told = compared(both_devices(*gate(handmade.A, 1.0), *gate(GPU, 1.2), *again), CASE)
    assert [one.state for one in told] == ["no regression", "regressed"]
    fixture = Fixture()
    tell(fixture, told)
    assert fixture.extra_info["verdict"].startswith("no regression")
    (there,) = fixture.extra_info["elsewhere"]
    assert (there["benchmark"], there["ratio"][0]) == (GPU.id, pytest.approx(1.5, rel=0.01))
    with pytest.raises(pytest.fail.Exception, match="cuda:0: regressed"):
        settle(told)


def test_what_is_inconclusive_is_skipped_and_no_regression_passes() -> None:
    told = compared(both_devices(*gate(handmade.A, 1.0), *gate(GPU, 1.0199)), CASE)
    assert [one.state for one in told] == ["no regression", "inconclusive"]
    with pytest.raises(pytest.skip.Exception, match="cuda:0: inconclusive"):
        settle(told)
    settle(told[:1])


def test_what_is_not_comparable_fails() -> None:
    told = compared(handmade.gate(*gate(handmade.A, 1.0), not_comparable={GPU.id: "no device cuda:0 here"}), CASE)
    with pytest.raises(pytest.fail.Exception, match="not comparable: no device cuda:0 here"):
        settle(told)


@pytest.mark.parametrize(("low", "high"), [(0.9, 1.02), (1.0, 1.01)])
def test_within_the_effect_passes_where_more_is_excluded(low: float, high: float) -> None:
    within(Interval(1.0, low, high), GATE)


def test_within_the_effect_noise_is_no_pass() -> None:
    with pytest.raises(pytest.skip.Exception, match="does not exclude that it is slower by 2%"):
        within(Interval(1.0, 0.5, 2.0), GATE)
    with pytest.raises(AssertionError, match="slower"):
        within(Interval(1.1, 1.03, 1.2), GATE)


def test_the_verdict_is_a_sentence() -> None:
    assert Told("b", "new", {}, 0, None, "inconclusive", "a slowdown is not excluded").verdict == (
        "inconclusive: a slowdown is not excluded"
    )
