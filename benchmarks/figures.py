"""What pytest-benchmark is told of arms that were timed in fresh processes, and what becomes of a verdict.

Its own clock saw how long it took to start processes, or nothing at all where another test had them started. So its
figures are replaced, before it computes anything of them, by those of the arm: in its table, in what `--benchmark-json`
and `--benchmark-save` keep, and in whatever it compares with that later.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_benchmark.stats import Stats

from surrogate_core.perf.comparison import NEW, OLD
from surrogate_core.perf.decide import Interval, Rule
from surrogate_core.perf.job import BARE
from surrogate_core.perf.store import BenchRun, Sample
from surrogate_core.perf.summary import rows
from surrogate_core.perf.verdicts import compare

__all__ = ["Told", "beside", "compared", "replace", "settle", "tell", "within"]

MEASURED = "measured"
"""The state of what is compared with nothing."""


@dataclass(frozen=True)
class Told:
    """What is told of one benchmark: a case on one device.

    Attributes:
        benchmark: its name.
        arm: whose figures pytest-benchmark is to show.
        arms: seconds per call of every arm, an entry a go, a list a process.
        calls: that made an entry.
        ratio: of the arm to what took turns with it; ``None`` where there is none.
        state: of the verdict, or ``measured``.
        reason: the state in a sentence.
    """

    benchmark: str
    arm: str
    arms: Mapping[str, Sequence[Sequence[float]]]
    calls: int
    ratio: Interval | None
    state: str
    reason: str

    @property
    def verdict(self) -> str:
        return f"{self.state}: {self.reason}"

    def extra(self) -> dict[str, Any]:
        """What is kept of it in ``extra_info``."""
        ratio = self.ratio and [self.ratio.value, self.ratio.low, self.ratio.high]
        arms = {arm: [list(seconds) for seconds in found] for arm, found in self.arms.items()}
        return {
            "benchmark": self.benchmark,
            "calls": self.calls,
            "arms": arms,
            "ratio": ratio,
            "verdict": self.verdict,
        }


def beside(run: BenchRun, case: str, target: str) -> list[Told]:
    """A target beside the bare operation, in a case: one for each device."""
    found: list[Told] = []
    for row in rows(run):
        if row.target == target and fnmatch.fnmatchcase(row.benchmark, case):
            reason = row.error or "compared with nothing; this is the ratio to the bare operation"
            state = "not measured" if row.error else MEASURED
            found.append(_told(run.of(row.benchmark), row.benchmark, (target, BARE), row.ratio, state, reason))
    return found


def compared(run: BenchRun, case: str) -> list[Told]:
    """Both sides of a gate, in a case, as the look that decided saw them: one for each device, comparable or not."""
    found: list[Told] = []
    for comparison in compare(run):
        name, verdict = comparison.benchmark, comparison.verdict
        if fnmatch.fnmatchcase(name, case):
            samples = run.of(name, max(verdict.looks, 1))
            found.append(_told(samples, name, (NEW, OLD), verdict.ratio, verdict.state, verdict.reason))
    return found


def _told(
    samples: Sequence[Sample], name: str, arms: tuple[str, str], ratio: Interval | None, state: str, reason: str
) -> Told:
    seconds = {arm: [s.arms[arm].goes for s in samples if arm in s.arms] for arm in arms}
    return Told(name, arms[0], seconds, samples[0].calls if samples else 0, ratio, state, reason)


def tell(benchmark: Any, told: Sequence[Told]) -> None:
    """Let pytest-benchmark show the first device's figures, and keep those of all."""
    first, *others = told
    replace(benchmark, [s for seconds in first.arms[first.arm] for s in seconds], first.calls)
    benchmark.extra_info.update(first.extra())
    if others:
        benchmark.extra_info["elsewhere"] = [other.extra() for other in others]
    for one in told:
        print(f"\n  {one.benchmark}: {one.ratio}, {one.verdict}", end="")


def replace(benchmark: Any, seconds: Sequence[float], calls: int) -> None:
    """Let pytest-benchmark compute its figures of these seconds per call; without any, show and keep none."""
    if benchmark.stats is None:  # --benchmark-disable
        return
    stats: Any = Stats()
    for one in seconds:
        stats.update(one)
    benchmark.stats.stats = stats
    benchmark.stats.iterations = calls
    benchmark.has_error = not seconds


def settle(told: Sequence[Told]) -> None:
    """Fail where something regressed, or could not be measured; skip where nothing can be said; else pass."""
    bad = [one for one in told if one.state not in (MEASURED, "no regression", "inconclusive")]
    unsure = [one for one in told if one.state == "inconclusive"]
    if bad:
        pytest.fail("\n".join(f"{one.benchmark}: {one.verdict}" for one in bad))
    if unsure:
        pytest.skip("; ".join(f"{one.benchmark}: {one.verdict}" for one in unsure))


def within(ratio: Interval, rule: Rule) -> None:
    """Pass where a slowdown by the rule's effect is excluded, fail where it is certain; skip where neither is."""
    most = 1 + rule.effect
    assert ratio.low <= most, f"slower: the ratio is {ratio}"
    if ratio.high > most:
        pytest.skip(f"inconclusive: a ratio of {ratio} does not exclude that it is slower by {rule.effect:.0%}")
