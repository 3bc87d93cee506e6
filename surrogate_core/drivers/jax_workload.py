"""Workloads in JAX."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental import serialize_executable

from surrogate_core.drivers import jax_devices
from surrogate_core.drivers.base import Unsupported
from surrogate_core.drivers.jax_counts import compiled_counts, traced_counts
from surrogate_core.drivers.workload import DECAY, THRESHOLD, Prepared, Workload, inputs

__all__ = ["JaxPreparer"]

Function = Callable[[Any, Any], Any]

COPIES = 6
"""How often a compiled program is loaded. In one of eighty its calls take 4 to 28 % longer, for as long as it lives."""


@jax.custom_jvp
def _bare_spike(x: Any) -> Any:
    return (x >= 0).astype(x.dtype)


_bare_spike.defjvps(lambda dx, _, x: x * dx)


class JaxPreparer:
    """See :class:`surrogate_core.drivers.workload.Preparer`."""

    def settle(self) -> None:
        # What is dear enough is else handed to another thread, and how long that takes to wake differs fourfold from
        # process to process; a program at the edge of being dear enough then seems to be slow by a cliff.
        jax.config.update("jax_cpu_enable_async_dispatch", False)
        # What is told of compiling would be how long it takes to read what the process before has compiled.
        jax.config.update("jax_enable_compilation_cache", False)

    def scope(self, dtype: str, device: str) -> AbstractContextManager[None]:
        return jax_devices.scope(dtype, device)

    def begin(self) -> None:
        pass  # a compiled program is an object of its own

    def prepare(self, spike: Callable[[Any], Any] | None, workload: Workload, device: str) -> Prepared:
        function = _function(spike, workload)
        if workload.mode == "compiled":
            return _compiled(function, _shared(workload, device))
        given = _given(workload, device)  # of its own, since one that runs eagerly may donate it
        counts = traced_counts(jax.make_jaxpr(function)(*given).jaxpr)
        return _warm((lambda: function(*given),), 0.0, counts, 0)

    def slowed(self, spike: Callable[[Any], Any], extra: int, workload: Workload, device: str) -> Callable[[Any], Any]:
        def slower(x: Any) -> Any:
            return spike(x) + _chain(lax.stop_gradient(x), extra).astype(x.dtype)

        return slower

    def freeze(self, spike: Callable[[Any], Any], workload: Workload, device: str) -> bytes:
        from jax import export

        if workload.mode != "compiled":
            raise Unsupported("freezing: only what is compiled can be kept")
        given = _given(workload, device)
        return bytes(export.export(jax.jit(_function(spike, workload)))(*given).serialize())

    def thaw(self, frozen: bytes, workload: Workload, device: str) -> Prepared:
        from jax import export

        return _compiled(export.deserialize(bytearray(frozen)).call, _shared(workload, device))


def _chain(x: Any, extra: int) -> Any:
    """Multiplications of every element, each of which waits for the one before; all false.

    They join the loop over the elements that is there already, so that they come in steps as small as an addition.
    """
    z = jnp.clip(x, -1, 1)
    for _ in range(extra):
        z = z * z - 1.5  # never leaves -1.5 to 0.75, nor comes to rest; no compiler knows
    return z > 2


def _given(workload: Workload, device: str) -> Any:
    dtype = jnp.dtype(workload.dtype)
    return jax.block_until_ready(
        jax.device_put([a.astype(dtype) for a in inputs(workload)], jax_devices.devices()[device])
    )


_shared = functools.lru_cache(maxsize=1)(_given)
"""The arrays of the workload at hand."""


def _function(spike: Callable[[Any], Any] | None, workload: Workload) -> Function:
    if workload.task == "lif":
        return _through_time(_bare_spike if spike is None else spike)
    if spike is None:
        return {"forward": _bare_forward, "forward+backward": _bare_both}[workload.task]
    return {"forward": lambda x, _: spike(x), "forward+backward": _both(spike)}[workload.task]


def _bare_forward(x: Any, _: Any) -> Any:
    return (x >= 0).astype(x.dtype)


def _bare_both(x: Any, cotangent: Any) -> Any:
    return (x >= 0).astype(x.dtype), x * cotangent


def _both(spike: Callable[[Any], Any]) -> Function:
    def both(x: Any, cotangent: Any) -> Any:
        value, pull = jax.vjp(spike, x)
        return value, pull(cotangent.astype(value.dtype))[0]

    return both


def _through_time(spike: Callable[[Any], Any]) -> Function:
    def step(u: Any, current: Any) -> tuple[Any, Any]:
        u = DECAY * u + current
        s = spike(u - THRESHOLD)
        return u - s, s

    def run(x: Any, cotangent: Any) -> Any:
        value, pull = jax.vjp(lambda x: lax.scan(step, jnp.zeros_like(x[0]), x)[1], x)
        return value, pull(cotangent.astype(value.dtype))[0]

    return run


def _compiled(function: Function, given: Any) -> Prepared:
    start = time.perf_counter()
    traced = jax.jit(function).trace(*given)
    program = traced.lower().compile()
    seconds = time.perf_counter() - start
    counts = {**traced_counts(traced.jaxpr.jaxpr), **compiled_counts(program)}
    calls = tuple(functools.partial(copy, *given) for copy in (program, *_loaded_again(program)))
    return _warm(calls, seconds, counts, 1 + _compiled_by_tracing(function, given))


def _compiled_by_tracing(function: Function, given: Any) -> int:
    """Programs that tracing compiles every time.

    The first time, whoever comes first in a process also compiles what others need too, as for a constant.
    """
    before = jax_devices.compilations()
    jax.jit(lambda *same: function(*same)).trace(*given)  # of a function of its own, or it is not traced again
    return jax_devices.compilations() - before


def _loaded_again(program: Any) -> list[Any]:
    """The program as often again as :data:`COPIES` says: loading takes a twentieth of the time of compiling."""
    with contextlib.suppress(Exception):  # a backend, or another version of JAX, may have no way to keep a program
        kept = serialize_executable.serialize(program)
        return [serialize_executable.deserialize_and_load(*kept) for _ in range(COPIES - 1)]
    return []


def _warm(calls: tuple[Callable[[], Any], ...], seconds: float, counts: dict[str, float], compiled: int) -> Prepared:
    for call in (calls[0], calls[0], *calls):
        jax.block_until_ready(call())
    warm = jax_devices.compilations()
    jax.block_until_ready(calls[0]())
    return Prepared(calls, jax.block_until_ready, seconds, compiled, jax_devices.compilations() - warm, counts)
