"""Surrogates that differ in speed alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def good(alpha: float) -> Callable[[Any], Any]:
    """The plain formula."""
    return _made(alpha, 0)


def slow(alpha: float) -> Callable[[Any], Any]:
    """The plain formula after ten exponentials more, each of which waits for the one before it."""
    return _made(alpha, 10)


def broken(alpha: float) -> Callable[[Any], Any]:
    """Cannot be traced."""

    def spike(x: Any) -> Any:
        raise RuntimeError("no spikes today")

    return spike


def choosy(alpha: float) -> Callable[[Any], Any]:
    """The plain formula, but in no format of half the width."""
    plain = _made(alpha, 0)

    def spike(x: Any) -> Any:
        if x.dtype.itemsize == 2:
            raise TypeError(f"no {x.dtype} here")
        return plain(x)

    return spike


def undelayed(alpha: float) -> Callable[[Any], Any]:
    """The plain formula, where JAX computes in the thread that calls and compiles anew; else it cannot be traced."""
    plain = _made(alpha, 0)

    def spike(x: Any) -> Any:
        if jax.config.read("jax_cpu_enable_async_dispatch"):
            raise RuntimeError("computed in another thread")
        if jax.config.values["jax_enable_compilation_cache"]:
            raise RuntimeError("what was compiled before is read from a cache")
        return plain(x)

    return spike


def _made(alpha: float, more: int) -> Callable[[Any], Any]:
    @jax.custom_jvp
    def spike(x: Any) -> Any:
        return (x >= 0).astype(x.dtype)

    @spike.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (x,), (dx,) = primals, tangents
        y = x
        for _ in range(more):
            y = x + 1e-9 * jnp.exp(-jnp.abs(y))
        return spike(x), jnp.exp(-alpha * jnp.abs(y)) * dx

    return spike
