"""What JAX does with a spike function: each operation of a request, under the transformations that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.core
import jax.custom_batching
import jax.numpy as jnp
import numpy as np
from jax import lax

from surrogate_core.drivers.base import BrokenContract, Request, Transform, Unsupported
from surrogate_core.drivers.copies import COPIES

__all__ = ["checked", "cotangent_of", "ones", "operation"]


def checked(function: Callable[[Any], Any]) -> Callable[[Any], jax.Array]:
    """The function, which raises :class:`BrokenContract` where it returns anything but one array."""

    def spike(x: jax.Array) -> jax.Array:
        y = function(x)
        if not isinstance(y, jax.Array):
            raise BrokenContract(
                f"the spike function returned {_name(y)} for a jax.Array of dtype {x.dtype} and shape {x.shape}; "
                "expected one jax.Array"
            )
        return y

    return spike


def _name(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _transformed(function: Callable[..., Any], transforms: tuple[Transform, ...], axes: bool) -> Callable[..., Any]:
    for t in transforms:
        if t.name == "vmap":
            # An absent direction (None) has no axis: vmap leaves an empty pytree alone.
            function = jax.vmap(function, in_axes=(t.in_axis, t.in_axis) if axes else t.in_axis, out_axes=t.out_axis)
        elif t.name in WRAPPERS:
            function = WRAPPERS[t.name](function)
        elif t.name not in COPIES:
            raise Unsupported(f"{t.name}: JAX has nothing of that kind")
    return function


def _scanned(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: lax.scan(lambda carry, row: (carry, function(*row)), None, given)[1]


def _mapped(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: lax.map(lambda row: function(*row), given)


def _branched(function: Callable[..., Any]) -> Callable[..., Any]:
    # Neither branch is known to be taken while it is traced, and both are the function.
    return lambda *given: lax.cond(given[0].sum() < 0, function, function, *given)


def _looped(function: Callable[..., Any]) -> Callable[..., Any]:
    def looped(*given: Any) -> Any:
        blank = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(function, *given))
        return lax.while_loop(lambda state: state[0] < 1, lambda state: (state[0] + 1, function(*given)), (0, blank))[1]

    return looped


def _custom_batched(function: Callable[..., Any]) -> Callable[..., Any]:
    def batched(*given: Any) -> Any:
        present = [g for g in given if g is not None]
        return jax.custom_batching.sequential_vmap(lambda *a: function(*a, *[None] * (len(given) - len(a))))(*present)

    return batched


WRAPPERS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "jit": jax.jit,
    "checkpoint": jax.checkpoint,
    "scan": _scanned,
    "map": _mapped,
    "cond": _branched,
    "while": _looped,
    "custom_vmap": _custom_batched,
}


def operation(function: Callable[[Any], jax.Array], request: Request) -> Callable[[Any, Any], tuple[Any, Any]]:
    """(x, direction) -> (value, derivative), with all transformations in place."""
    spike = _transformed(function, request.inner, axes=False)

    def vjp(x: Any, cotangent: Any) -> tuple[Any, Any]:
        value, pull = jax.vjp(spike, x)
        return value, pull(cotangent_of(value, cotangent))[0]

    def late(x: Any, cotangent: Any) -> tuple[Any, Any]:
        value, pull = jax.vjp(spike, x)
        other, pull_other = jax.vjp(spike, _doubled_and_mirrored(x))
        pull_other(cotangent_of(other, None))
        return value, pull(cotangent_of(value, cotangent))[0]

    def again(x: Any, cotangent: Any) -> tuple[Any, Any]:
        value, pull = jax.vjp(spike, x)
        cotangent = cotangent_of(value, cotangent)
        pull(_doubled_and_mirrored(cotangent))
        return value, pull(cotangent)[0]

    def jvp(x: Any, tangent: Any) -> tuple[Any, Any]:
        return jax.jvp(spike, (x,), (ones(x) if tangent is None else tangent,))

    def linearize(x: Any, tangent: Any) -> tuple[Any, Any]:
        value, push = jax.linearize(spike, x)
        return value, push(ones(x) if tangent is None else tangent)

    def residuals(x: Any, _: Any) -> tuple[Any, Any]:
        value, pull = jax.vjp(spike, x)
        # What is used twice is kept once.
        return value, np.array(sum({id(leaf): leaf.nbytes for leaf in jax.tree.leaves(pull)}.values()))

    operations: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
        "value": lambda x, _: (spike(x), None),
        "vjp": vjp,
        "late vjp": late,
        "vjp again": again,
        "jvp": jvp,
        "linearize": linearize,
        "grad": lambda x, _: (spike(x), jax.grad(lambda x: spike(x).sum())(x)),
        "jacrev": lambda x, _: (spike(x), jax.jacrev(spike)(x)),
        "jacfwd": lambda x, _: (spike(x), jax.jacfwd(spike)(x)),
        "second": lambda x, _: (spike(x), jax.grad(lambda x: jax.grad(lambda x: spike(x).sum())(x).sum())(x)),
        "affine": lambda x, cotangent: _affine(spike, request.weights, x, cotangent),
        "recurrent": lambda x, cotangent: _recurrent(spike, request.weights, x, cotangent),
        "residuals": residuals,
        "smooth": lambda x, _: (spike(x), None),
        "parameter": lambda x, _: _parameter(function, request.weights, x),
    }
    return _transformed(operations[request.operation], request.outer, axes=True)


def cotangent_of(value: Any, cotangent: Any) -> Any:
    """The cotangent in the spikes' dtype, or ones; raises :class:`BrokenContract` where it has another shape."""
    if cotangent is None:
        return ones(value)
    if cotangent.shape != value.shape:
        raise BrokenContract(f"the spike function returned the shape {value.shape}; expected {cotangent.shape}")
    return cotangent.astype(value.dtype)


def ones(like: Any) -> Any:
    """Ones of the shape and dtype, and in the place, of ``like``."""
    # Of NumPy, since to make them in JAX would be a program of its own; and placed as given directions are,
    # since a product with what is placed nowhere would be another program.
    made = np.ones(like.shape, like.dtype)
    return made if isinstance(like, jax.core.Tracer) else jax.device_put(made, like.sharding)


def _doubled_and_mirrored(x: Any) -> Any:
    # In NumPy, where that can be: in JAX it would be a program of its own.
    if isinstance(x, np.ndarray | jax.core.Tracer):
        return -2 * x
    with np.errstate(over="ignore"):  # twice the largest number is infinite, and that is an input, too
        return jax.device_put(-2 * np.asarray(x), x.sharding)


def _parameter(make: Callable[[Any], Any], weights: tuple[np.ndarray, ...], x: Any) -> tuple[Any, Any]:
    (value,) = map(jnp.asarray, weights)
    spikes, pull = jax.vjp(lambda v: make(v)(x), value)
    return spikes, pull(ones(spikes))[0]


def _affine(spike: Callable[[Any], Any], weights: tuple[np.ndarray, ...], x: Any, cotangent: Any) -> tuple[Any, Any]:
    # At the highest precision: an accelerator may else multiply matrices in fewer bits than the format has.
    def layer(w: Any, b: Any, x: Any) -> Any:
        return spike(jnp.matmul(w, x, precision="highest") + b)

    value, pull = jax.vjp(layer, *map(jnp.asarray, weights), x)
    return value, jnp.concatenate([g.ravel() for g in pull(cotangent_of(value, cotangent))])


def _recurrent(spike: Callable[[Any], Any], weights: tuple[np.ndarray, ...], x: Any, cotangent: Any) -> tuple[Any, Any]:
    (decay,) = map(jnp.asarray, weights)

    def step(u: Any, current: Any) -> tuple[Any, Any]:
        u = decay * u + current
        s = spike(u)
        return u - s, s

    value, pull = jax.vjp(lambda x: lax.scan(step, jnp.zeros_like(x[0]), x)[1], x)
    return value, pull(cotangent_of(value, cotangent))[0]
