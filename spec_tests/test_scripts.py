"""A failure's script shows the failure by itself: only the framework and the implementation."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from impostors import WRONG

import surrogate_core
from surrogate_core.properties.outcome import Failed

ROOT = Path(__file__).parent.parent
SHOWN = {
    "one_ulp_asymmetric": ("gradient.symmetry", "float32"),
    "peak_one_ulp_short": ("gradient.peak", "float32"),
    "log2e_cut": ("gradient.oracle", "float64"),
    "cotangent_sign_dropped": ("gradient.cotangent", "bfloat16"),
    "silent_at_zero": ("forward.step", "float16"),
    "overflows_when_negative": ("gradient.range", "float32"),
}
"""Impostor -> the property whose script is run, and the format."""


@pytest.mark.parametrize("name", SHOWN)
def test_a_script_run_alone_prints_what_was_measured(name: str, tmp_path: Path) -> None:
    (entry,) = [e for e in WRONG if e.name == name]
    if importlib.util.find_spec(entry.framework) is None:
        pytest.skip(f"{entry.framework} is missing: pip install 'surrogate_core[{entry.framework}]'")
    prop, dtype = SHOWN[name]
    report = surrogate_core.check(
        f"{ROOT}/{entry.target}",
        profile="quick",
        params={"alpha": [1.72]},
        dtypes=[dtype],
        properties=[prop],
        in_process=True,
    )
    outcome = report.results[0].outcome
    assert isinstance(outcome, Failed)
    assert "surrogate_core" not in outcome.script.replace(str(ROOT), "")
    assert "NOTE" not in outcome.script
    (tmp_path / "shown.py").write_text(outcome.script)
    # -I: isolated from this project's folder, as on somebody else's machine.
    command = [sys.executable, "-I", "shown.py"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stderr
    printed = [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?|nan|inf", answer.stdout)]
    measured = float(outcome.measured.split()[0])
    # PyTorch prints four decimals.
    assert any(number == pytest.approx(measured, rel=1e-3, nan_ok=True) for number in printed), answer.stdout
    if dtype == "float64":
        assert printed[0] != pytest.approx(float(outcome.allowed.split()[0]), rel=1e-9)


def test_a_witness_shrinks_to_the_one_input_that_fails() -> None:
    (entry,) = [e for e in WRONG if e.name == "peak_one_ulp_short"]
    report = surrogate_core.check(
        f"{ROOT}/{entry.target}", profile="quick", dtypes=["float32"], properties=["gradient.peak"], in_process=True
    )
    outcome = report.results[0].outcome
    assert isinstance(outcome, Failed)
    assert "x = jnp.array([0.0], dtype=jnp.float32)" in outcome.script
