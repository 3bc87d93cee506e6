"""The gate against simulated measurements: it keeps its promise, and gates that look alike do not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats

from surrogate_core.perf.decide import Rule, decide, flagged, holm, interval, medians, not_comparable, p_values

RULE = Rule()
FAMILY = 6
GATES = 600
SPREAD = 0.013
"""Between fresh processes, the paired log-ratio of two arms varies by 1.3 %."""

Look = dict[str, np.ndarray]
Gate = Callable[[Look, Look], set[str]]


def draw(
    random: np.random.Generator, slowdown: float = 0.0, processes: int = RULE.processes, spread: float = SPREAD
) -> Look:
    """One look at a family, whose first benchmark is slower by ``slowdown``; its noise has heavy tails."""
    logs = spread * random.standard_t(5, (FAMILY, processes)) / math.sqrt(5 / 3)
    logs[0] += math.log1p(slowdown)
    return {f"b{i}": row for i, row in enumerate(logs)}


def ours(first: Look, second: Look) -> set[str]:
    return {name for name, verdict in decide(first, second, RULE).items() if verdict.state == "regressed"}


def never(first: Look, second: Look) -> set[str]:
    return set()


def always(first: Look, second: Look) -> set[str]:
    return set(first)


def two_percent_of_the_mean(first: Look, second: Look) -> set[str]:
    return {name for name, logs in first.items() if logs.mean() > math.log(1.02)}


def any_process(first: Look, second: Look) -> set[str]:
    return {name for name, logs in first.items() if logs.max() > math.log(1.05)}


def every_process(first: Look, second: Look) -> set[str]:
    return {name for name, logs in first.items() if logs.min() > math.log(1.10)}


def counted(gate: Gate, slowdown: float, seed: int, spread: float = SPREAD) -> tuple[int, int]:
    """(families with a false alarm, slowdowns caught) of so many gates."""
    random = np.random.default_rng(seed)
    false = caught = 0
    for _ in range(GATES):
        found = gate(*(draw(random, slowdown, spread=spread) for _ in range(2)))
        false += bool(found - {"b0"}) or ("b0" in found and not slowdown)
        caught += "b0" in found
    return false, caught


def keeps_its_promise(gate: Gate, seed: int) -> bool:
    """At most 1 % of families without a slowdown are accused, also by a busy machine; 95 % of slowdowns by 10 % are."""
    false = max(counted(gate, 0.0, seed, spread)[0] for spread in (SPREAD, 5 * SPREAD))
    _, caught = counted(gate, 0.10, seed + 1)
    most, least = stats.binom.ppf(0.999, GATES, 0.01), stats.binom.ppf(0.001, GATES, 0.95)
    return bool(false <= most and caught >= least)


@pytest.mark.parametrize("gate", [never, always, two_percent_of_the_mean, any_process, every_process])
def test_a_gate_that_is_none_is_found_out(gate: Gate, seed: int) -> None:
    assert not keeps_its_promise(gate, seed)


def test_the_gate_keeps_its_promise(seed: int) -> None:
    assert keeps_its_promise(ours, seed)


def test_without_a_second_look_the_family_is_accused_as_often_as_allowed_at_the_very_effect(seed: int) -> None:
    """Where every benchmark is slower by exactly what is let pass, the level is used up and not passed."""
    random, false = np.random.default_rng(seed), 0
    gates = 4000
    for _ in range(gates):
        logs = SPREAD * random.standard_normal((FAMILY, RULE.processes)) + math.log1p(RULE.effect)
        false += bool(flagged({str(i): row for i, row in enumerate(logs)}, RULE))
    low, high = stats.binom.interval(0.999, gates, RULE.level)
    assert low <= false <= high


def test_a_percentile_bootstrap_over_processes_would_promise_too_much(seed: int) -> None:
    """Why the bound is a t bound: the bootstrap of seven numbers, at the same nominal 1 %."""
    random = np.random.default_rng(seed)
    logs = SPREAD * random.standard_normal((1000, RULE.processes)) + math.log1p(RULE.effect)
    picks = random.integers(0, RULE.processes, (400, RULE.processes))
    low = np.quantile(logs[:, picks].mean(-1), RULE.level, axis=1)
    wrong, right = (low > math.log1p(RULE.effect)).sum(), (p_values(logs, RULE.effect) < RULE.level).sum()
    assert wrong > stats.binom.ppf(0.999, 1000, RULE.level) >= right


@pytest.mark.parametrize(
    ("processes", "slowdown", "least"), [(7, 0.10, 0.985), (10, 0.05, 0.97)], ids=["7 at 10 %", "10 at 5 %"]
)
def test_power(processes: int, slowdown: float, least: float, seed: int) -> None:
    random, caught = np.random.default_rng(seed), 0
    for _ in range(GATES):
        looks = [draw(random, slowdown, processes) for _ in range(2)]
        caught += decide(looks[0], looks[1], RULE)["b0"].state == "regressed"
    assert caught >= stats.binom.ppf(0.001, GATES, least)


def one(logs: list[float], again: list[float] | None = None) -> Any:
    second = {} if again is None else {"b": np.array(again)}
    return decide({"b": np.array(logs)}, second, RULE)["b"]


STEADY = [0.001, -0.001, 0.0005, 0.0, -0.0005, 0.001, 0.0]


def slower(by: float) -> list[float]:
    return [x + math.log1p(by) for x in STEADY]


def test_a_slowdown_in_one_process_only_is_no_regression_and_nothing_good_either() -> None:
    verdict = one([*STEADY[:-1], math.log(1.5)])
    assert verdict.state == "inconclusive"
    assert "is not excluded" in verdict.reason


def test_a_slowdown_seen_twice_is_a_regression() -> None:
    verdict = one(slower(0.1), slower(0.1))
    assert (verdict.state, verdict.looks) == ("regressed", 2)
    assert verdict.reason == "slower by 10 %, seen twice"


def test_a_slowdown_that_is_not_seen_again_is_inconclusive() -> None:
    assert one(slower(0.1), STEADY).state == "inconclusive"


def test_an_alarm_that_was_not_measured_again_is_inconclusive() -> None:
    verdict = one(slower(0.1))
    assert (verdict.state, verdict.looks) == ("inconclusive", 1)
    assert "not measured again" in verdict.reason


def test_the_second_look_alone_tells_how_much_slower() -> None:
    """The first was chosen for being high."""
    assert one(slower(0.2), slower(0.1)).ratio.value == pytest.approx(1.1, rel=1e-3)


def test_a_slowdown_below_the_effect_passes() -> None:
    assert one(slower(0.01)).state == "no regression"


def test_noise_is_not_good_news() -> None:
    assert one([0.1, -0.1, 0.08, -0.09, 0.02, -0.05, 0.04]).state == "inconclusive"


def test_a_speedup_is_no_regression() -> None:
    assert one(slower(-0.3)).state == "no regression"


def test_ratios_that_do_not_vary_leave_no_doubt() -> None:
    assert one([0.0] * 7).state == "no regression"
    assert one([0.1] * 7, [0.1] * 7).state == "regressed"


def test_ratios_that_are_all_the_effect_itself_accuse_nobody() -> None:
    assert flagged({"a": np.zeros(7)}, Rule(effect=0.0)) == set()


def test_holm_is_bonferroni_for_the_first_and_lets_others_follow() -> None:
    p: Mapping[str, float] = {"a": 0.002, "b": 0.004, "c": 0.009, "d": 0.5}
    assert holm(p, 0.01) == {"a"}
    assert holm({**p, "b": 0.0033, "c": 0.0049}, 0.01) == {"a", "b", "c"}
    assert holm({}, 0.01) == set()


def test_medians_pair_goes_of_the_same_rank_in_one_round() -> None:
    old = [[[1.0], [2.0], [3.0]], [[4.0, 5.0, 60.0]]]
    new = [[[1.1], [2.2], [3.3]], [[6.0, 5.5, 4.4]]]
    assert medians(new, old) == pytest.approx([math.log(1.1)] * 2)


def test_the_interval_covers_the_true_ratio_as_often_as_it_says(seed: int) -> None:
    random = np.random.default_rng(seed)
    found = [interval(SPREAD * random.standard_normal(7), 0.99) for _ in range(1000)]
    for misses in (sum(i.low > 1 for i in found), sum(i.high < 1 for i in found)):
        low, high = stats.binom.interval(0.999, 1000, 0.01)
        assert low <= misses <= high


def test_what_was_not_compared_has_no_ratio() -> None:
    verdict = not_comparable("another jax version")
    assert (verdict.state, verdict.ratio, verdict.looks) == ("not comparable", None, 0)
