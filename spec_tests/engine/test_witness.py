from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from handmade import SLAYER

from surrogate_core.engine import plan, run
from surrogate_core.properties.outcome import Failed

# Right but for what BODY makes of the gradient g at x; a file, as a user would have it.
SOURCE = """
import jax
import jax.numpy as jnp

def make(alpha):
    @jax.custom_vjp
    def spike(x):
        return (x >= 0).astype(x.dtype)

    def backward(x, cotangent):
        g = jnp.exp(-alpha * jnp.abs(x))
        return (cotangent * (BODY),)

    spike.defvjp(lambda x: (spike(x), x), backward)
    return spike
"""


def failure(tmp_path: Path, body: str, name: str = "gradient.oracle") -> Failed:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE.replace("BODY", body))
    planned = plan(
        [f"{path}:make"],
        SLAYER,
        params={"alpha": [0.5]},
        profile="quick",
        properties=[name],
        dtypes=["float32"],
        framework="jax",
    )
    outcome = next(run(planned.units)).outcome
    assert isinstance(outcome, Failed), outcome
    return outcome


def printed(script: str) -> list[float]:
    """The numbers that the script prints when it is pasted into Python."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(script, {"__name__": "pasted"})
    return [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[+-]\d+)?", out.getvalue())]


def inputs(script: str) -> int:
    """How many inputs a script evaluates."""
    (line,) = re.findall(r"^x = jnp.array\((.*), dtype", script, re.MULTILINE)
    return line.count(",") + 1


def test_a_pointwise_failure_is_shown_by_one_input(tmp_path: Path) -> None:
    found = failure(tmp_path, "jnp.where(x == 3, 0.75, g)")
    assert "x = jnp.array([3.0], dtype=jnp.float32)\n" in found.script
    assert printed(found.script) == [0.75]
    assert found.measured.startswith("0.75 (")
    assert "NOTE" not in found.script


def test_a_script_says_what_was_promised_given_measured_and_allowed(tmp_path: Path) -> None:
    found = failure(tmp_path, "2 * g", "gradient.peak")
    head = found.script[: found.script.index("import jax")].splitlines()
    assert (
        head[0] == "# The gradient has its declared peak at the threshold, at +0.0 and at -0.0, and is nowhere larger."
    )
    assert head[1].startswith(f"# implementation: {tmp_path}/mine.py:make, float32 on ")
    assert head[2:] == [
        "# evaluated: vjp(spike)",
        f"# given: {found.given}",
        f"# measured: {found.measured}",
        f"# allowed: {found.allowed}",
    ]
    assert printed(found.script) == [2.0]


def test_a_script_needs_nothing_of_this_harness(tmp_path: Path) -> None:
    script = failure(tmp_path, "2 * g").script
    assert set(re.findall(r"^(?:import|from) (\w+)", script, re.MULTILINE)) == {"jax", "importlib"}
    assert "surrogate_core" not in script


@pytest.mark.parametrize("fewest", [2, 5, 33])
def test_a_failure_among_several_inputs_is_shown_by_the_shortest_window_tried(tmp_path: Path, fewest: int) -> None:
    found = failure(tmp_path, f"jnp.where((x == 3) & (x.size >= {fewest}), 0.75, g)")
    length = inputs(found.script)
    assert fewest <= length < 2 * fewest
    assert 0.75 in printed(found.script)
    assert "NOTE" not in found.script


def test_a_failure_among_very_many_inputs_only_says_so(tmp_path: Path) -> None:
    found = failure(tmp_path, "jnp.where((x == 3) & (x.size >= 1000), 0.75, g)")
    assert inputs(found.script) == 1
    assert "# NOTE: among many inputs only; these few alone do not show it\n" in found.script


def test_a_nan_is_recognised_as_itself(tmp_path: Path) -> None:
    found = failure(tmp_path, "jnp.where(x == 3, jnp.nan, g)")
    assert inputs(found.script) == 1
    assert "NOTE" not in found.script


def test_a_cotangent_is_cut_with_its_input(tmp_path: Path) -> None:
    found = failure(tmp_path, "jnp.where(cotangent < 0, -g, g)", "gradient.cotangent")
    assert inputs(found.script) == 1
    (v,) = re.findall(r"^v = jnp.array\(\[(.*)\], dtype", found.script, re.MULTILINE)
    assert v == "-1.0"
    # Either is of as many digits as tell float32 numbers apart.
    measured = np.float32(found.measured.split()[0])
    assert np.array(printed(found.script), np.float32).tolist() == [float(measured)]


def test_a_structural_failure_keeps_its_whole_input(tmp_path: Path) -> None:
    found = failure(tmp_path, "g if x.ndim < 3 else jnp.flip(g, 0)", "transform.vmap")
    assert inputs(found.script) == 252
    assert "jax.vmap(" in found.script
    assert len(printed(found.script)) == 252


def test_a_factory_that_cannot_be_imported_has_no_script() -> None:
    def make(alpha: float) -> object:
        return lambda x: x

    planned = plan(
        [make], SLAYER, params={"alpha": [0.5]}, properties=["gradient.oracle"], dtypes=["float16"], framework="jax"
    )
    outcome = next(run(planned.units)).outcome
    assert isinstance(outcome, Failed)
    assert outcome.script == ""
    assert outcome.witness is not None
    assert outcome.witness.request.x.dtype == np.float16
