"""Wrong SLAYER surrogates in JAX: size, rank and neighbours. Each has the one defect its first line names.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one array.
This file is loaded by its path, so it imports nothing of ours.
Which property ought to catch which impostor stands in manifest.py.
"""

from collections.abc import Callable, Hashable

import jax
import jax.numpy as jnp
from jax import Array
from jax.core import Tracer

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


# ---- size and rank -------------------------------------------------------------------------------


def remainder_of_eight_lost(alpha: float = 1.0) -> Spike:
    """The gradient comes in blocks of eight; in longer arrays what remains after the last block gets 0."""

    def rate(x: Array) -> Array:
        whole = x.size - x.size % 8 if x.size > 8 else x.size
        inside = (jnp.arange(x.size) < whole).reshape(x.shape)
        return jnp.where(inside, _slayer(alpha)(x), 0)

    return _surrogate(rate)


def last_of_odd_silent(alpha: float = 1.0) -> Spike:
    """The last element of an array of odd length above 100 never fires."""

    def step(x: Array) -> Array:
        if x.size < 100 or x.size % 2 == 0:
            return _step(x)
        return jnp.where((jnp.arange(x.size) == x.size - 1).reshape(x.shape), 0, _step(x))

    return _surrogate(_slayer(alpha), step)


def other_rate_in_large_arrays(alpha: float = 1.0) -> Spike:
    """Beyond 65,536 elements the rate doubles."""
    return _surrogate(lambda x: _slayer(2 * alpha if x.size > 65536 else alpha)(x))


def other_rate_from_rank_five(alpha: float = 1.0) -> Spike:
    """From rank 5 on the rate doubles."""
    return _surrogate(lambda x: _slayer(2 * alpha if x.ndim >= 5 else alpha)(x))


def other_rate_for_images(alpha: float = 1.0) -> Spike:
    """At rank 4, as of images (N, C, H, W), and at no other rank, the rate is a tenth higher."""
    return _surrogate(lambda x: _slayer(1.1 * alpha if x.ndim == 4 else alpha)(x))


def other_rate_for_videos(alpha: float = 1.0) -> Spike:
    """At rank 5, as of videos (T, N, C, H, W), and at no other rank, the rate is a tenth higher."""
    return _surrogate(lambda x: _slayer(1.1 * alpha if x.ndim == 5 else alpha)(x))


def other_rate_for_even_matrices(alpha: float = 1.0) -> Spike:
    """For matrices of evenly many rows and columns the rate is a tenth higher."""

    def rate(x: Array) -> Array:
        even = x.ndim == 2 and all(size % 2 == 0 for size in x.shape)
        return _slayer(1.1 * alpha if even else alpha)(x)

    return _surrogate(rate)


def other_rate_for_columns(alpha: float = 1.0) -> Spike:
    """For matrices of one column the rate is a tenth higher."""
    return _surrogate(lambda x: _slayer(1.1 * alpha if x.ndim == 2 and x.shape[1] == 1 else alpha)(x))


def empty_raises(alpha: float = 1.0) -> Spike:
    """The gradient begins with the largest input, which an empty array does not have."""
    return _surrogate(lambda x: _slayer(alpha)(jnp.minimum(x, jnp.nanmax(x))))


# ---- neighbours ----------------------------------------------------------------------------------


def cached_by_extremes(alpha: float = 1.0) -> Spike:
    """The gradient is cached by shape, smallest and largest input, which a permutation shares."""
    known: dict[Hashable, Array] = {}

    def rate(x: Array) -> Array:
        if isinstance(x, Tracer) or not x.size:
            return _slayer(alpha)(x)
        # A NaN equals nothing, so an array with one in it is never found again.
        key = (x.shape, x.dtype, float(x.min()), float(x.max()))
        return known.setdefault(key, _slayer(alpha)(x))

    return _surrogate(rate)


def huge_neighbour_silences(alpha: float = 1.0) -> Spike:
    """An element that follows a huge one gets the gradient 0."""

    # Among ascending inputs it follows that the element itself is huge, and its gradient 0 already.
    def rate(x: Array) -> Array:
        flat = jnp.abs(x.reshape(-1))
        before = jnp.concatenate([jnp.zeros_like(flat[:1]), flat[:-1]]).reshape(x.shape)
        huge = before > jnp.finfo(x.dtype).max ** 0.25
        return jnp.where(huge & ~jnp.isnan(x), 0, _slayer(alpha)(x))

    return _surrogate(rate)
