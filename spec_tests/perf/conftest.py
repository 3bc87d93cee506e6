from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from surrogate_core.drivers.workload import Prepared
from surrogate_core.errors import BadInput
from surrogate_core.perf import freezing, measure, processes, worker


@pytest.fixture
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fresh processes answer is answered here, by a clock that no busy machine disturbs.

    Everything is traced and compiled; a call takes as long as the exponentials in its program, give or take 1 %.
    """

    def answers(what: str, asked: Mapping[str, Any], interpreter: str = "") -> Iterator[dict[str, Any]]:
        job = json.loads(json.dumps({"protocol": worker.PROTOCOL, "what": what, **asked}))
        for answer in worker.respond(job):
            if answer["kind"] == "refused":
                raise BadInput(answer["given"], answer["expected"], answer["next_step"])
            if answer["kind"] != "done":
                yield json.loads(json.dumps(answer))

    def take_turns(arms: Mapping[str, Prepared], rounds: int, repeat: int, seed: int) -> dict[str, list[float]]:
        random = np.random.default_rng(seed)
        cost = {name: 100 + arm.counts.get("compiled transcendentals", 0.0) for name, arm in arms.items()}
        return {name: [float(c * random.normal(1, 0.01)) for _ in range(rounds)] for name, c in cost.items()}

    monkeypatch.setattr(worker, "take_turns", take_turns)
    for module in (processes, measure, freezing):
        monkeypatch.setattr(module, "answers", answers)
