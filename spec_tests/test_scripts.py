"""A failure's script shows the failure by itself: only the framework and the implementation."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
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


LAID_OUT = {
    "channels_last_taken_for_contiguous": "channels_last",
    "expanded_cotangent_reaches_one_element": "a cotangent of stride 0, as sum() sends it back",
    "repeated_cotangent_taken_for_one_number": "a cotangent of stride 0 along the first axis, as sum(0) sends it back",
    "cotangent_read_in_storage_order": "a transposed cotangent",
    "cotangent_offset_forgotten": "a sliced cotangent",
}
"""Impostor -> what torch.layout says was given."""


def executed(name: str, prop: str, dtype: str, folder: Path) -> tuple[Failed, list[float]]:
    """The failure of an impostor, and the numbers that its script prints."""
    (entry,) = [e for e in WRONG if e.name == name]
    if importlib.util.find_spec(entry.framework) is None:
        pytest.skip(f"{entry.framework} is missing: pip install 'surrogate_core[{entry.framework}]'")
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
    (folder / "shown.py").write_text(outcome.script)
    # -I: isolated from this project's folder, as on somebody else's machine.
    command = [sys.executable, "-I", "shown.py"]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stderr
    return outcome, [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?|nan|inf", answer.stdout)]


@pytest.mark.parametrize("name", SHOWN)
def test_a_script_run_alone_prints_what_was_measured(name: str, tmp_path: Path) -> None:
    prop, dtype = SHOWN[name]
    outcome, printed = executed(name, prop, dtype, tmp_path)
    measured = float(outcome.measured.split()[0])
    # PyTorch prints four decimals.
    assert any(number == pytest.approx(measured, rel=1e-3, nan_ok=True) for number in printed), printed
    if dtype == "float64":
        assert printed[0] != pytest.approx(float(outcome.allowed.split()[0]), rel=1e-9)


@pytest.mark.parametrize("name", LAID_OUT)
def test_a_script_of_a_layout_prints_the_measured_number_where_it_was_measured(name: str, tmp_path: Path) -> None:
    outcome, printed = executed(name, "torch.layout", "float32", tmp_path)
    assert outcome.given == f"{LAID_OUT[name]}, x of shape (2, 3, 4, 5)"
    *at, measured = re.findall(r"-?[\d.e]+(?:-\d+)?", outcome.measured.removeprefix("gradient"))
    gradient = np.array(printed).reshape(2, 3, 4, 5)
    assert gradient[tuple(map(int, at))] == pytest.approx(float(measured), rel=1e-6)


def test_a_witness_shrinks_to_the_one_input_that_fails() -> None:
    (entry,) = [e for e in WRONG if e.name == "peak_one_ulp_short"]
    report = surrogate_core.check(
        f"{ROOT}/{entry.target}", profile="quick", dtypes=["float32"], properties=["gradient.peak"], in_process=True
    )
    outcome = report.results[0].outcome
    assert isinstance(outcome, Failed)
    assert "x = jnp.array([0.0], dtype=jnp.float32)" in outcome.script
