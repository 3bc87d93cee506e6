"""How the tests of JAX's driver ask through it, and a function that lacks forward mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from handmade import ALPHA, ROUNDED, ask

from surrogate_core.drivers import Observation, Request, Transform
from surrogate_core.drivers.jax import JaxDriver
from surrogate_core.slayer import SlayerGrad

DRIVER = JaxDriver()
CPU = "cpu:0"
X = np.array([-2.0, -0.5, -0.0, 0.0, 0.25, 3.0], np.float32)
CUBE = np.linspace(-2, 2, 24, dtype=np.float32).reshape(2, 3, 4)
WEIGHTS = np.resize(np.array([1.0, -2.0, 0.5], np.float32), CUBE.shape)
JIT, VMAP = Transform("jit"), Transform("vmap", 1, 2)

Spike = Callable[[Any], Any]


@jax.custom_vjp
def reverse_only(x: jax.Array) -> jax.Array:
    return (x >= 0).astype(x.dtype)


reverse_only.defvjp(lambda x: (reverse_only(x), x), lambda x, c: (c * jnp.exp(-ALPHA * jnp.abs(x)),))


def observe(request: Request, function: Spike | None = None) -> Observation:
    with DRIVER.scope(request.x.dtype.name, CPU):
        return DRIVER.observe(function or SlayerGrad(ALPHA), request, CPU)


def agree(request: Request) -> None:
    found, expected = observe(request), ask(request)
    np.testing.assert_array_equal(found.value, expected.value, strict=True)
    if expected.derivative is None:
        assert found.derivative is None
    else:
        np.testing.assert_allclose(found.gradient, expected.gradient, rtol=ROUNDED, strict=True)
