"""The suites in `benchmarks/`, which this one does not run, can be run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from perf.handmade import DEVICES, MACHINE, SUBJECT, A, B
from test_surrogate_speed import CASES, held

from surrogate_core.perf import artifact
from surrogate_core.perf.job import Subject, benchmark_to

ROOT = Path(__file__).parent.parent
SURROGATES = "benchmarks/test_surrogate_speed.py"


def benchmarks(*options: str) -> tuple[int, str]:
    """What pytest says of them in a fresh process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    return answer.returncode, answer.stdout + answer.stderr


def test_every_benchmark_can_be_collected() -> None:
    code, said = benchmarks("benchmarks", "--collect-only")
    assert code == 0, said
    for file in (ROOT / "benchmarks").glob("test_*.py"):
        assert f"{file.name}::" in said


def test_a_comparison_without_a_target_is_refused() -> None:
    code, said = benchmarks(SURROGATES, "--bench-against", "accepted.bench")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "--bench-against compares a target: name it with --bench-target" in said


def test_with_an_artifact_only_what_it_holds_is_compared(tmp_path: Path) -> None:
    kept = str(tmp_path / "accepted.bench")
    frozen = {b.id: (benchmark_to(b), b"", {}) for b in (A, B)}
    artifact.write(kept, Subject.from_json(SUBJECT), MACHINE, DEVICES, frozen)
    assert held(kept) == ("*lif/*/1024/float32/*",)
    assert held("braintools.SlayerGrad") == CASES
