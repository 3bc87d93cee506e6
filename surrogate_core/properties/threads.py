"""Threads: calls that run at the same time do not disturb each other."""

from __future__ import annotations

import numpy as np

from surrogate_core.drivers.base import Observation, Request
from surrogate_core.properties.base import Case, Property, Requests, Seen, observed
from surrogate_core.properties.compare import SMALL, cotangents, slack, unlike
from surrogate_core.properties.outcome import Outcome, Passed

__all__ = ["THREADS"]

COUNT = 8
TURNS = 2
"""Calls of each thread: one that waits for the others between forward and backward, and one that does not."""

TOGETHER = "at once"


def _observe(case: Case) -> Requests:
    x = case.sample((COUNT, SMALL))
    directions = cotangents(case, x.shape)
    # Each alone before, so that nothing is compiled in eight threads.
    alone = {f"thread {i}": Request("vjp", x[i], direction=directions[i]) for i in range(COUNT)}
    again, pulled = (np.repeat(a[:, None], TURNS, axis=1) for a in (x, directions))
    return alone | {TOGETHER: Request("vjp", again, direction=pulled, threads=COUNT)}


def _judge(case: Case, seen: Seen) -> Outcome:
    requests = _observe(case)
    at_once = observed(seen[TOGETHER])
    for thread in range(COUNT):
        request = requests[f"thread {thread}"]
        alone = observed(seen[f"thread {thread}"])
        cotangent = request.direction if request.direction is not None else np.ones_like(request.x)
        allowed = slack(case, request.x, cotangent, alone.gradient)
        for turn in range(TURNS):
            got = Observation(at_once.value[thread, turn], at_once.gradient[thread, turn])
            given = f"{COUNT} threads at once, call {turn + 1} of thread {thread + 1}"
            if failure := unlike(case, given, requests[TOGETHER], got, alone, allowed):
                return failure
    return Passed({"threads": COUNT, "calls": COUNT * TURNS})


THREADS = Property(
    id="state.threads",
    promise="Called from eight threads at once, each gets the spikes and the gradient of its own input.",
    observe=_observe,
    judge=_judge,
    scope="once",
)
