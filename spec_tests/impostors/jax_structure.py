"""Wrong SLAYER surrogates in JAX: right formula, but wrong dtype, shape, cotangent or transformation.

Each has the one defect its first line names.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one array.
This file is loaded by its path, so it imports nothing of ours.
Which property ought to catch which impostor stands in manifest.py.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.core import Tracer
from jax.custom_batching import custom_vmap
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

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


def _reverse_only(alpha: float, backward: Callable[[Array, Array], Array], step: Spike = _step) -> Spike:
    """Spike function whose gradient is `backward(rate, cotangent)`, linear or not; no forward mode."""

    @jax.custom_vjp
    def spike(x: Array) -> Array:
        return step(x)

    spike.defvjp(
        lambda x: (step(x), _slayer(alpha)(x)),
        lambda rate, cotangent: (backward(rate, cotangent),),
    )
    return spike


def _staged(x: Array) -> bool:
    """Whether jit is tracing `x`."""
    # An eager grad, vjp or jvp hands its rule plain arrays, so a tracer that is not vmap's can only be jit's.
    # vmap's has no public name.
    return isinstance(x, Tracer) and type(x).__name__ != "BatchTracer"


# ---- dtype and shape -----------------------------------------------------------------------------


def always_float32(alpha: float = 1.0) -> Spike:
    """The spikes are float32 whatever the input's dtype."""
    return _reverse_only(
        alpha,
        lambda rate, cotangent: rate * cotangent.astype(rate.dtype),
        lambda x: _step(x).astype(jnp.float32),
    )


def squeezed(alpha: float = 1.0) -> Spike:
    """Axes of length 1 are squeezed out of the result."""
    spike = _surrogate(_slayer(alpha))
    return lambda x: jnp.squeeze(spike(x))


# ---- the cotangent -------------------------------------------------------------------------------


def cotangent_sign_dropped(alpha: float = 1.0) -> Spike:
    """The backward pass multiplies by |cotangent|."""
    return _reverse_only(alpha, lambda rate, cotangent: rate * jnp.abs(cotangent))


def cotangent_averaged(alpha: float = 1.0) -> Spike:
    """The backward pass multiplies every element by the mean of the cotangent."""
    return _reverse_only(alpha, lambda rate, cotangent: rate * jnp.mean(cotangent))


def cotangent_ignored(alpha: float = 1.0) -> Spike:
    """The backward pass returns the pseudo-derivative and never multiplies by the cotangent."""
    return _reverse_only(alpha, lambda rate, cotangent: rate)


# ---- transformations -----------------------------------------------------------------------------


def other_rate_under_jit(alpha: float = 1.0) -> Spike:
    """Under jit the decay rate is twice alpha; eager calls are right."""
    return _surrogate(lambda x: _slayer(2 * alpha if _staged(x) else alpha)(x))


def silent_at_zero_under_jit(alpha: float = 1.0) -> Spike:
    """Under jit the forward is x > 0; eager calls are right."""
    return _surrogate(_slayer(alpha), lambda x: (x > 0).astype(x.dtype) if _staged(x) else _step(x))


def batch_axis_reshaped(alpha: float = 1.0) -> Spike:
    """The forward's batch rule moves the batch axis to the front by reshape, scrambling all but axis 0."""
    fire = Primitive("batch_axis_reshaped_step")
    fire.def_impl(jax.jit(_step))
    fire.def_abstract_eval(lambda x: x)
    mlir.register_lowering(fire, mlir.lower_fun(_step, multiple_results=False))

    def batch(args: Sequence[Array], axes: Sequence[int]) -> tuple[Array, int]:
        (x,), (axis,) = args, axes
        rest = [size for i, size in enumerate(x.shape) if i != axis]
        return fire.bind(x.reshape(x.shape[axis], *rest)), 0

    batching.primitive_batchers[fire] = batch
    return _surrogate(_slayer(alpha), fire.bind)


def other_rate_under_vmap(alpha: float = 1.0) -> Spike:
    """The pseudo-derivative's batch rule forgets alpha; plain calls are right."""
    rate = custom_vmap(_slayer(alpha))

    @rate.def_vmap
    def batch(axis_size: int, batched: Sequence[bool], x: Array) -> tuple[Array, bool]:
        return _slayer(1.25)(x), True  # 1.25 is nobody's test value

    return _surrogate(rate)


def _two_modes(name: str, forward: Callable[[Array, Array], Array], alpha: float) -> Spike:
    """Reverse mode is right; forward mode is `forward`, a primitive that is transposed into another one."""
    push = Primitive(name)
    push.def_impl(jax.jit(forward))
    push.def_abstract_eval(lambda x, tangent: tangent)
    mlir.register_lowering(push, mlir.lower_fun(forward, multiple_results=False))
    batching.defbroadcasting(push)
    ad.primitive_transposes[push] = lambda cotangent, x, tangent: [None, _slayer(alpha)(x) * cotangent]

    @jax.custom_jvp
    def spike(x: Array) -> Array:
        return _step(x)

    @spike.defjvp
    def rule(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        return spike(*primals), push.bind(*primals, *tangents)

    return spike


def forward_mode_forgets_alpha(alpha: float = 1.0) -> Spike:
    """Reverse mode is right, forward mode has alpha = 1.25: a primitive transposed into another one."""
    return _two_modes("forward_mode_forgets_alpha", lambda x, tangent: _slayer(1.25)(x) * tangent, alpha)


def tangent_clipped(alpha: float = 1.0) -> Spike:
    """Reverse mode is right, forward mode clips the tangent to [-1, 1]."""
    return _two_modes("tangent_clipped", lambda x, tangent: _slayer(alpha)(x) * jnp.clip(tangent, -1, 1), alpha)


def silent_at_zero_in_training(alpha: float = 1.0) -> Spike:
    """The forward is x > 0 while it is differentiated; a plain call is right."""

    @jax.custom_jvp
    def spike(x: Array) -> Array:
        return _step(x)

    @spike.defjvp
    def rule(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        (x,), (tangent,) = primals, tangents
        return (x > 0).astype(x.dtype), _slayer(alpha)(x) * tangent

    return spike


# ---- not a spike function at all -----------------------------------------------------------------


def other_rate_for_matrices(alpha: float = 1.0) -> Spike:
    """From rank 2 on the rate doubles; scalars and vectors are right."""
    return lambda x: _surrogate(_slayer(alpha if x.ndim < 2 else 2 * alpha))(x)


def normalised_by_its_peak(alpha: float = 1.0) -> Spike:
    """The gradient is divided by its largest value in the array, which is 1 only where 0 is among the inputs."""
    rate = _slayer(alpha)
    return _surrogate(lambda x: rate(x) / jnp.nanmax(rate(x), initial=jnp.finfo(x.dtype).tiny))


def raises(alpha: float = 1.0) -> Spike:
    """Every call raises."""

    def spike(x: Array) -> Array:
        raise RuntimeError("this surrogate always raises")

    return spike


def exits(alpha: float = 1.0) -> Spike:
    """The factory leaves with sys.exit(0), which must not read as a pass."""
    raise SystemExit(0)


def branches_on_values(alpha: float = 1.0) -> Spike:
    """A Python `if` on the values raises under jit and vmap; plain calls are right."""
    spike = _surrogate(_slayer(alpha))

    def shortcut(x: Array) -> Array:
        return spike(x) if bool((x > 0).any()) else spike(x + 0)

    return shortcut


def returns_tuple(alpha: float = 1.0) -> Callable[[Array], Any]:
    """The spikes come back in a tuple, together with the input."""
    spike = _surrogate(_slayer(alpha))
    return lambda x: (spike(x), x)


def returns_bool(alpha: float = 1.0) -> Spike:
    """The spikes are booleans, which have no gradient."""
    return lambda x: x >= 0
