"""Wrong SLAYER surrogates in JAX: the curve, its parameter, its window, and what is multiplied by it.

Each has the one defect its first line names.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one array.
This file is loaded by its path, so it imports nothing of ours.
Which property ought to catch which impostor stands in manifest.py.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax

Spike = Callable[[Array], Array]


def _step(x: Array) -> Array:
    return (x >= 0).astype(x.dtype)


def _slayer(alpha: float) -> Spike:
    return lambda x: jnp.exp(-alpha * jnp.abs(x))


def _surrogate(rate: Spike, step: Spike = _step) -> Spike:
    """Spike function with the forward `step` and the pseudo-derivative `rate`; the rest is right."""

    @jax.custom_jvp
    def spike(x: Array) -> Array:
        return step(x)

    @spike.defjvp
    def rule(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        (x,), (tangent,) = primals, tangents
        return spike(x), rate(x) * tangent

    return spike


def _reverse_only(alpha: float, weigh: Spike) -> Spike:
    """Spike function that passes the cotangent through `weigh`, linear or not; no forward mode."""

    @jax.custom_vjp
    def spike(x: Array) -> Array:
        return _step(x)

    spike.defvjp(lambda x: (_step(x), x), lambda x, cotangent: (_slayer(alpha)(x) * weigh(cotangent),))
    return spike


# ---- the smooth function it is the slope of -------------------------------------------------------


def forward_difference(alpha: float = 1.0) -> Spike:
    """The gradient is a forward difference of the right smooth function, over a step of 1/1024."""

    def smooth(x: Array) -> Array:
        return -jnp.sign(x) * jnp.expm1(-alpha * jnp.abs(x)) / alpha

    return _surrogate(lambda x: (smooth(x + 2**-10) - smooth(x)) * 2**10)


# ---- the parameter -------------------------------------------------------------------------------


def alpha_to_the_1_001(alpha: float = 1.0) -> Spike:
    """The parameter enters as alpha ** 1.001, which is right for alpha = 1 alone."""
    return _surrogate(_slayer(alpha**1.001))


def alpha_at_least_1_5(alpha: float = 1.0) -> Spike:
    """The parameter is clamped to at least 1.5; larger ones are right."""
    return _surrogate(_slayer(max(alpha, 1.5)))


# ---- the curve -----------------------------------------------------------------------------------


def hyperbolic_secant(alpha: float = 1.0) -> Spike:
    """1 / cosh(alpha*x) instead of the exponential: the same peak and slope, an area of pi/alpha."""
    return _surrogate(lambda x: 1 / jnp.cosh(alpha * x))


def float32_inside_float64(alpha: float = 1.0) -> Spike:
    """float64 is computed in float32; every other dtype is right."""
    return _surrogate(lambda x: _slayer(alpha)(x.astype(jnp.float32) if x.dtype == jnp.float64 else x).astype(x.dtype))


def plateau_in_a_narrow_window(alpha: float = 1.0) -> Spike:
    """In float32 the gradient is held at one value while 1.2531 <= |x| < 1.25555, a width of 2^-9."""

    def rate(x: Array) -> Array:
        inside = (jnp.abs(x) >= 1.2531) & (jnp.abs(x) < 1.25555) & (x.dtype == jnp.float32)
        return _slayer(alpha)(jnp.where(inside, 1.2531, x))

    return _surrogate(rate)


def one_wrong_bit_pattern(alpha: float = 1.0) -> Spike:
    """In float32 the gradient is 0 at the one input 1.2632831 (0x3fa1b343)."""

    def rate(x: Array) -> Array:
        if x.dtype != jnp.float32:
            return _slayer(alpha)(x)
        return jnp.where(lax.bitcast_convert_type(x, jnp.int32) == 0x3FA1B343, 0, _slayer(alpha)(x))

    return _surrogate(rate)


# ---- the cotangent -------------------------------------------------------------------------------


def other_rate_unless_cotangent_is_one(alpha: float = 1.0) -> Spike:
    """Where not every cotangent is 1, the gradient is 1 % too large."""
    return _reverse_only(alpha, lambda cotangent: cotangent * jnp.where(jnp.all(cotangent == 1), 1, 1.01))


def cotangent_in_quarters(alpha: float = 1.0) -> Spike:
    """An ordinary cotangent, from 1/1024 to 1024, is rounded to a multiple of 1/4."""

    def weigh(cotangent: Array) -> Array:
        ordinary = (jnp.abs(cotangent) > 2.0**-10) & (jnp.abs(cotangent) < 2.0**10)
        return jnp.where(ordinary, jnp.round(4 * cotangent) / 4, cotangent)

    return _reverse_only(alpha, weigh)


def cotangent_of_eight_bits(alpha: float = 1.0) -> Spike:
    """The cotangent is rounded to the 8 significant bits of a bfloat16."""
    return _reverse_only(alpha, lambda cotangent: lax.reduce_precision(cotangent, jnp.finfo(cotangent.dtype).nexp, 7))


# ---- its own smooth function ---------------------------------------------------------------------


class SmoothForgetsToDivide:
    """Offers a smooth function surrogate_fun that is not divided by alpha: its slope at 0 is alpha."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha
        self.spike = _surrogate(_slayer(alpha))

    def __call__(self, x: Array) -> Array:
        return self.spike(x)

    def surrogate_fun(self, x: Array) -> Array:
        return jnp.sign(x) * -jnp.expm1(-self.alpha * jnp.abs(x))
