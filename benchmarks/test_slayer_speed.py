"""SlayerGrad beside braintools, the plain formula and the bare operation: ratios in one run.

    make benchmark

Cases and measuring are those of `surrogate-core bench`: fresh processes, in which all of them take turns. Each ratio,
with its bounds, is printed and stored in `extra_info` of `--benchmark-json`.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from figures import replace, within

from surrogate_core.perf.decide import GATE, Interval
from surrogate_core.perf.job import BARE
from surrogate_core.perf.measure import measure
from surrogate_core.perf.plan import plan
from surrogate_core.perf.request import Request
from surrogate_core.perf.store import BenchRun
from surrogate_core.perf.summary import ratio

OURS, BRAINTOOLS = "surrogate_core:SlayerGrad", "braintools.SlayerGrad"
PLAIN = f"{Path(__file__).parent.parent}/spec_tests/impostors/jax_right.py:custom_jvp_rule"
"""The plain formula, whose rounding error SlayerGrad carries."""

BOTH = "forward+backward"
CASES = (
    *(f"forward/eager/{size}/float32/cpu:0" for size in (1, 1024)),
    f"{BOTH}/eager/1024/float32/cpu:0",
    *(f"{BOTH}/compiled/{size}/float32/cpu:0" for size in ("1024", "2^24")),
)

PRICE = 1.10
"""What carrying the rounding error may cost where it is compiled: it buys 1.5 ulp in place of 64."""

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("braintools") is None,
    reason="braintools is missing: pip install 'surrogate_core[braintools]'",
)


@functools.cache
def measured() -> BenchRun:
    """Every case of every target, in the same processes."""
    targets = [OURS, BRAINTOOLS, PLAIN]
    laid = plan(Request(targets, params={"alpha": 0.7}, framework="jax", globs=CASES, large=True, rule=GATE))
    return BenchRun(laid.header, tuple(measure(laid)), complete=True)


def ratios(benchmark: Any, case: str) -> dict[str, Interval]:
    """The time of SlayerGrad over that of each of the others, in one case."""
    run: BenchRun = benchmark.pedantic(measured, rounds=1, iterations=1)
    samples = run.of(case)
    benchmark.extra_info["benchmark"] = case
    benchmark.extra_info["calls"] = samples[0].calls
    replace(benchmark, [s for sample in samples for s in sample.arms[OURS].goes], samples[0].calls)
    benchmark.extra_info["arms"] = {
        arm: [sample.arms[arm].goes for sample in samples] for arm in (OURS, BRAINTOOLS, PLAIN, BARE)
    }
    found = {arm: ratio(samples, OURS, arm, run.rule.confidence) for arm in (BRAINTOOLS, PLAIN, BARE)}
    known = {arm: interval for arm, interval in found.items() if interval is not None}
    benchmark.extra_info["ratios"] = {arm: [r.value, r.low, r.high] for arm, r in known.items()}
    benchmark.extra_info["verdict"] = "; ".join(f"{interval} of the time of {arm}" for arm, interval in known.items())
    for arm, interval in known.items():
        print(f"\n  {case}: SlayerGrad / {arm.rpartition(':')[2]}: {interval}", end="")
    return known


@pytest.mark.parametrize("case", CASES[:2])
def test_an_eager_forward_takes_a_quarter_of_braintools_time_at_most(benchmark: Any, case: str) -> None:
    assert ratios(benchmark, case)[BRAINTOOLS].value <= 0.25


def test_an_eager_forward_and_backward_is_not_slower_than_braintools_by_2_percent(benchmark: Any) -> None:
    within(ratios(benchmark, CASES[2])[BRAINTOOLS], GATE)


def test_a_compiled_forward_and_backward_of_1024_elements_costs_a_tenth_more_than_braintools_at_most(
    benchmark: Any,
) -> None:
    assert ratios(benchmark, CASES[3])[BRAINTOOLS].high <= PRICE


def test_forward_and_backward_of_2_to_the_24_elements_stay_near_the_bare_operation(benchmark: Any) -> None:
    found = ratios(benchmark, CASES[4])
    assert found[BARE].value <= 1.25
    assert found[PLAIN].value <= PRICE
    assert found[BRAINTOOLS].value <= PRICE
