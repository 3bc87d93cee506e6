"""Wrong SLAYER surrogates in JAX: the derivatives beyond the gradient, by x once more and by alpha.

Each has the one defect its first line names. It declares both: those of the formula, or 0, as manifest.py says.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one array.
This file is loaded by its path, so it imports nothing of ours.
Which property ought to catch which impostor stands in manifest.py.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.lax import stop_gradient

Spike = Callable[[Array], Array]
Rate = Callable[[Array, Any], Array]


def _step(x: Array) -> Array:
    return (x >= 0).astype(x.dtype)


def _slayer(x: Array, alpha: Any) -> Array:
    return jnp.exp(-alpha * jnp.abs(x))


def _by_alpha(x: Array, alpha: Any) -> Array:
    """The formula's derivative by alpha; infinity times 0 is no NaN."""
    return -jnp.where(jnp.isinf(x), 0, jnp.abs(x)) * _slayer(x, alpha)


def _surrogate(alpha: Any, rate: Rate = _slayer, by_alpha: Rate = _by_alpha) -> Spike:
    """Spike function of x and alpha with those two derivatives, which are differentiated in turn."""

    @jax.custom_jvp
    def spike(x: Array, alpha: Any) -> Array:
        return _step(x)

    @spike.defjvp
    def rule(primals: tuple[Array, Any], tangents: tuple[Array, Any]) -> tuple[Array, Array]:
        (x, alpha), (push, turn) = primals, tangents
        return spike(x, alpha), rate(x, alpha) * push + by_alpha(x, alpha) * turn

    return lambda x: spike(x, alpha)


def _constant(x: Array, alpha: Any) -> Array:
    """The rate as a number that nothing goes back through."""
    return stop_gradient(_slayer(x, alpha))


def _none(x: Array, alpha: Any) -> Array:
    return jnp.zeros_like(x)


# ---- by x once more ------------------------------------------------------------------------------


def second_derivative_detached(alpha: float = 1.0) -> Spike:
    """The rate is behind stop_gradient, so that the second derivative is 0 where the formula's is declared."""
    return _surrogate(alpha, _constant)


def second_derivative_one_sided(alpha: float = 1.0) -> Spike:
    """Below 0 the second derivative is 0: there -x is behind stop_gradient."""
    return _surrogate(alpha, lambda x, alpha: jnp.exp(-alpha * jnp.where(x < 0, stop_gradient(-x), x)))


def second_derivative_leaks(alpha: float = 1.0) -> Spike:
    """The second derivative is the formula's where 0 is declared."""
    return _surrogate(alpha, by_alpha=_none)


# ---- by alpha ------------------------------------------------------------------------------------


def alpha_detached(alpha: float = 1.0) -> Spike:
    """The derivative by alpha is 0 where the formula's is declared."""
    return _surrogate(alpha, by_alpha=_none)


def alpha_derivative_signed(alpha: float = 1.0) -> Spike:
    """The derivative by alpha has a factor x in place of |x|."""
    return _surrogate(alpha, by_alpha=lambda x, alpha: jnp.sign(x) * _by_alpha(x, alpha))


def alpha_derivative_leaks(alpha: float = 1.0) -> Spike:
    """The derivative by alpha is the formula's where 0 is declared."""
    return _surrogate(alpha, _constant)
