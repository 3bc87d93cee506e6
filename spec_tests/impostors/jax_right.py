"""Right SLAYER surrogates in JAX, each made by another technique: none of them may ever be called wrong.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one array.
This file is loaded by its path, so it imports nothing of ours.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

import jax
import jax.numpy as jnp
from jax import Array, lax

Spike = Callable[[Array], Array]


def _step(x: Array) -> Array:
    return (x >= 0).astype(x.dtype)


def _slayer(alpha: float, x: Array) -> Array:
    return jnp.exp(-alpha * jnp.abs(x))


def _with_rate(rate: Spike) -> Spike:
    @jax.custom_jvp
    def spike(x: Array) -> Array:
        return _step(x)

    @spike.defjvp
    def rule(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        (x,), (tangent,) = primals, tangents
        return spike(x), rate(x) * tangent

    return spike


def custom_jvp_rule(alpha: float = 1.0) -> Spike:
    """custom_jvp with the formula as it is written."""
    return _with_rate(partial(_slayer, alpha))


def custom_vjp_residual(alpha: float = 1.0) -> Spike:
    """custom_vjp that saves the pseudo-derivative in the forward pass; it has no forward mode."""

    @jax.custom_vjp
    def spike(x: Array) -> Array:
        return _step(x)

    spike.defvjp(lambda x: (_step(x), _slayer(alpha, x)), lambda rate, cotangent: (rate * cotangent,))
    return spike


def custom_gradient_closure(alpha: float = 1.0) -> Spike:
    """custom_gradient whose backward closure computes the exponential late; it has no forward mode."""

    @jax.custom_gradient
    def spike(x: Array) -> tuple[Array, Spike]:
        return _step(x), lambda cotangent: _slayer(alpha, x) * cotangent

    return cast(Spike, spike)  # the decorator's declared type is that of the function it wraps


def stop_gradient_sum(alpha: float = 1.0) -> Spike:
    """No custom rule: the step, plus terms of value exactly 0 whose derivatives are the gradient."""

    def spike(x: Array) -> Array:
        still = lax.stop_gradient(x)
        finite = jnp.isfinite(still)
        # Exactly 0 with derivative 1; where the difference would be NaN, 0 with derivative 0.
        zero = jnp.where(finite, x - jnp.where(finite, still, 0), 0)
        rate = jnp.where(finite, _slayer(alpha, still), 0)
        # NaN has to come out of the gradient without entering the value:
        # pow(NaN, 0) is 1 and its derivative is NaN * 0 (pow(1, 0), elsewhere, has derivative 0).
        poison = 1 + jnp.where(jnp.isnan(still), still, 0) * jnp.where(jnp.isinf(still), 0, x)
        return _step(still) + rate * zero + (lax.pow(poison, jnp.zeros_like(still)) - 1)

    return spike


def exp2_folded(alpha: float = 1.0) -> Spike:
    """exp2 with alpha * log2(e) folded into one constant."""
    folded = alpha * math.log2(math.e)
    return _with_rate(lambda x: jnp.exp2(-folded * jnp.abs(x)))


def upcast(alpha: float = 1.0) -> Spike:
    """Half precision is computed in float32, float32 in float64 where that is enabled; rounded once."""

    def rate(x: Array) -> Array:
        wide = jax.dtypes.canonicalize_dtype(jnp.float64) if x.dtype.itemsize >= 4 else jnp.float32
        return _slayer(alpha, x.astype(wide)).astype(x.dtype)

    return _with_rate(rate)


def two_branches(alpha: float = 1.0) -> Spike:
    """One exponential a side without an absolute value; the side not taken is given 0."""

    def rate(x: Array) -> Array:
        left = jnp.exp(alpha * jnp.where(x < 0, x, 0))
        right = jnp.exp(-alpha * jnp.where(x < 0, 0, x))
        return jnp.where(x < 0, left, right)

    return _with_rate(rate)


def jitted_bits(alpha: float = 1.0) -> Spike:
    """Jitted as a whole, with a forward on the bit pattern, exact even where XLA flushes subnormals."""

    def step(x: Array) -> Array:
        bits = lax.bitcast_convert_type(x, jnp.dtype(f"int{8 * x.dtype.itemsize}"))
        return (((bits >= 0) | (bits == jnp.iinfo(bits.dtype).min)) & ~jnp.isnan(x)).astype(x.dtype)

    @jax.custom_jvp
    def spike(x: Array) -> Array:
        return step(x)

    @spike.defjvp
    def rule(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        (x,), (tangent,) = primals, tangents
        return step(x), _slayer(alpha, x) * tangent

    return jax.jit(spike)


@dataclass(frozen=True)
class CallableObject:
    """A frozen dataclass with __call__ and a class-level custom_jvp that takes alpha as a static argument."""

    alpha: float = 1.0

    def __call__(self, x: Array) -> Array:
        return _static_spike(self.alpha, x)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _static_spike(alpha: float, x: Array) -> Array:
    return _step(x)


@_static_spike.defjvp
def _static_rule(alpha: float, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (tangent,) = primals, tangents
    return _step(x), _slayer(alpha, x) * tangent
