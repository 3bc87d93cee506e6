"""Wrong SLAYER surrogates in JAX: what they remember or share. Each has the one defect its first line names.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one array.
This file is loaded by its path, so it imports nothing of ours.
Which property ought to catch which impostor stands in manifest.py.
"""

import functools
import itertools
import random
import time
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
        slope = rate(x)  # first: a step that donates its input leaves nothing to derive
        return spike(x), slope * tangent

    return spike


def _traced(x: Array) -> bool:
    """Whether `x` has no values yet; what is traced cannot be remembered."""
    return isinstance(x, Tracer)


# ---- shared between instances --------------------------------------------------------------------


class _Shared:
    alpha = 1.0


def shared_class_attribute(alpha: float = 1.0) -> Spike:
    """A class attribute holds alpha: the latest instance decides for all of them."""
    _Shared.alpha = alpha
    return _surrogate(lambda x: _slayer(_Shared.alpha)(x))


def memoised_by_whole_alpha(alpha: float = 1.0) -> Spike:
    """The factory is memoised by int(alpha), so that 1.25 gets the instance made for 1.72."""
    return _memoised.setdefault(int(alpha), _surrogate(_slayer(alpha)))


_memoised: dict[int, Spike] = {}


# ---- remembered from call to call ----------------------------------------------------------------


def _cached(alpha: float, key: Callable[[Array], Hashable]) -> Spike:
    """Spike function that computes the pseudo-derivative once for each `key` of the input."""
    known: dict[Hashable, Array] = {}

    def rate(x: Array) -> Array:
        if _traced(x):
            return _slayer(alpha)(x)
        found = (x.shape, x.dtype, key(x))
        if found not in known:
            known[found] = _slayer(alpha)(x)
        return known[found]

    return _surrogate(rate)


def cached_by_shape(alpha: float = 1.0) -> Spike:
    """The gradient is cached by the input's shape and dtype, whatever its values."""
    return _cached(alpha, lambda x: None)


def cached_by_id(alpha: float = 1.0) -> Spike:
    """The gradient is cached in two slots, chosen by id(x) and never checked: inputs that share one share it."""
    # Few slots, so that being caught does not hang on where the interpreter places an array.
    return _cached(alpha, lambda x: id(x) // 64 % 2)


def lags_one_call(alpha: float = 1.0) -> Spike:
    """The gradient is that of the previous call's input of the same shape."""
    latest: dict[Hashable, Array] = {}

    def rate(x: Array) -> Array:
        if _traced(x):
            return _slayer(alpha)(x)
        previous = latest.get((x.shape, x.dtype), x)
        latest[x.shape, x.dtype] = x
        return _slayer(alpha)(previous)

    return _surrogate(rate)


def third_call(alpha: float = 1.0) -> Spike:
    """The third call of an instance has twice the rate; all others are right."""
    right, wrong, calls = _surrogate(_slayer(alpha)), _surrogate(_slayer(2 * alpha)), 0

    def spike(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return (wrong if calls == 3 else right)(x)

    return spike


def wobbles(alpha: float = 1.0) -> Spike:
    """Global randomness: the gradient is up to 1e-3 off, by another amount at every call."""
    return _surrogate(lambda x: (1 - 1e-3 * random.random()) * _slayer(alpha)(x))


def last_bit_alternates(alpha: float = 1.0) -> Spike:
    """Every second call is a rounding lower: each is well within the bound, and no call agrees with the one before."""
    lower = itertools.cycle((False, True))

    def rate(x: Array) -> Array:
        factor = 1 - jnp.finfo(x.dtype).eps / 2 if next(lower) else 1.0
        slope = _slayer(alpha)(x)
        return jnp.where(jnp.abs(x) > 0.1, slope * factor, slope).astype(x.dtype)

    return _surrogate(rate)


def stashed_input(alpha: float = 1.0) -> Spike:
    """The backward pass reads the input from an attribute: that of the latest forward of its shape."""
    latest: dict[Hashable, Array] = {}

    @jax.custom_vjp
    def spike(x: Array) -> Array:
        return _step(x)

    def forward(x: Array) -> tuple[Array, Array]:
        if not _traced(x):
            latest[x.shape, x.dtype] = x
        return _step(x), x

    def backward(x: Array, cotangent: Array) -> tuple[Array]:
        stashed = x if _traced(x) else latest[x.shape, x.dtype]
        return (_slayer(alpha)(stashed) * cotangent,)

    spike.defvjp(forward, backward)
    return spike


# ---- threads -------------------------------------------------------------------------------------


def scratch_shared_by_threads(alpha: float = 1.0) -> Spike:
    """|x| lies in an attribute of the instance while a call lasts: threads overwrite one another's."""
    scratch: dict[str, Array] = {}

    def rate(x: Array) -> Array:
        if _traced(x):
            return _slayer(alpha)(x)
        scratch["distance"] = jnp.abs(x)
        # Any wait lets another thread in; a longer one makes the race certain where it is run at all.
        time.sleep(1e-3)
        return jnp.exp(-alpha * scratch["distance"])

    return _surrogate(rate)


# ---- arguments -----------------------------------------------------------------------------------


def donates_its_input(alpha: float = 1.0) -> Spike:
    """The forward is jitted with its input donated, so that a plain call deletes the caller's array."""
    return _surrogate(_slayer(alpha), jax.jit(_step, donate_argnums=0))


def donates_the_cotangent(alpha: float = 1.0) -> Spike:
    """The backward pass is jitted with the cotangent donated: the caller's array is deleted."""

    @functools.partial(jax.jit, donate_argnums=1)
    def pull(x: Array, cotangent: Array) -> Array:
        return _slayer(alpha)(x) * cotangent

    @jax.custom_vjp
    def spike(x: Array) -> Array:
        return _step(x)

    spike.defvjp(lambda x: (_step(x), x), lambda x, cotangent: (pull(x, cotangent),))
    return spike


def donates_its_last_answer(alpha: float = 1.0) -> Spike:
    """The memory of the last call's spikes is donated to the next call: the caller's array is deleted."""
    last: dict[Hashable, Array] = {}

    @functools.partial(jax.jit, donate_argnums=1, keep_unused=True)
    def step(x: Array, memory: Array) -> Array:
        return _step(x)

    def remembering(x: Array) -> Array:
        if _traced(x):
            return _step(x)
        key = (x.shape, x.dtype)
        last[key] = step(x, last.pop(key, jnp.zeros_like(x)))
        return last[key]

    spike = _surrogate(_slayer(alpha))
    return lambda x: spike(x) if _traced(x) else remembering(x)


# ---- compilation ---------------------------------------------------------------------------------


def fresh_jit_each_call(alpha: float = 1.0) -> Spike:
    """Every call jits a new lambda, so that nothing compiled is ever found again."""
    return _surrogate(lambda x: jax.jit(lambda x: jnp.exp(-alpha * jnp.abs(x)))(x))


def compiled_for_each_value(alpha: float = 1.0) -> Spike:
    """The largest value is a static argument, so that every new one compiles the program again."""

    @functools.partial(jax.jit, static_argnums=0)
    def step(largest: float, x: Array) -> Array:
        return _step(x) if largest >= 0 else jnp.zeros_like(x)

    def fire(x: Array) -> Array:
        if _traced(x) or not x.size:
            return _step(x)
        return step(float(jnp.nanmax(jnp.where(jnp.isnan(x), 0, jnp.abs(x)))), x)

    return _surrogate(_slayer(alpha), fire)
