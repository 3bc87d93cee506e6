"""Right SLAYER surrogates in JAX that declare what lies beyond the gradient: none may ever be called wrong.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one array.
This file is loaded by its path, so it imports nothing of ours.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

Spike = Callable[[Array], Array]


def _step(x: Array) -> Array:
    return (x >= 0).astype(x.dtype)


@jax.custom_jvp
def _learnable(x: Array, alpha: Any) -> Array:
    return _step(x)


@_learnable.defjvp
def _learnable_rule(primals: tuple[Array, Any], tangents: tuple[Array, Any]) -> tuple[Array, Array]:
    (x, alpha), (push, turn) = primals, tangents
    rate = jnp.exp(-alpha * jnp.abs(x))
    # At infinity the rate is 0, and so is its derivative by alpha.
    distance = jnp.where(jnp.isinf(x), 0, jnp.abs(x))
    return _learnable(x, alpha), rate * push - distance * rate * turn


def learnable_alpha(alpha: float = 1.0) -> Spike:
    """custom_jvp of x and alpha whose rule can be differentiated: both further derivatives are the formula's."""
    return lambda x: _learnable(x, alpha)


def nothing_beyond(alpha: float = 1.0) -> Spike:
    """custom_jvp whose rate is behind stop_gradient, of an alpha that it ignores: both further derivatives are 0."""

    @jax.custom_jvp
    def spike(x: Array, alpha: Any) -> Array:
        return _step(x)

    @spike.defjvp
    def rule(primals: tuple[Array, Any], tangents: tuple[Array, Any]) -> tuple[Array, Array]:
        (x, alpha), (push, _) = primals, tangents
        return spike(x, alpha), lax.stop_gradient(jnp.exp(-alpha * jnp.abs(x))) * push

    return lambda x: spike(x, alpha)
