"""SlayerGrad: a step that trains through ``exp(-alpha*|x|)``, the surrogate of SLAYER.

Shrestha & Orchard, *SLAYER: Spike Layer Error Reassignment in Time*, NeurIPS 2018, let the
gradient pass a spike with an exponential of the distance to the threshold. Here ``x`` is that
distance (membrane potential minus threshold) and the peak is normalised to 1::

    forward    s(x)  = 1 if x >= 0 else 0        -0.0 gives 1, NaN gives 0
    backward   g'(x) = exp(-alpha*|x|)           NaN at NaN, 0 at +-inf
    second     g''(x) = -alpha*sign(x)*g'(x)     0 at 0, the mean of its two sides
    in alpha   ds/dalpha = 0 exactly: the spikes do not depend on alpha
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np
from jax import lax

# Format of the arithmetic -> its unsigned integer, its exponent bits, the upper half of its bits.
_LAYOUT: dict[str, tuple[Any, int, int]] = {
    "float32": (np.uint32, 0x7F80_0000, 0xFFFF_F000),
    "float64": (np.uint64, 0x7FF0_0000_0000_0000, 0xFFFF_FFFF_F800_0000),
}
_SIGNED: dict[Any, Any] = {
    jnp.dtype("float16"): np.int16,
    jnp.dtype("bfloat16"): np.int16,
    jnp.dtype("float32"): np.int32,
    jnp.dtype("float64"): np.int64,
}


def _step(x: jax.Array) -> jax.Array:
    # Decided on the bits, because XLA on CPU reads a negative subnormal as zero and `x >= 0` would
    # fire there. In two's complement, -bits <= 0 holds for 0, every positive, and -0.0 alone.
    bits = lax.bitcast_convert_type(x, _SIGNED[x.dtype])
    return ((-bits <= 0) & (x == x)).astype(x.dtype)


@jax.custom_jvp
def _distance(x: jax.Array) -> jax.Array:
    return jnp.abs(x)


# JAX differentiates abs to 1 at 0; the pseudo-derivative's own derivative is 0 there, between its sides.
_distance.defjvps(lambda dx, _, x: jnp.sign(x) * dx)


def _pseudo_derivative(x: jax.Array, alpha: Any, drift: Any) -> jax.Array:
    """exp(-alpha*(1 + drift)*|x|) within 1.5 ulp at normal x; written plainly it is off by up to 80.

    The plain formula rounds alpha to x's format and then p = alpha*|x|, and exp turns the absolute
    error e of the exponent into a relative one. e is had from exact products of half-length factors
    (Dekker, Numer. Math. 1971) and from drift, what rounding took from alpha; and
    exp(-p - e) = exp(-p)*(1 - e) up to e^2/2 < 2^-35. Scaling alpha into [1, 2) keeps all of it clear
    of underflow; from p = 2048 on the answer is 0 in every format, and e, which may overflow, is not needed.
    """
    work = jnp.promote_types(x.dtype, jnp.float32)
    unsigned, exponent, upper = _LAYOUT[work.name]

    def keep(value: jax.Array, mask: int) -> jax.Array:
        bits = lax.bitcast_convert_type(lax.stop_gradient(value), unsigned)
        return lax.bitcast_convert_type(bits & unsigned(mask), work)

    rounded, drift = jnp.asarray(alpha, work), jnp.asarray(drift, work)
    alpha = rounded + rounded * drift  # float64 holds all of alpha, float32 leaves the drift to e
    drift = drift - (alpha - rounded) / rounded
    scale = keep(alpha, exponent)
    m, y = alpha / scale, _distance(x.astype(work)) * scale
    p = m * y
    m1, y1 = keep(m, upper), keep(y, upper)
    e = (m1 * y1 - p) + (m1 * (y - y1) + (m - m1 + m * drift) * y)
    e = jnp.where(p < 2048, lax.stop_gradient(e), 0)
    g = jnp.exp(-p)
    return (g - g * e).astype(x.dtype)


@jax.custom_jvp
def _slayer(x: jax.Array, alpha: Any, drift: Any) -> jax.Array:
    return _step(x)


@_slayer.defjvp
def _slayer_jvp(primals: tuple[Any, Any, Any], tangents: tuple[Any, Any, Any]) -> tuple[jax.Array, jax.Array]:
    return _slayer(*primals), _pseudo_derivative(*primals) * tangents[0]


_SMALLEST, _LARGEST = float(np.finfo(np.float32).smallest_normal), float(np.finfo(np.float32).max)

# Compiled once per shape and dtype: an eager call costs one dispatch, and alpha, an argument, no retrace.
_compiled = jax.jit(_slayer, inline=True)


def _as_floating(x: Any) -> jax.Array:
    x = x if isinstance(x, jax.Array) else jnp.asarray(x)
    if x.dtype not in _SIGNED:
        raise TypeError(
            f"slayer_grad takes float16, bfloat16, float32 or float64, but x is {x.dtype.name}: "
            "convert it first, as in x.astype(jnp.float32)"
        )
    return x


def _as_positive(alpha: Any) -> Any:
    """alpha, once every value that is concrete is known to be finite and > 0 (a traced one passes)."""
    if isinstance(alpha, jax.core.Tracer) or (type(alpha) is float and 0.0 < alpha < math.inf):
        return alpha
    values = np.asarray(alpha)
    if values.dtype.kind not in "iu" and not jnp.issubdtype(values.dtype, jnp.floating):
        raise TypeError(f"alpha must be a real number or an array of them, got {alpha!r}")
    if not np.all((values > 0) & (values < math.inf)):
        raise ValueError(f"alpha must be finite and > 0, got {alpha!r}")
    if isinstance(alpha, jax.Array):
        return alpha
    return values if values.ndim else float(values)


def _apply(x: Any, alpha: Any) -> jax.Array:
    x, shape = _as_floating(x), getattr(alpha, "shape", ())
    # From the right, every extent of alpha is 1 or that of x.
    if len(shape) > x.ndim or any(a not in (1, b) for a, b in zip(shape[::-1], x.shape[::-1], strict=False)):
        raise ValueError(f"alpha of shape {shape} does not broadcast to the shape {x.shape} of x")
    if type(alpha) is not float:
        return _compiled(x, alpha, 0.0)
    if not _SMALLEST <= alpha <= _LARGEST:
        if x.dtype != jnp.float64:
            raise ValueError(f"alpha={alpha!r} is no normal number of float32, in which {x.dtype} is computed")
        return _compiled(x, alpha, 0.0)
    single = float(np.float32(alpha))  # as JAX takes a Python float where x64 is off
    return _compiled(x, single, (alpha - single) / single)


def slayer_grad(x: Any, alpha: Any = 1.0) -> jax.Array:
    """Spikes of ``x``: forward a step, backward ``exp(-alpha*|x|)``.

    Args:
        x: distance to the threshold, any shape; float16, bfloat16, float32, float64, or Python floats.
        alpha: decay rate per unit of ``x``, finite and > 0; a number, or an array that broadcasts
            to the shape of ``x`` (one rate per neuron). It gets no gradient (exactly 0). It has to be a
            normal number of the arithmetic: float64's for float64, else float32's (1.2e-38 to 3.4e38).

    Returns:
        1 where ``x >= 0``, else 0, in the shape and dtype of ``x``.

    Raises:
        TypeError: ``x`` is boolean, integer or complex; ``alpha`` is not real.
        ValueError: a concrete ``alpha`` is not finite and > 0, does not broadcast to ``x``, or is a
            Python float beyond the normal numbers of float32 where ``x`` is not float64.
    """
    return _apply(x, _as_positive(alpha))


@jax.tree_util.register_pytree_with_keys_class
@dataclass(frozen=True, eq=False)
class SlayerGrad:
    """:func:`slayer_grad` with its ``alpha`` bound: ``SlayerGrad(alpha=2.0)(x)``.

    Equal by ``alpha``, hashable where ``alpha`` is a scalar, and a pytree whose one leaf is ``alpha``.
    """

    alpha: Any = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", _as_positive(self.alpha))

    def __call__(self, x: Any) -> jax.Array:
        """Spikes of ``x``, as :func:`slayer_grad`."""
        return _apply(x, self.alpha)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SlayerGrad):
            return NotImplemented
        if isinstance(self.alpha, jax.core.Tracer) or isinstance(other.alpha, jax.core.Tracer):
            return self.alpha is other.alpha
        return np.array_equal(np.asarray(self.alpha), np.asarray(other.alpha))

    def __hash__(self) -> int:
        if np.ndim(self.alpha):
            raise TypeError("SlayerGrad is hashable only for a scalar alpha")
        return hash(float(self.alpha))

    def tree_flatten_with_keys(self) -> tuple[tuple[tuple[Any, Any]], None]:
        return ((jax.tree_util.GetAttrKey("alpha"), self.alpha),), None

    @classmethod
    def tree_unflatten(cls, _: None, leaves: Any) -> SlayerGrad:
        # Not through __init__: transformations put tracers and placeholders here, which are no rates.
        new = object.__new__(cls)
        object.__setattr__(new, "alpha", leaves[0])
        return new
