"""Right SLAYER surrogates in JAX that keep state, share it, or offer more: none may ever be called wrong.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one array.
This file is loaded by its path, so it imports nothing of ours.
"""

import contextvars
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax import Array

Spike = Callable[[Array], Array]


def _step(x: Array) -> Array:
    return (x >= 0).astype(x.dtype)


def _slayer(alpha: float | Array, x: Array) -> Array:
    return jnp.exp(-alpha * jnp.abs(x))


def jitted_custom_gradient(alpha: float = 1.0) -> Spike:
    """custom_gradient within jit, whose backward closure holds the finished rate; no forward mode."""

    @jax.custom_gradient
    def spike(x: Array) -> tuple[Array, Spike]:
        rate = _slayer(alpha, x)
        return _step(x), lambda cotangent: rate * cotangent

    return jax.jit(cast(Spike, spike))  # the decorator's declared type is that of the function it wraps


def linear_call(alpha: float = 1.0) -> Spike:
    """The tangent goes through an explicit linear map that is given with its transpose; no batching."""

    def pull(rate: Array, cotangent: Array) -> Array:
        return rate * cotangent

    @jax.custom_jvp
    def spike(x: Array) -> Array:
        return _step(x)

    @spike.defjvp
    def rule(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        (x,), (tangent,) = primals, tangents
        return spike(x), jax.custom_derivatives.linear_call(pull, pull, _slayer(alpha, x), tangent)

    return spike


@functools.partial(jax.tree_util.register_dataclass, data_fields=["alpha"], meta_fields=[])
@dataclass(frozen=True)
class PytreeModule:
    """A callable dataclass that is a pytree with alpha as its leaf, so that jit traces the parameter too."""

    alpha: float = 1.0

    def __call__(self, x: Array) -> Array:
        return _applied(self, x)


@jax.jit
def _applied(module: PytreeModule, x: Array) -> Array:
    return _with_alpha(module.alpha, x)


@jax.custom_jvp
def _with_alpha(alpha: float | Array, x: Array) -> Array:
    return _step(x)


@_with_alpha.defjvp
def _with_alpha_rule(primals: tuple[Any, Array], tangents: tuple[Any, Array]) -> tuple[Array, Array]:
    (alpha, x), (_, tangent) = primals, tangents
    return _with_alpha(alpha, x), _slayer(alpha, x) * tangent


@functools.lru_cache(maxsize=8)
def _built(alpha: float) -> Spike:
    @jax.custom_jvp
    def spike(x: Array) -> Array:
        return _step(x)

    spike.defjvps(lambda tangent, value, x: _slayer(alpha, x) * tangent)
    return spike


def memoised_by_alpha(alpha: float = 1.0) -> Spike:
    """The factory is memoised by alpha with lru_cache, and uses defjvps."""
    return _built(float(alpha))


def context_variable(alpha: float = 1.0) -> Spike:
    """A context variable takes alpha to the rule; each call sets and resets it, and threads have their own."""
    current: contextvars.ContextVar[float] = contextvars.ContextVar("alpha")

    @jax.custom_vjp
    def inner(x: Array) -> Array:
        return _step(x)

    inner.defvjp(
        lambda x: (_step(x), _slayer(current.get(alpha), x)),
        lambda rate, cotangent: (rate * cotangent,),
    )

    def spike(x: Array) -> Array:
        token = current.set(alpha)
        try:
            return inner(x)
        finally:
            current.reset(token)

    return spike


class WithSurrogateFun:
    """Offers the smooth function whose derivative the gradient is, as surrogate_fun."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def __call__(self, x: Array) -> Array:
        return _with_alpha(self.alpha, x)

    def surrogate_fun(self, x: Array) -> Array:
        return jnp.sign(x) * -jnp.expm1(-self.alpha * jnp.abs(x)) / self.alpha
