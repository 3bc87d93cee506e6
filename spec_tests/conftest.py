"""What every test shares: a fixed seed that is printed, and missing optional parts named with their extra."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from surrogate_core.engine.isolation.pool import cores
from surrogate_core.libraries import OURS

SEED = 20260101

collect_ignore = ["downstream"]  # somebody else's project: test_downstream.py runs its suite

settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("fixed")

OPTIONAL = {"torch": "torch", **{library.package: library.extra for library in OURS if library.extra}}
"""Module -> the pip extra of surrogate_core that brings it."""


def pytest_report_header() -> list[str]:
    """The seed, and what is not here."""
    missing = [
        f"{module} (pip install 'surrogate_core[{extra}]')"
        for module, extra in OPTIONAL.items()
        if importlib.util.find_spec(module) is None
    ]
    return [f"surrogate_core: seed {SEED}; missing: {', '.join(missing) or 'nothing'}"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: many tests wait for processes that they start."""
    return cores() + 1


@pytest.fixture
def seed() -> int:
    """The one seed of the suite."""
    return SEED


@pytest.fixture(scope="module")
def shared_programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What one surrogate has compiled another one need not, here and in pytest's other workers, as in a survey.

    It is counted as compiled either way.
    """
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    base = tmp_path_factory.getbasetemp()
    everybodys = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    options: dict[str, object] = {
        "jax_compilation_cache_dir": str(everybodys / "programs"),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: jax.config.values[name] for name in options}

    def use(changed: dict[str, object]) -> None:
        compilation_cache.reset_cache()  # JAX else looks at its options once
        for name, value in changed.items():
            jax.config.update(name, value)

    use(options)
    yield
    use(before)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What a test starts hears an interrupt, also where the suite runs in the background of a shell and hears none."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The score of the tester: impostors caught, right surrogates accused."""
    found: dict[str, dict[str, list[str]]] = {"impostor": {}, "right": {}}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for kind, value in getattr(report, "user_properties", ()):
                if kind in found and report.when == "call":
                    found[kind].setdefault(value[1], []).append(value[0])
    if not any(found.values()):
        return
    caught, missed = (found["impostor"].get(word, []) for word in ("caught", "missed"))
    passes, accused = (found["right"].get(word, []) for word in ("passes", "accused"))
    terminalreporter.section("score of the tester")
    terminalreporter.write_line(f"impostors caught: {len(caught)} of {len(caught) + len(missed)}")
    terminalreporter.write_line(f"right surrogates accused: {len(accused)} of {len(accused) + len(passes)} runs")
    for word, names in (("missed", missed), ("accused", accused)):
        for name in names:
            terminalreporter.write_line(f"  {word}: {name}")
