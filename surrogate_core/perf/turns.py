"""Arms that take turns within one process, in random order, so that what disturbs one disturbs the other."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping

import numpy as np

from surrogate_core.drivers.workload import Prepared

__all__ = ["ENTRY", "calls", "take_turns"]

ENTRY = 1e-3
"""Seconds that one turn takes at least: a call that is shorter is repeated within its turn."""

MOST = 1000


def calls(arms: Mapping[str, Prepared]) -> int:
    """How many calls make a turn; the same for all arms, from the fastest of a few calls of each."""
    fastest = min(min(_turn(arm, 1) for _ in range(5)) for arm in arms.values())
    return int(min(MOST, max(1, np.ceil(ENTRY / max(fastest, 1e-9)))))


def take_turns(arms: Mapping[str, Prepared], rounds: int, repeat: int, seed: int) -> dict[str, list[float]]:
    """Seconds per call of each arm, one entry a round; each entry waits for the last of its ``repeat`` calls."""
    random = np.random.default_rng(seed)
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name in random.permutation(list(arms)):
                seconds[name].append(_turn(arms[name], repeat))
    finally:
        if collecting:
            gc.enable()
    return seconds


def _turn(arm: Prepared, repeat: int) -> float:
    start = time.perf_counter()
    for _ in range(repeat - 1):
        arm.call()
    arm.wait(arm.call())
    return (time.perf_counter() - start) / repeat
