"""Arms that take turns within one process, in random order, so that what disturbs one disturbs the other.

What disturbs a machine that others use, too, comes and goes within milliseconds. So a turn is not one long stretch but
many short goes, between which the arms change. On two shared cores the ratio of an arm to itself then varies between
processes by half of what it does where a turn, as long in all, is one stretch.

Every go is kept, and what is compared, see :mod:`.decide`, are the faster halves of turns, go by go. Where a call is
shared out to two threads, the second wakes in time or it does not, and the call takes 350 or 550 microseconds. The
median of a turn jumps from one to the other where about half of the calls are slow; the mean of its faster half, where
a few of very many slow ones are fast.

Where in memory a program and its arrays lie does not change within a process. All arms are given the same arrays, and
each goes through several copies of its program.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from surrogate_core.drivers.workload import Prepared

__all__ = ["GO", "GOES", "TURN", "Turn", "lengths", "take_turns"]

GO = 50e-6
"""Seconds that one go takes at least: a call that is shorter is repeated within it, and waited for once."""

TURN = 12e-3
"""Seconds after which a turn has goes enough."""

GOES = 40
"""How many are enough in any case."""

MOST = 1000
"""Calls in a go."""


@dataclass(frozen=True)
class Turn:
    """What every arm does in each round.

    Attributes:
        goes: how often it has a go.
        repeat: calls in a go.
    """

    goes: int
    repeat: int


def lengths(arms: Mapping[str, Prepared]) -> Turn:
    """How long a turn is; the same for all arms, from the fastest of a few calls of each."""
    fastest = max(1e-9, min(min(_go(arm, 1) for _ in range(5)) for arm in arms.values()))
    repeat = min(MOST, max(1, math.ceil(GO / fastest)))
    return Turn(min(GOES, max(1, math.ceil(TURN / (repeat * fastest)))), repeat)


def take_turns(arms: Mapping[str, Prepared], rounds: int, turn: Turn, seed: int) -> dict[str, list[list[float]]]:
    """Seconds per call of each arm: a number for every go, a list of them for every round. The order is drawn."""
    random = np.random.default_rng(seed)
    names = list(arms)
    seconds: dict[str, list[list[float]]] = {name: [] for name in names}
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            order = random.permuted(np.tile(np.arange(len(names)), (turn.goes, 1)), axis=1)
            taken = np.empty((turn.goes, len(names)))
            for go, row in enumerate(order.tolist()):
                for which in row:
                    taken[go, which] = _go(arms[names[which]], turn.repeat, number * turn.goes + go)
            for name, goes in zip(names, taken.T.tolist(), strict=True):
                seconds[name].append(goes)
    finally:
        if collecting:
            gc.enable()
    return seconds


def _go(arm: Prepared, repeat: int, number: int = 0) -> float:
    """Seconds per call; the last of them is waited for. One go after the other calls one program after the other."""
    call = arm.calls[number % len(arm.calls)]
    start = time.perf_counter()
    for _ in range(repeat - 1):
        call()
    arm.wait(call())
    return (time.perf_counter() - start) / repeat
