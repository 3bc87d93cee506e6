"""Wrong SLAYER surrogates in JAX: right alone, wrong inside other transformations. The first line names the one.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one array.
This file is loaded by its path, so it imports nothing of ours.
Which property ought to catch which impostor stands in manifest.py.
"""

import sys
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

Spike = Callable[[Array], Array]
BatchRule = Callable[[Sequence[Array], Sequence[int]], tuple[Array, int]]


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


def _primitive(name: str, function: Callable[..., Array]) -> Primitive:
    """`function` as an operation of JAX's own, which has the last argument's shape and no batch rule yet."""
    made = Primitive(name)
    made.def_impl(jax.jit(function))
    made.def_abstract_eval(lambda *arguments: arguments[-1])
    mlir.register_lowering(made, mlir.lower_fun(function, multiple_results=False))
    return made


def _within(module: str, function: str = "") -> bool:
    """Whether a function of JAX's file `module`, that one or any, is tracing at this moment."""
    frame = sys._getframe()
    while frame is not None:
        code = frame.f_code
        if code.co_filename.replace("\\", "/").endswith(module) and function in ("", code.co_name):
            return True
        frame = frame.f_back
    return False


# ---- batching ------------------------------------------------------------------------------------


def other_rate_off_axis_0(alpha: float = 1.0) -> Spike:
    """Batched over any axis but 0 the rate doubles; vmap with in_axes=0 is right."""
    rate = _primitive("off_axis_rate", _slayer(alpha))

    def batch(args: Sequence[Array], axes: Sequence[int]) -> tuple[Array, int]:
        (x,), (axis,) = args, axes
        return _slayer(alpha if axis == 0 else 2 * alpha)(x), axis

    batching.primitive_batchers[rate] = batch
    return _surrogate(rate.bind)


def other_rate_under_second_vmap(alpha: float = 1.0) -> Spike:
    """The batch rule has a batch rule of its own, in which the rate doubles: vmap of vmap is wrong."""
    outer, inner = _primitive("rate", _slayer(alpha)), _primitive("batched_rate", _slayer(alpha))
    batching.primitive_batchers[outer] = lambda args, axes: (inner.bind(*args), axes[0])
    batching.primitive_batchers[inner] = lambda args, axes: (_slayer(2 * alpha)(*args), axes[0])
    return _surrogate(outer.bind)


def other_rate_in_a_batching_rule(alpha: float = 1.0) -> Spike:
    """In the batching rule of a sequential_vmap around it the rate doubles; unbatched, that one is right."""
    return _surrogate(lambda x: _slayer(2 * alpha if _within("custom_batching.py", "rule") else alpha)(x))


def cotangent_reshaped_under_second_vmap(alpha: float = 1.0) -> Spike:
    """Batched twice, the cotangent's batch axis is reshaped to the front, not moved; one of ones shows nothing."""

    def pull(x: Array, cotangent: Array) -> Array:
        return _slayer(alpha)(x) * cotangent

    once, twice = _primitive("pull", pull), _primitive("batched_pull", pull)

    def front(args: Sequence[Array], axes: Sequence[int | None]) -> list[Array]:
        size = next(a.shape[axis] for a, axis in zip(args, axes, strict=True) if axis is not None)
        return [batching.bdim_at_front(a, axis, size) for a, axis in zip(args, axes, strict=True)]

    def right(args: Sequence[Array], axes: Sequence[int | None]) -> tuple[Array, int | None]:
        alike = axes[0] == axes[1]
        return twice.bind(*(args if alike else front(args, axes))), axes[0] if alike else 0

    def wrong(args: Sequence[Array], axes: Sequence[int | None]) -> tuple[Array, int]:
        x, cotangent = front(args, axes)
        return pull(x, cotangent if axes[1] is None else args[1].reshape(cotangent.shape)), 0

    batching.primitive_batchers[once] = right
    batching.primitive_batchers[twice] = wrong

    @jax.custom_vjp
    def spike(x: Array) -> Array:
        return _step(x)

    spike.defvjp(lambda x: (_step(x), x), lambda x, cotangent: (once.bind(x, cotangent),))
    return spike


# ---- control flow and checkpoint -----------------------------------------------------------------


def other_rate_in_loops(alpha: float = 1.0) -> Spike:
    """Inside scan, map, while_loop and fori_loop the rate doubles."""
    return _surrogate(lambda x: _slayer(2 * alpha if _within("control_flow/loops.py") else alpha)(x))


def other_rate_in_branches(alpha: float = 1.0) -> Spike:
    """Inside the branches of cond and switch the rate doubles."""
    return _surrogate(lambda x: _slayer(2 * alpha if _within("control_flow/conditionals.py") else alpha)(x))


def other_rate_under_checkpoint(alpha: float = 1.0) -> Spike:
    """Under jax.checkpoint, which computes the forward pass a second time, the rate doubles."""
    return _surrogate(lambda x: _slayer(2 * alpha if _within("ad_checkpoint.py") else alpha)(x))


# ---- modes ---------------------------------------------------------------------------------------


def other_rate_in_jvp_of_jit(alpha: float = 1.0) -> Spike:
    """The tangent of an already traced call decays twice as fast: jit(jvp(f)) is right, jvp(jit(f)) is not."""

    def wrong(x: Array, tangent: Array) -> Array:
        return _slayer(2 * alpha)(x) * tangent

    push = _primitive("late_tangent", wrong)
    batching.defbroadcasting(push)
    ad.primitive_transposes[push] = lambda cotangent, x, tangent: [None, _slayer(alpha)(x) * cotangent]
    plain = _surrogate(_slayer(alpha))

    @jax.custom_jvp
    def late(x: Array) -> Array:
        return _step(x)

    @late.defjvp
    def rule(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        return late(*primals), push.bind(*primals, *tangents)

    # While jvp goes on, x is a tracer of jvp's; one of jit's alone is derived later, if at all.
    return lambda x: late(x) if type(x).__name__ == "DynamicJaxprTracer" else plain(x)
