"""Workloads in JAX."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from surrogate_core.drivers import jax_devices
from surrogate_core.drivers.base import Unsupported
from surrogate_core.drivers.jax_counts import compiled_counts, traced_counts
from surrogate_core.drivers.workload import DECAY, THRESHOLD, Prepared, Workload, inputs

__all__ = ["JaxPreparer"]

Function = Callable[[Any, Any], Any]


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

    def scope(self, dtype: str, device: str) -> AbstractContextManager[None]:
        return jax_devices.scope(dtype, device)

    def begin(self) -> None:
        pass  # a compiled program is an object of its own

    def prepare(self, spike: Callable[[Any], Any] | None, workload: Workload, device: str) -> Prepared:
        function, given = _function(spike, workload), _given(workload, device)
        if workload.mode == "compiled":
            return _compiled(function, given)
        counts = traced_counts(jax.make_jaxpr(function)(*given).jaxpr)
        return _warm(lambda: function(*given), 0.0, counts, jax_devices.compilations())

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

        return _compiled(export.deserialize(bytearray(frozen)).call, _given(workload, device))


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
    before, start = jax_devices.compilations(), time.perf_counter()
    traced = jax.jit(function).trace(*given)
    program = traced.lower().compile()
    seconds = time.perf_counter() - start
    counts = {**traced_counts(traced.jaxpr.jaxpr), **compiled_counts(program)}
    return _warm(lambda: program(*given), seconds, counts, before)


def _warm(call: Callable[[], Any], seconds: float, counts: dict[str, float], before: int) -> Prepared:
    for _ in range(3):
        jax.block_until_ready(call())
    warm = jax_devices.compilations()
    jax.block_until_ready(call())
    return Prepared(call, jax.block_until_ready, seconds, warm - before, jax_devices.compilations() - warm, counts)
