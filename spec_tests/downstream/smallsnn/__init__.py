"""Spiking neurons in JAX: here only their surrogate gradient."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

__all__ = ["FastSigmoid"]


def FastSigmoid(k: float = 25.0) -> Callable[[jax.Array], jax.Array]:  # noqa: N802 (made and used like a class)
    """A spike function: forward 1 for x >= 0, else 0; backward 1 / (1 + k * |x|)^2."""

    @jax.custom_jvp
    def spike(x: jax.Array) -> jax.Array:
        return (x >= 0).astype(x.dtype)

    @spike.defjvp
    def rule(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
        (x,), (dx,) = primals, tangents
        return spike(x), dx / (1 + k * jnp.abs(x)) ** 2

    return spike
