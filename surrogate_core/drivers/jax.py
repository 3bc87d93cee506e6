"""Driver for JAX."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.monitoring
import numpy as np

from surrogate_core.drivers.base import (
    BrokenContract,
    Device,
    Observation,
    Request,
    Transform,
    Unsupported,
)
from surrogate_core.drivers.script import Dialect, program

__all__ = ["JaxDriver"]

DIALECT = Dialect(
    imports="import jax\nimport jax.numpy as jnp",
    array="jnp.array({values}, dtype=jnp.{dtype})",
    ones="jnp.ones_like(x)",
    operations={
        "value": "{spike}(x)",
        "vjp": "jax.vjp({spike}, x)[1](v)[0]",
        "jvp": "jax.jvp({spike}, (x,), (v,))[1]",
        "grad": "jax.grad(lambda x: {spike}(x).sum())(x)",
        "jacrev": "jax.jacrev({spike})(x)",
        "jacfwd": "jax.jacfwd({spike})(x)",
    },
    vmap="jax.vmap({call}, in_axes={axes}, out_axes={out})",
    jit="jax.jit({call})",
    wide='jax.config.update("jax_enable_x64", True)',
)

ACCELERATORS = ("gpu", "tpu")

STAGED = Transform("jit")
"""The outermost transformation of a request that may share its program with others."""

MISSING = (
    (
        re.compile(r"forward-mode autodiff|forward-mode differentiation|\(jvp\) to a custom_vjp"),
        "forward mode",
        Request.forward_mode,
    ),
    (re.compile(r"Batching rule for .* not implemented"), "batching", Request.batched),
)
"""What JAX says when a function lacks a rule, and the requests that need it. All else is an exception."""

_compilations = 0


def _count(event: str, duration_secs: float, **_: Any) -> None:
    global _compilations
    _compilations += event == "/jax/core/compile/backend_compile_duration"


jax.monitoring.register_event_duration_secs_listener(_count)


class JaxDriver:
    """How JAX evaluates a spike function. See :class:`surrogate_core.drivers.base.Driver`."""

    name = "jax"

    def version(self) -> str:
        return jax.__version__

    @functools.cached_property
    def _devices(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for platform in dict.fromkeys((jax.default_backend(), "cpu", *ACCELERATORS)):
            with contextlib.suppress(RuntimeError):
                found |= {f"{d.platform}:{d.id}": d for d in jax.devices(platform)}
        return found

    def devices(self) -> tuple[Device, ...]:
        return tuple(Device(name, d.device_kind) for name, d in self._devices.items())

    def absent(self) -> tuple[str, ...]:
        present = {name.partition(":")[0] for name in self._devices}
        return tuple(p for p in ACCELERATORS if p not in present)

    @contextlib.contextmanager
    def scope(self, dtype: str, device: str) -> Iterator[None]:
        # Scoped and entered late: some libraries switch x64 off when they are imported.
        with jax.enable_x64(dtype == "float64"), jax.default_device(self._devices[device]):
            yield

    def observe(self, function: Callable[[Any], Any], request: Request, device: str) -> Observation:
        target = self._devices[request.device or device]
        x = jax.device_put(request.x, target)
        direction = None if request.direction is None else jax.device_put(request.direction, target)
        try:
            value, derivative = _operation(_checked(function), request)(x, direction)
        except (TypeError, NotImplementedError, ValueError) as error:
            for pattern, capability, needed in MISSING:
                if needed(request) and pattern.search(str(error)):
                    raise Unsupported(f"{capability}: {str(error).splitlines()[0]}") from error
            raise
        return Observation(np.asarray(value), None if derivative is None else np.asarray(derivative))

    def observe_together(
        self, function: Callable[[Any], Any], requests: Sequence[Request], device: str
    ) -> list[tuple[Request, Observation]]:
        # Compiling is most of the cost, and a program of many requests costs little more than one of one.
        staged = [r for r in requests if r.outer and r.outer[-1] == STAGED and r.device is None]
        # Apart, because one request that cannot be traced spoils its program, and forward mode is often missing.
        forward = [r for r in staged if r.operation in ("jvp", "jacfwd")]
        reverse = [r for r in staged if r not in forward]
        answers: list[tuple[Request, Observation]] = []
        for group in (forward, reverse):
            if len(group) > 1:
                with contextlib.suppress(Exception, SystemExit):
                    answers += self._one_program(_checked(function), group, self._devices[device])
        return answers

    def _one_program(
        self, function: Callable[[Any], Any], requests: list[Request], device: Any
    ) -> list[tuple[Request, Observation]]:
        operations = [_operation(function, replace(r, outer=r.outer[:-1])) for r in requests]
        inputs = jax.device_put([(r.x, r.direction) for r in requests], device)
        program = jax.jit(lambda inputs: [f(*given) for f, given in zip(operations, inputs, strict=True)])
        answers = jax.device_get(program(inputs))
        return [
            (r, Observation(np.asarray(value), None if derivative is None else np.asarray(derivative)))
            for r, (value, derivative) in zip(requests, answers, strict=True)
        ]

    def compilations(self) -> int:
        return _compilations

    def script(self, request: Request, build: str, imports: str) -> str:
        return program(DIALECT, request, build, imports)


def _checked(function: Callable[[Any], Any]) -> Callable[[Any], jax.Array]:
    def checked(x: jax.Array) -> jax.Array:
        y = function(x)
        if not isinstance(y, jax.Array):
            raise BrokenContract(
                f"the spike function returned {_name(y)} for a jax.Array of dtype {x.dtype} and shape {x.shape}; "
                "expected one jax.Array"
            )
        return y

    return checked


def _name(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _transformed(function: Callable[..., Any], transforms: tuple[Transform, ...], axes: bool) -> Callable[..., Any]:
    for t in transforms:
        if t.name == "jit":
            function = jax.jit(function)
        else:
            # An absent direction (None) has no axis: vmap leaves an empty pytree alone.
            function = jax.vmap(function, in_axes=(t.in_axis, t.in_axis) if axes else t.in_axis, out_axes=t.out_axis)
    return function


def _operation(function: Callable[[Any], jax.Array], request: Request) -> Callable[[Any, Any], tuple[Any, Any]]:
    """(x, direction) -> (value, derivative), with all transformations in place."""
    spike = _transformed(function, request.inner, axes=False)

    def vjp(x: Any, cotangent: Any) -> tuple[Any, Any]:
        value, pull = jax.vjp(spike, x)
        if cotangent is None:
            cotangent = np.ones(value.shape, value.dtype)
        elif cotangent.shape != value.shape:
            raise BrokenContract(f"the spike function returned the shape {value.shape}; expected {cotangent.shape}")
        return value, pull(cotangent.astype(value.dtype))[0]

    def jvp(x: Any, tangent: Any) -> tuple[Any, Any]:
        return jax.jvp(spike, (x,), (np.ones(x.shape, x.dtype) if tangent is None else tangent,))

    operations: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
        "value": lambda x, _: (spike(x), None),
        "vjp": vjp,
        "jvp": jvp,
        "grad": lambda x, _: (spike(x), jax.grad(lambda x: spike(x).sum())(x)),
        "jacrev": lambda x, _: (spike(x), jax.jacrev(spike)(x)),
        "jacfwd": lambda x, _: (spike(x), jax.jacfwd(spike)(x)),
    }
    return _transformed(operations[request.operation], request.outer, axes=True)
