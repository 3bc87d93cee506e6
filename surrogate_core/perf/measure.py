"""Carrying a plan out: process after process, and a second look at what seems slower."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from surrogate_core.perf.decide import flagged
from surrogate_core.perf.job import Measured
from surrogate_core.perf.plan import Plan
from surrogate_core.perf.processes import Died, answers
from surrogate_core.perf.store import BenchRun, Sample
from surrogate_core.perf.verdicts import comparable

__all__ = ["measure"]

APART = 1_000_000
"""Between the seeds of two processes."""


def measure(plan: Plan) -> Iterator[Sample]:
    """Samples as they happen; where two arms are compared, with a second look at every alarm."""
    done: list[Sample] = []
    for sample in _look(plan, 1, [b.id for b in plan.benchmarks]):
        done.append(sample)
        yield sample
    if plan.header["against"] is None:
        return
    alarms = flagged(comparable(BenchRun(plan.header, tuple(done), complete=True), look=1)[0], plan.rule)
    if alarms:
        yield from _look(plan, 2, [b.id for b in plan.benchmarks if b.id in alarms])


def _look(plan: Plan, look: int, names: Sequence[str]) -> Iterator[Sample]:
    seed = int(plan.header["seed"])
    order = np.random.default_rng([seed, look])
    for process in range(plan.rule.processes):
        for which in order.permutation(len(plan.jobs)):
            python, job = plan.jobs[which]
            chosen = tuple(b for b in job.benchmarks if b.id in names)
            if chosen:
                fresh = replace(job, benchmarks=chosen, seed=seed + APART * (process + plan.rule.processes * look))
                yield from _process(fresh.to_json(), python, look, process)


def _process(asked: dict[str, Any], python: str, look: int, process: int) -> Iterator[Sample]:
    left = [str(b["id"]) for b in asked["benchmarks"]]
    try:
        for answer in answers("measure", asked, python):
            arms = {name: Measured.from_json(arm) for name, arm in answer["arms"].items()}
            left.remove(answer["benchmark"])
            yield Sample(look, process, answer["benchmark"], arms, answer["errors"], answer["calls"])
    except Died as died:
        # One that takes its process along must not cost what others measured.
        for name in left:
            yield Sample(look, process, name, {}, dict.fromkeys(asked["arms"], str(died)), 0)
