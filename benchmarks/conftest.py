"""Options of the benchmarks, and what `--benchmark-json` keeps of arms that were timed in other processes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("surrogate_core benchmarks")
    group.addoption("--bench-target", default="", help="Time this target alone, in place of one of each library.")
    group.addoption("--bench-against", default="", help="Compare --bench-target with another target or an artifact.")
    group.addoption("--bench-processes", type=int, default=5, help="Fresh processes for each target.")
    group.addoption("--bench-rounds", type=int, default=20, help="Rounds in each.")


def pytest_benchmark_update_json(config: pytest.Config, benchmarks: Any, output_json: dict[str, Any]) -> None:
    """Where arms were timed in fresh processes, the figures are those of the arm and not of starting processes."""
    for entry in output_json["benchmarks"]:
        rounds = entry["extra_info"].pop("rounds", None)
        if rounds:
            seconds = np.array(rounds)
            entry["stats"] = {
                "min": float(seconds.min()),
                "max": float(seconds.max()),
                "mean": float(seconds.mean()),
                "median": float(np.median(seconds)),
                "stddev": float(seconds.std(ddof=1)),
                "rounds": len(rounds),
                "iterations": entry["extra_info"]["calls"],
                "data": rounds,
            }
