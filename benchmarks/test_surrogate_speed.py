"""One surrogate of each library beside the bare operation; or one target beside an earlier version of it.

    pytest benchmarks/test_surrogate_speed.py --benchmark-json speed.json
    pytest benchmarks/test_surrogate_speed.py --bench-target my.py:make --bench-against accepted.bench

The cases are those of `surrogate-core bench`, and so is the measuring: fresh processes, arms that take turns. Both
arms, their ratio, and the verdict where something is compared, are in `extra_info`.
"""

from __future__ import annotations

import fnmatch
import functools
from typing import Any

import pytest

from surrogate_core import libraries
from surrogate_core.perf.decide import Rule
from surrogate_core.perf.job import BARE
from surrogate_core.perf.measure import measure
from surrogate_core.perf.plan import NEW, OLD, Request, plan
from surrogate_core.perf.store import BenchRun
from surrogate_core.perf.summary import rows
from surrogate_core.perf.verdicts import compare

CASES = (
    "*forward/eager/1024/float32/*",
    "*forward+backward/compiled/1024/float32/*",
    "*forward+backward/compiled/2^20/float32/*",
    "*lif/*/1024/float32/*",
)
"""Of all the cases of `bench`, those that tell libraries apart."""


def representatives() -> list[Any]:
    """A surrogate of every library: of the family of SLAYER where there is one, else its first."""
    found: list[Any] = []
    for library in libraries.libraries():
        if not library.surrogates:
            continue
        family = [s for s in library.surrogates if s.spec == "slayer"]
        missing = pytest.mark.skipif(not libraries.installed(library), reason=f"missing: {library.install}")
        found.append(pytest.param((family or library.surrogates)[0].name, marks=missing))
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen: Any = metafunc.config.getoption("--bench-target", "")
    metafunc.parametrize("target", [chosen] if chosen else representatives())
    metafunc.parametrize("case", CASES, ids=[case.strip("*/") for case in CASES])


@functools.cache
def measured(target: str, against: str, rule: Rule) -> BenchRun:
    """All cases of a target, in the same processes."""
    laid = plan(Request([target], against=against, globs=CASES, rule=rule))
    return BenchRun(laid.header, tuple(measure(laid)), complete=True)


def test_a_surrogate_is_not_slower_than_what_it_is_compared_with(
    benchmark: Any, target: str, case: str, request: pytest.FixtureRequest
) -> None:
    option: Any = request.config.getoption
    against = str(option("--bench-against"))
    rule = Rule(processes=int(option("--bench-processes")), rounds=int(option("--bench-rounds")))
    run: BenchRun = benchmark.pedantic(lambda: measured(target, against, rule), rounds=1, iterations=1)
    known = (*run.benchmarks, *run.header["not_comparable"])
    (name,) = [b for b in known if fnmatch.fnmatchcase(b, case)]
    samples = run.of(name)
    arms = (NEW, OLD) if against else (target, BARE)
    benchmark.extra_info["benchmark"] = name
    benchmark.extra_info["calls"] = samples[0].calls if samples else 0
    benchmark.extra_info["rounds"] = [s for one in samples if arms[0] in one.arms for s in one.arms[arms[0]].seconds]
    benchmark.extra_info["arms"] = {
        arm: [list(one.arms[arm].seconds) for one in samples if arm in one.arms] for arm in arms
    }
    if against:
        (found,) = [c for c in compare(run) if c.benchmark == name]
        ratio, verdict = found.verdict.ratio, f"{found.verdict.state}: {found.verdict.reason}"
        state = found.verdict.state
    else:
        (row,) = [r for r in rows(run) if r.benchmark == name]
        ratio, verdict = row.ratio, row.error or "nothing to compare with: this is the ratio to the bare operation"
        state = "not comparable" if row.error else "measured"
    benchmark.extra_info["ratio"] = ratio and [ratio.value, ratio.low, ratio.high]
    benchmark.extra_info["verdict"] = verdict
    print(f"\n  {name}: {ratio}, {verdict}", end="")
    assert state not in ("regressed", "not comparable"), verdict
