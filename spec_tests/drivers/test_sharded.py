"""Surveys sharded over eight virtual devices say what they say on one: a process of its own, as XLA counts at start."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.thorough

PROGRAM = """
import json

import jax
import jax.numpy as jnp

from surrogate_core import SlayerGrad
from surrogate_core.drivers import get_driver, jax_devices
from surrogate_core.drivers.tally import Span
from surrogate_core.spec.catalogue import get_spec


def made(rate):
    @jax.custom_jvp
    def spike(x):
        return SlayerGrad(0.7)(x)

    spike.defjvp(lambda given, moved: (spike(*given), jnp.exp(-rate(given[0]) * jnp.abs(given[0])) * moved[0]))
    return spike


SURROGATES = {
    "right": SlayerGrad(0.7),
    "one rate is off": made(lambda x: jnp.where(x == 8.5, 0.8, 0.7)),
    "one side is off within the bound": made(lambda x: jnp.where(x < 0, 0.7 * (1 - 1e-7), 0.7)),
}
driver, spec = get_driver("jax"), get_spec("slayer")
everything = jax_devices.devices()
span, parameters = Span(stride=64), (("alpha", 0.7),)
found = {}
for name, surrogate in SURROGATES.items():
    sharded = driver.tally(surrogate, spec, parameters, span, "cpu:0")
    jax_devices.devices = lambda: {"cpu:0": everything["cpu:0"]}
    alone = driver.tally(surrogate, spec, parameters, span, "cpu:0")
    jax_devices.devices = lambda: everything
    found[name] = {"sharded": sharded.to_dict(), "alone": alone.to_dict()}
from surrogate_core.drivers import programs
print(json.dumps({"devices": len(everything), "sharded": programs._sharded_survey.cache_info().misses, "found": found}))
"""


@pytest.fixture(scope="module")
def answer() -> dict[str, dict[str, dict[str, object]]]:
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
    }
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout.splitlines()[-1])


@pytest.mark.parametrize("surrogate", ["right", "one rate is off", "one side is off within the bound"])
def test_eight_devices_count_what_one_counts(surrogate: str, answer: dict[str, dict[str, dict[str, object]]]) -> None:
    assert answer["found"][surrogate]["sharded"] == answer["found"][surrogate]["alone"]
    assert answer["devices"] == 8
    assert answer["sharded"]


def test_what_is_wrong_at_one_number_is_found_among_eight_devices(
    answer: dict[str, dict[str, dict[str, dict[str, dict[str, int]]]]],
) -> None:
    found = answer["found"]["one rate is off"]["sharded"]["gradients"]
    assert (found["count"], found["pattern"]) == (1, 0x41080000)
