"""Ratios that survive a shared machine: the arms take turns within one process, in random order.

Between processes the median of one benchmark varies by a fifth; the paired ratio of two arms that take
turns varies by about one percent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from scipy import stats

__all__ = ["Ratio", "measure", "ratio"]

BLOCKS = 10
CONFIDENCE = 0.99


@dataclass(frozen=True)
class Ratio:
    """How much time one arm takes for each second of the other, with its two-sided 99 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def measure(arms: Mapping[str, Callable[[], Any]], rounds: int, repeat: int = 1, seed: int = 0) -> dict[str, Any]:
    """Seconds per call of each arm, one entry a round; ``repeat`` calls make one entry.

    Every arm is compiled and warmed up first; each entry waits for its last result.
    """
    random = np.random.default_rng(seed)
    for arm in arms.values():
        for _ in range(3):
            jax.block_until_ready(arm())
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(rounds):
        for name in random.permutation(list(arms)):
            start = time.perf_counter()
            for _ in range(repeat - 1):
                arms[name]()
            jax.block_until_ready(arms[name]())
            seconds[name].append((time.perf_counter() - start) / repeat)
    return {name: np.array(taken) for name, taken in seconds.items()}


def ratio(seconds: Mapping[str, Any], arm: str, base: str) -> Ratio:
    """Ratio of two arms: t interval over the medians of ``BLOCKS`` blocks of paired log-ratios."""
    logs = np.log(seconds[arm] / seconds[base])
    medians = np.array([np.median(block) for block in np.array_split(logs, BLOCKS)])
    spread = stats.t.ppf((1 + CONFIDENCE) / 2, BLOCKS - 1) * medians.std(ddof=1) / np.sqrt(BLOCKS)
    middle = medians.mean()
    return Ratio(float(np.exp(middle)), float(np.exp(middle - spread)), float(np.exp(middle + spread)))
