"""Wrong SLAYER surrogates in JAX: forward and formula. Each has the one defect its first line names.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one array.
This file is loaded by its path, so it imports nothing of ours.
Which property ought to catch which impostor stands in manifest.py.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

Spike = Callable[[Array], Array]


def _step(x: Array) -> Array:
    return (x >= 0).astype(x.dtype)


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


def _slayer(alpha: float) -> Spike:
    return lambda x: jnp.exp(-alpha * jnp.abs(x))


# ---- forward -------------------------------------------------------------------------------------


def silent_at_minus_zero(alpha: float = 1.0) -> Spike:
    """Forward reads the sign bit, so that -0.0 does not fire."""
    return _surrogate(_slayer(alpha), lambda x: (~jnp.signbit(x) & ~jnp.isnan(x)).astype(x.dtype))


def nan_fires(alpha: float = 1.0) -> Spike:
    """Forward is written as "not below zero", so that NaN fires."""
    return _surrogate(_slayer(alpha), lambda x: (~(x < 0)).astype(x.dtype))


def half_spike_at_zero(alpha: float = 1.0) -> Spike:
    """Forward is (sign(x) + 1) / 2, which is one half at the threshold."""
    return _surrogate(_slayer(alpha), lambda x: jnp.where(jnp.isnan(x), 0, (jnp.sign(x) + 1) / 2).astype(x.dtype))


def fires_just_below_zero(alpha: float = 1.0) -> Spike:
    """Forward asks whether sigmoid(x) >= 1/2, which rounding makes true for tiny negative x."""
    return _surrogate(_slayer(alpha), lambda x: (jax.nn.sigmoid(x) >= 0.5).astype(x.dtype))


# ---- the formula ---------------------------------------------------------------------------------


def alpha_ignored(alpha: float = 1.0) -> Spike:
    """The parameter is ignored: the rate is always that of alpha = 1.25."""
    # 1.25 is nobody's test value, so that no choice of parameters makes this impostor right by accident.
    return _surrogate(_slayer(1.25))


def log2e_cut(alpha: float = 1.0) -> Spike:
    """The exp2 form uses log2(e) cut to 1.4427."""
    return _surrogate(lambda x: jnp.exp2(-alpha * 1.4427 * jnp.abs(x)))


def tail_cut_at_20(alpha: float = 1.0) -> Spike:
    """The tail is cut to 0 beyond alpha*|x| = 20 (float16 cannot show it, exp(-20) is subnormal)."""
    return _surrogate(lambda x: jnp.where(alpha * jnp.abs(x) > 20, 0, _slayer(alpha)(x)))


def clamped_to_floor(alpha: float = 1.0) -> Spike:
    """The gradient is clamped to a minimum of 1e-4."""
    return _surrogate(lambda x: jnp.maximum(_slayer(alpha)(x), 1e-4))


def bfloat16_inside(alpha: float = 1.0) -> Spike:
    """The exponential is computed in bfloat16 whatever the input's dtype (bfloat16 is served rightly)."""
    return _surrogate(lambda x: _slayer(alpha)(x.astype(jnp.bfloat16)).astype(x.dtype))


def sigmoid_instead(alpha: float = 1.0) -> Spike:
    """The derivative of a sigmoid, scaled to peak at 1, instead of the exponential."""
    return _surrogate(lambda x: 4 * jax.nn.sigmoid(alpha * x) * jax.nn.sigmoid(-alpha * x))


def flat_top(alpha: float = 1.0) -> Spike:
    """The gradient is held at 1 while alpha*|x| < 0.02."""
    return _surrogate(lambda x: jnp.where(alpha * jnp.abs(x) < 0.02, 1, _slayer(alpha)(x)))


def rational_instead(alpha: float = 1.0) -> Spike:
    """The fast sigmoid's 1 / (1 + alpha*|x|)^2 instead of the exponential: the tail is too heavy."""
    return _surrogate(lambda x: 1 / (1 + alpha * jnp.abs(x)) / (1 + alpha * jnp.abs(x)))


def slope_off_by_1e_5(alpha: float = 1.0) -> Spike:
    """The slope is too steep by one part in 1e5 (float32 and float64 show it, the half precisions cannot)."""
    return _surrogate(_slayer(alpha * (1 + 1e-5)))


def straight_through(alpha: float = 1.0) -> Spike:
    """The gradient is the straight-through 1, with no decay at all."""
    return _surrogate(lambda x: jnp.where(jnp.isinf(x), 0, jnp.where(jnp.isnan(x), x, 1)).astype(x.dtype))


# ---- the peak ------------------------------------------------------------------------------------


def peak_one_ulp_short(alpha: float = 1.0) -> Spike:
    """The whole curve is one ulp too low, so that the peak never reaches 1."""

    # Well inside every rounding bound: only a demand for exactly 1 can see it.
    def rate(x: Array) -> Array:
        return _slayer(alpha)(x) * (1 - jnp.finfo(x.dtype).epsneg)

    return _surrogate(rate)


def hole_at_minus_zero(alpha: float = 1.0) -> Spike:
    """The gradient at -0.0 is 0 (at +0.0 it is right)."""
    return _surrogate(lambda x: jnp.where((x == 0) & jnp.signbit(x), 0, _slayer(alpha)(x)))


def exponent_precedence(alpha: float = 1.0) -> Spike:
    """A misplaced bracket: exp(-alpha) * |x|."""
    return _surrogate(lambda x: jnp.exp(jnp.full_like(x, -alpha)) * jnp.abs(x))


def zero_gradient(alpha: float = 1.0) -> Spike:
    """A plain step: the gradient is 0 everywhere."""
    return _step


# ---- symmetry, range, non-finite input -----------------------------------------------------------


def one_ulp_asymmetric(alpha: float = 1.0) -> Spike:
    """The negative side is one ulp lower than the positive side."""

    # Well inside every rounding bound: only a comparison of bits can see it.
    def rate(x: Array) -> Array:
        return jnp.where(x < 0, 1 - jnp.finfo(x.dtype).epsneg, 1).astype(x.dtype) * _slayer(alpha)(x)

    return _surrogate(rate)


def spike_as_gradient(alpha: float = 1.0) -> Spike:
    """The backward pass hands out cotangent * spike: 1 above the threshold, 0 below."""

    @jax.custom_vjp
    def spike(x: Array) -> Array:
        return _step(x)

    spike.defvjp(lambda x: (_step(x), _step(x)), lambda fired, cotangent: (cotangent * fired,))
    return spike


def abs_forgotten(alpha: float = 1.0) -> Spike:
    """The absolute value is forgotten: exp(-alpha*x) grows without limit below the threshold."""
    return _surrogate(lambda x: jnp.exp(-alpha * x))


def rippled(alpha: float = 1.0) -> Spike:
    """A ripple of 10 % lies on the exponential, so that it rises again in places."""
    return _surrogate(lambda x: _slayer(alpha)(x) * (1 - 0.1 * jnp.sin(8 * _finite(x)) ** 2))


def negative_undershoot(alpha: float = 1.0) -> Spike:
    """The curve is stretched downwards by 1 % of the peak, so that the tail is negative."""

    def rate(x: Array) -> Array:
        true = _slayer(alpha)(x)
        return jnp.where(jnp.isinf(x), 0, true - 0.01 * (1 - true))

    return _surrogate(rate)


def infinity_times_zero(alpha: float = 1.0) -> Spike:
    """The gradient at +-inf is NaN, because x enters a product with the vanished exponential."""
    return _surrogate(lambda x: _slayer(alpha)(x) + 0 * x)


def _finite(x: Array) -> Array:
    """`x` with infinities replaced by 0 (NaN stays), for a defect that is to show at finite inputs only."""
    return jnp.where(jnp.isinf(x), 0, x)
