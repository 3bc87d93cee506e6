"""Steps and drifts against simulated series: what does not change is not accused, what creeps is seen."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from surrogate_core.perf.trend import FEWEST, MOST, noise_floor, trends

NOISE = 0.006
"""Between two runs of ten processes, about."""

RUNS = 400

Judge = Callable[[np.ndarray], bool]


def ours(values: np.ndarray) -> bool:
    return trends({"b": list(values)})["b"].state in ("step", "drift")


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


@pytest.mark.parametrize("count", [FEWEST, 12, 40])
def test_the_level_is_kept_for_series_of_any_length(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    gates = 1500
    found = sum(trends({"b": list(row)}, effect=0.0)["b"].p <= 0.01 for row in random.standard_normal((gates, count)))
    # The clearer of two looks counts at twice its chance, which is more than it has: the level is not passed.
    assert found <= stats.binom.ppf(0.9995, gates, 0.01)


def test_a_family_shares_the_level(seed: int) -> None:
    random = np.random.default_rng(seed)
    families = 300
    false = sum(
        any(t.state != "steady" for t in trends({str(i): list(0.1 * s) for i, s in enumerate(f)}).values())
        for f in random.standard_normal((families, 10, 15))
    )
    assert false <= stats.binom.ppf(0.999, families, 0.01)


def test_a_step_is_found_where_it_is() -> None:
    values = [0.001 * (-1) ** i + (0.1 if i >= 8 else 0) for i in range(12)]
    found = trends({"b": values})["b"]
    assert (found.state, found.at) == ("step", 8)
    assert found.change == pytest.approx(math.expm1(0.1), rel=0.02)


def test_a_step_in_a_long_history_is_counted_from_its_first_entry() -> None:
    values = [0.001 * (-1) ** i + (0.1 if i >= MOST else 0) for i in range(MOST + 50)]
    assert trends({"b": values})["b"].at == MOST


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
