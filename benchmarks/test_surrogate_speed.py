"""One surrogate of each library beside the bare operation; or one target beside an earlier version of it.

    pytest benchmarks/test_surrogate_speed.py --benchmark-json speed.json
    pytest benchmarks/test_surrogate_speed.py --bench-target my.py:make --bench-against accepted.bench

The cases are those of `surrogate-core bench`, and so is the measuring: fresh processes, arms that take turns, those of
one framework in the same processes. What `-k` leaves out is not measured. Both arms, their ratio, and the verdict
where something is compared, are in `extra_info`; where a case is timed on several devices, pytest-benchmark shows the
first of them, and the others are `elsewhere`.
"""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Sequence
from typing import Any

import pytest
from figures import beside, compared, settle, tell
from representatives import REPRESENTATIVES, unimportable

from surrogate_core import libraries
from surrogate_core.perf import artifact
from surrogate_core.perf.decide import GATE, Rule
from surrogate_core.perf.measure import measure
from surrogate_core.perf.plan import plan
from surrogate_core.perf.request import Request
from surrogate_core.perf.store import BenchRun

CASES = (
    "*forward/eager/1024/float32/*",
    "*forward+backward/compiled/1024/float32/*",
    "*forward+backward/compiled/2^20/float32/*",
    "*lif/*/1024/float32/*",
)
"""Of all the cases of `bench`, those that tell libraries apart."""

PROCESSES = 5
"""Where nothing is compared, and so nothing decided."""


def representatives() -> list[Any]:
    """A surrogate of every library; of what is missing, with the command that brings it."""
    known = {name: libraries.find(name).library for name in REPRESENTATIVES}
    return [
        pytest.param(name, marks=pytest.mark.skipif(not libraries.installed(lib), reason=f"missing: {lib.install}"))
        for name, lib in known.items()
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        alone: Any = metafunc.config.getoption("--bench-target")
        metafunc.parametrize("target", [alone] if alone else representatives())
    metafunc.parametrize("case", CASES, ids=[case.strip("*/") for case in CASES])


@functools.cache
def measured(targets: Sequence[str], against: str, cases: Sequence[str], rule: Rule) -> BenchRun:
    """All cases of all targets, in one run."""
    laid = plan(Request(targets, against=against, globs=cases, rule=rule))
    return BenchRun(laid.header, tuple(measure(laid)), complete=True)


def asked(request: pytest.FixtureRequest, name: str) -> tuple[str, ...]:
    """The values of a parameter with which the test runs in this session."""
    node: Any = request.node
    items: list[Any] = [i for i in request.session.items if getattr(i, "originalname", "") == node.originalname]
    return tuple(dict.fromkeys(str(item.callspec.params[name]) for item in items))


def rule_of(option: Any, processes: int) -> Rule:
    """As the options say."""
    return Rule(processes=option("--bench-processes") or processes, rounds=option("--bench-rounds"))


def held(against: str) -> tuple[str, ...]:
    """The cases that can be compared: an artifact holds the compiled ones alone, or fewer."""
    if not artifact.is_artifact(against):
        return CASES
    names = [b.id for b in artifact.read(against).held]
    return tuple(case for case in CASES if fnmatch.filter(names, case))


def test_a_surrogate_is_timed_beside_those_of_other_libraries(
    benchmark: Any, target: str, case: str, request: pytest.FixtureRequest
) -> None:
    option: Any = request.config.getoption
    if option("--bench-against"):
        pytest.skip("--bench-against: the target is compared with one other alone")
    targets = asked(request, "target")
    if not option("--bench-target"):
        targets = tuple(name for name in targets if libraries.installed(libraries.find(name).library))
        failed = unimportable(targets)
        if target in failed:
            pytest.skip(f"cannot be imported: {failed[target]}")
        targets = tuple(name for name in targets if name not in failed)
    cases, rule = asked(request, "case"), rule_of(option, PROCESSES)
    benchmark.group = case.strip("*/")
    run: BenchRun = benchmark.pedantic(lambda: measured(targets, "", cases, rule), rounds=1, iterations=1)
    told = beside(run, case, target)
    tell(benchmark, told)
    settle(told)


def test_a_target_is_not_slower_than_what_it_is_compared_with(
    benchmark: Any, case: str, request: pytest.FixtureRequest
) -> None:
    option: Any = request.config.getoption
    target, against = str(option("--bench-target")), str(option("--bench-against"))
    if not against:
        pytest.skip("nothing is compared: that takes --bench-target and --bench-against")
    there = held(against)
    if case not in there:
        kept = "an artifact holds compiled programs only" if "/eager/" in case else "this artifact holds no such case"
        pytest.skip(f"{against} cannot be compared in it: {kept}")
    cases, rule = tuple(c for c in asked(request, "case") if c in there), rule_of(option, GATE.processes)
    run: BenchRun = benchmark.pedantic(lambda: measured((target,), against, cases, rule), rounds=1, iterations=1)
    told = compared(run, case)
    tell(benchmark, told)
    settle(told)
