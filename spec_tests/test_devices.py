"""Agreement of devices, tried on two virtual ones: a process of its own, because XLA counts them at start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SURROGATES = '''
import jax, jax.numpy as jnp

def _make(alpha, rate_on):
    @jax.custom_vjp
    def spike(x):
        return (x >= 0).astype(x.dtype)

    def backward(x, cotangent):
        traced = isinstance(x, jax.core.Tracer)
        second = not traced and {d.id for d in x.devices()} == {1}
        return (jnp.exp(-rate_on[second] * jnp.abs(x)) * cotangent,)

    spike.defvjp(lambda x: (spike(x), x), backward)
    return spike

def same_everywhere(alpha):
    return _make(alpha, (alpha, alpha))

def steeper_on_the_second(alpha):
    """Right on the first device; on the second the rate is off by a thousandth."""
    return _make(alpha, (alpha, 1.001 * alpha))
'''
OPTIONS = ["--profile", "quick", "--dtype", "float32", "--param", "alpha=0.7"]


@pytest.mark.parametrize(("factory", "code"), [("same_everywhere", 0), ("steeper_on_the_second", 1)])
def test_a_surrogate_that_differs_between_devices_is_caught_by_device_agreement_alone(
    factory: str, code: int, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(SURROGATES)
    command = [sys.executable, "-m", "surrogate_core", "check", f"mine.py:{factory}", *OPTIONS]
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "COLUMNS": "200",
    }
    answer = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert answer.returncode == code, answer.stdout + answer.stderr
    assert "devices: cpu:0 (cpu), cpu:1 (cpu)" in answer.stdout
    failed = [line.split()[2] for line in answer.stdout.splitlines() if line.startswith(" ✗ failed")]
    assert failed == (["device.agreement"] if code else [])
