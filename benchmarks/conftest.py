"""Options of the benchmarks."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("surrogate_core benchmarks")
    group.addoption("--bench-target", default="", help="Time this target alone, in place of one of each library.")
    group.addoption("--bench-against", default="", help="Compare --bench-target with another target or an artifact.")
    group.addoption(
        "--bench-processes",
        type=int,
        default=None,
        help="Fresh processes; by default 5, and 7 where something is compared, as for every push.",
    )
    group.addoption("--bench-rounds", type=int, default=20, help="Rounds in each.")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--bench-against") and not config.getoption("--bench-target"):
        raise pytest.UsageError("--bench-against compares a target: name it with --bench-target")
