"""Steps and drifts against simulated series: what does not change is not accused, what creeps is seen."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from surrogate_core.perf.trend import FEWEST, MOST, RISEN, noise_floor, trends

NOISE = 0.006
"""Between two runs of ten processes, about."""

RUNS = 400

Judge = Callable[[np.ndarray], bool]


def ours(values: np.ndarray) -> bool:
    return trends({"b": list(values)})["b"].state in RISEN


def never(values: np.ndarray) -> bool:
    return False


def latest_two(values: np.ndarray) -> bool:
    """What a single comparison sees: the latest run against the one before."""
    return bool(values[-1] - values[-2] > math.log(1.05))


def above_the_best(values: np.ndarray) -> bool:
    """A ratchet: worse than the best there ever was."""
    return bool(values[-1] > values.min() + math.log(1.02))


def alarms(judge: Judge, shape: np.ndarray, seed: int) -> int:
    random = np.random.default_rng(seed)
    return sum(judge(shape + NOISE * random.standard_normal(len(shape))) for _ in range(RUNS))


STEADY = np.zeros(20)
CREEP = np.linspace(0, math.log(1.06), 20)
STEP = np.where(np.arange(20) < 15, 0, math.log(1.04))


def keeps_its_promise(judge: Judge, seed: int) -> bool:
    quiet = alarms(judge, STEADY, seed) <= stats.binom.ppf(0.999, RUNS, 0.01)
    return bool(quiet and all(alarms(judge, shape, seed) >= 0.95 * RUNS for shape in (CREEP, STEP)))


@pytest.mark.parametrize("judge", [never, latest_two, above_the_best])
def test_a_watch_that_is_none_is_found_out(judge: Judge, seed: int) -> None:
    assert not keeps_its_promise(judge, seed)


def test_a_creep_of_a_third_of_a_percent_a_run_is_seen_and_so_is_a_step(seed: int) -> None:
    assert keeps_its_promise(ours, seed)


def levels(*parts: tuple[int, float]) -> np.ndarray:
    """So many runs of each ratio."""
    return np.concatenate([np.full(count, math.log(ratio)) for count, ratio in parts])


def noisy(shape: np.ndarray, seed: int, noise: float = NOISE) -> list[float]:
    return list(shape + noise * np.random.default_rng(seed).standard_normal(len(shape)))


@pytest.mark.parametrize("count", [FEWEST, 12, 40])
def test_the_level_is_kept_for_series_of_any_length(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    gates = 1500
    found = sum(trends({"b": row}, effect=0.0)["b"].state in RISEN for row in random.standard_normal((gates, count)))
    assert found <= stats.binom.ppf(0.9995, gates, 0.01)


@pytest.mark.parametrize("shape", [levels((8, 1.2), (8, 1.0)), levels((8, 1.0), (8, 1.2), (8, 1.0))])
def test_the_level_is_kept_where_a_series_improved_or_a_slowdown_was_undone(shape: np.ndarray, seed: int) -> None:
    found = 0
    for run in range(RUNS):
        found += trends({"b": noisy(shape, seed + run)}, effect=0.0)["b"].state in RISEN
    assert found <= stats.binom.ppf(0.9995, RUNS, 0.01)


def test_a_family_shares_the_level(seed: int) -> None:
    random = np.random.default_rng(seed)
    families = 300
    false = sum(
        any(t.state in RISEN for t in trends({str(i): list(0.1 * s) for i, s in enumerate(f)}).values())
        for f in random.standard_normal((families, 10, 15))
    )
    assert false <= stats.binom.ppf(0.999, families, 0.01)


def test_a_step_is_seen_among_a_thousand_benchmarks(seed: int) -> None:
    random = np.random.default_rng(seed)
    family = {str(i): (NOISE * random.standard_normal(12)).tolist() for i in range(1000)}
    family["7"] = noisy(levels((6, 1.0), (6, 1.1)), seed)
    assert [name for name, trend in trends(family).items() if trend.state in RISEN] == ["7"]


RISES = {
    "after an improvement": (levels((6, 1.2), (6, 1.0), (6, 1.1)), 12, 0.1),
    "back from an improvement": (levels((6, 1.1), (6, 1.0), (6, 1.1)), 12, 0.1),
    "undone, and come again": (levels((6, 1.0), (6, 1.1), (6, 1.0), (6, 1.1)), 18, 0.1),
    "undone in part": (levels((6, 1.0), (6, 1.1), (6, 1.05)), 6, 0.05),
    "in the latest run alone": (levels((11, 1.0), (1, 1.1)), 11, 0.1),
    "in two steps": (levels((10, 1.0), (10, 1.05), (10, 1.2)), 20, 0.2),
}


@pytest.mark.parametrize("name", RISES)
def test_the_latest_level_counts_against_the_lowest_before(name: str, seed: int) -> None:
    shape, at, rise = RISES[name]
    for run in range(20):
        found = trends({"b": noisy(shape, seed + run, 0.003)})["b"]
        assert (found.state, found.at) == ("step", at)
        assert found.change == pytest.approx(rise, abs=0.01)


@pytest.mark.parametrize(
    "shape",
    [
        levels((6, 1.0), (6, 1.1), (6, 1.0)),
        levels((8, 1.0), (1, 1.3), (8, 1.0)),
        levels((8, 1.0), (1, 0.8), (8, 1.0)),
        levels((8, 1.2), (8, 1.0)),
        levels((8, 1.2), (1, 1.0)),
    ],
    ids=["undone", "one bad day", "one lucky day", "improved", "improved in the latest run"],
)
def test_what_is_as_fast_as_ever_is_steady(shape: np.ndarray, seed: int) -> None:
    for run in range(20):
        assert trends({"b": noisy(shape, seed + run, 0.002)})["b"].state == "steady"


def test_a_creep_after_an_improvement_is_a_drift(seed: int) -> None:
    shape = np.concatenate([levels((8, 1.2)), np.linspace(0, math.log(1.08), 20)])
    found = trends({"b": noisy(shape, seed)})["b"]
    assert found.state == "drift"
    assert found.change == pytest.approx(0.08, abs=0.015)
    assert [(s.first, s.last) for s in found.stretches] == [(0, 7), (8, 27)]


@pytest.mark.parametrize("at", [4, 10, 16, 19])
def test_a_rise_by_the_effect_is_not_called_steady(at: int, seed: int) -> None:
    shape = levels((at, 1.0), (20 - at, 1.02))
    found = sum(trends({"b": noisy(shape, seed + run)})["b"].state == "steady" for run in range(RUNS))
    assert found <= stats.binom.ppf(0.999, RUNS, 0.01)


@pytest.mark.parametrize(("count", "noise"), [(6, 0.002), (20, NOISE), (60, 0.009)])
def test_a_creep_by_the_effect_is_not_called_steady(count: int, noise: float, seed: int) -> None:
    shape = np.linspace(0, math.log(1.02), count)
    found = sum(trends({"b": noisy(shape, seed + run, noise)})["b"].state == "steady" for run in range(RUNS))
    assert found <= stats.binom.ppf(0.999, RUNS, 0.01)


def test_what_is_quiet_enough_is_steady_and_what_is_not_is_inconclusive(seed: int) -> None:
    quiet, loud = (
        [trends({"b": noisy(STEADY, seed + run, noise)})["b"] for run in range(RUNS)] for noise in (0.003, 0.03)
    )
    assert sum(t.state == "steady" for t in quiet) >= 0.95 * RUNS
    assert all(t.most < 0.02 for t in quiet if t.state == "steady")
    assert sum(t.state == "inconclusive" for t in loud) >= 0.95 * RUNS
    assert all(t.most >= 0.02 for t in loud if t.state == "inconclusive")


def test_a_step_that_was_accepted_is_told_no_more_and_one_after_it_is(seed: int) -> None:
    once, twice = levels((8, 1.0), (8, 1.1)), levels((8, 1.0), (8, 1.1), (4, 1.2))
    values, more = noisy(once, seed, 0.002), noisy(twice, seed, 0.002)
    assert trends({"b": values})["b"].state == "step"
    for at in (8, 12, 15):
        assert trends({"b": values}, accepted={"b": at})["b"].state == "steady"
    found = trends({"b": more}, accepted={"b": 12})["b"]
    assert (found.state, found.at) == ("step", 16)
    assert found.change == pytest.approx(0.09, abs=0.01)


def test_a_drift_that_was_accepted_counts_from_there(seed: int) -> None:
    values = noisy(np.linspace(0, math.log(1.2), 31), seed, 0.002)
    assert trends({"b": values}, accepted={"b": 30})["b"].state == "steady"
    found = trends({"b": values}, accepted={"b": 15})["b"]
    assert found.state == "drift"
    assert found.change == pytest.approx(0.095, abs=0.01)


def test_a_step_is_found_where_it_is() -> None:
    values = [0.001 * (-1) ** i + (0.1 if i >= 8 else 0) for i in range(12)]
    found = trends({"b": values})["b"]
    assert (found.state, found.at) == ("step", 8)
    assert found.change == pytest.approx(math.expm1(0.1), rel=0.02)


def test_a_step_in_a_long_history_is_counted_from_its_first_entry() -> None:
    values = [0.001 * (-1) ** i + (0.1 if i >= MOST else 0) for i in range(MOST + 50)]
    found = trends({"b": values})["b"]
    assert found.at == MOST
    assert [(s.first, s.last) for s in found.stretches] == [(50, MOST - 1), (MOST, MOST + 49)]
    assert trends({"b": values}, accepted={"b": MOST + 5})["b"].state == "steady"
    assert trends({"b": values}, accepted={"b": 5})["b"].state == "step"


def test_a_line_is_a_drift() -> None:
    found = trends({"b": [0.01 * i + 0.001 * (-1) ** i for i in range(12)]})["b"]
    assert found.state == "drift"
    assert found.change == pytest.approx(math.expm1(0.11), rel=0.05)


def test_becoming_faster_is_steady() -> None:
    assert trends({"b": [-0.01 * i for i in range(12)]})["b"].state == "steady"


def test_a_rise_below_the_effect_is_steady_however_clear() -> None:
    assert trends({"b": [0.0] * 6 + [0.01] * 6})["b"].state == "steady"


def test_few_runs_say_nothing() -> None:
    assert trends({"b": [0.0] * (FEWEST - 1)})["b"].state == "too few"


def test_the_noise_floor_is_that_of_the_runs_whether_or_not_they_step_or_drift(seed: int) -> None:
    random = np.random.default_rng(seed)
    wanted = math.expm1(float(stats.norm.ppf(0.995)) * NOISE)
    for shape in (STEADY, STEP, CREEP):
        floors = [noise_floor((shape + NOISE * random.standard_normal(20)).tolist()) for _ in range(RUNS)]
        # The median of so many estimates, each from 19 neighbours; a drift adds its own step to every difference.
        assert 0.85 < np.median([f for f in floors if f is not None]) / wanted < 1.15
    assert noise_floor([0.0] * (FEWEST - 1)) is None
