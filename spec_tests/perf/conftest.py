from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from surrogate_core.drivers.workload import Prepared
from surrogate_core.errors import BadInput
from surrogate_core.perf import calibrate, freezing, inject, measure, processes, worker
from surrogate_core.perf.job import Job
from surrogate_core.perf.turns import Turn


@pytest.fixture
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fresh processes answer is answered here, by a clock that no busy machine disturbs.

    Everything is traced and compiled; a call takes 200,000 and one for each arithmetic operation, give or take 1 %.
    """

    def answers(what: str, asked: Mapping[str, Any], interpreter: str = "") -> Iterator[dict[str, Any]]:
        job = json.loads(json.dumps({"protocol": worker.PROTOCOL, "what": what, **asked}))
        for answer in worker.respond(job):
            if answer["kind"] == "refused":
                raise BadInput(answer["given"], answer["expected"], answer["next_step"])
            if answer["kind"] != "done":
                yield json.loads(json.dumps(answer))

    def take_turns(arms: Mapping[str, Prepared], rounds: int, turn: Turn, seed: int) -> dict[str, list[list[float]]]:
        random = np.random.default_rng(seed)
        cost = {name: 200_000 + arm.counts["compiled flops"] for name, arm in arms.items()}
        return {name: [[float(c * random.normal(1, 0.01))] for _ in range(rounds)] for name, c in cost.items()}

    monkeypatch.setattr(worker, "take_turns", take_turns)
    for module in (processes, measure, freezing, inject):
        monkeypatch.setattr(module, "answers", answers)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace measuring by a function from units of work to the time of a call, give or take 1 % or ``spread``."""

    def install(cost: Callable[[int], float], spread: float = 0.01) -> None:
        def every_arm(job: Job) -> Any:
            random = np.random.default_rng(job.seed)
            extras: Mapping[Any, int] = job.extras or {}
            for b in job.benchmarks:
                times = {arm: cost(extras.get((b.id, arm), 0)) * random.normal(1, spread) for arm in job.arms}
                yield b.id, {arm: [[seconds]] * job.rounds for arm, seconds in times.items()}

        for module in (inject, calibrate):
            monkeypatch.setattr(module, "every_arm", every_arm)

    return install
