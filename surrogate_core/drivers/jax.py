"""Driver for JAX."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from surrogate_core.drivers import jax_devices
from surrogate_core.drivers.base import ANSWERS, Awaited, Device, Observation, Request, Transform, Unsupported
from surrogate_core.drivers.copies import copied
from surrogate_core.drivers.dialects import JAX
from surrogate_core.drivers.exhaustive import judge_fused
from surrogate_core.drivers.few import FEW, PIECE, judge_few
from surrogate_core.drivers.jax_operations import checked, cotangent_of, ones, operation
from surrogate_core.drivers.script import program
from surrogate_core.drivers.smooth import smooth
from surrogate_core.drivers.tally import Span, Tally
from surrogate_core.spec.model import Parameters, Spec

__all__ = ["JaxDriver"]

STAGED = Transform("jit")
"""The outermost transformation of a request that may share its program with others."""

UNOPTIMISED: dict[str, dict[str, Any]] = {
    "cpu": {
        "xla_backend_optimization_level": 0,
        "xla_cpu_use_fusion_emitters": False,
        # Cut into parts, which threads compile beside each other, they take a third more of all cores' time.
        "xla_cpu_parallel_codegen_split_count": 1,
        # A tenth less than for the longest vectors.
        "xla_cpu_prefer_vector_width": 128,
    },
    "": {"xla_backend_optimization_level": 0},
}
"""For programs that run once, by platform: a third of the time to compile, or less. Compared is what JAX traced."""

MISSING = (
    (
        re.compile(r"forward-mode autodiff|forward-mode differentiation|\(jvp\) to a custom_vjp"),
        "forward mode",
        Request.forward_mode,
    ),
    (re.compile(r"Batching rule for .* not implemented"), "batching", Request.batched),
)
"""What JAX says when a function lacks a rule, and the requests that need it. All else is an exception."""


class JaxDriver:
    """How JAX evaluates a spike function. See :class:`surrogate_core.drivers.base.Driver`."""

    name = "jax"

    def version(self) -> str:
        return jax.__version__

    def devices(self) -> tuple[Device, ...]:
        return tuple(Device(name, d.device_kind) for name, d in jax_devices.devices().items())

    def absent(self) -> tuple[str, ...]:
        present = {name.partition(":")[0] for name in jax_devices.devices()}
        return tuple(p for p in jax_devices.ACCELERATORS if p not in present)

    def scope(self, dtype: str, device: str) -> contextlib.AbstractContextManager[None]:
        return jax_devices.scope(dtype, device)

    def observe(self, function: Callable[[Any], Any], request: Request, device: str) -> Observation:
        target = jax_devices.devices()[request.device or device]
        x, direction = jax.device_put((request.x, request.direction), target)
        earlier: dict[str, Any] = {}
        try:
            call: Any = operation(_subject(function, request), request)
            if request.operation == "parameter" and request.outer[-1:] == (STAGED,):
                # It shares no program, but is as well compared with others of its trace.
                call = _in_little_time(call.lower(x, direction), target.platform)
            if request.warm is not None:
                # With a cotangent of its own, which it may donate.
                answers = call(*jax.device_put((request.warm, request.direction), target))
                earlier = dict(zip(ANSWERS, answers, strict=True))
            before = jax_devices.compilations()
            value, derivative = call(x, direction)
        except (TypeError, NotImplementedError, ValueError) as error:
            for pattern, capability, needed in MISSING:
                if needed(request) and pattern.search(str(error)):
                    raise Unsupported(f"{capability}: {str(error).splitlines()[0]}") from error
            raise
        kept = {"x": x, "the cotangent": direction, **earlier}
        # A compiled function may donate its arguments: their memory is then gone.
        touched = tuple(f"{what} was donated" for what, a in kept.items() if a is not None and a.is_deleted())
        compiled = jax_devices.compilations() - before
        return Observation(np.asarray(value), None if derivative is None else np.asarray(derivative), touched, compiled)

    def observe_together(
        self, function: Callable[[Any], Any], requests: Sequence[Request], device: str
    ) -> list[tuple[Request, Awaited]]:
        # Compiling is most of the cost, and a program of many requests costs little more than one of one.
        staged = [r for r in requests if r.outer and r.outer[-1] == STAGED and r.device is None and r.warm is None]
        # A parameter takes the maker of the function; and what has a turn of its own is compiled by itself.
        staged = [r for r in staged if r.operation != "parameter" and not r.turn]
        forward = [r for r in staged if r.forward_mode()]
        reverse = [r for r in staged if not r.forward_mode()]
        answers = self._pulled_back(function, requests, device)
        # All in one program, unless one of them cannot be traced, most often forward mode, which is then tried apart.
        if forward and reverse and (together := self._attempt(function, forward + reverse, device)):
            return answers + together
        answers += self._attempt(function, forward, device)
        # A second derivative is seldom missing, so that it stays with the others at first.
        return answers + (
            self._attempt(function, reverse, device)
            or self._attempt(function, [r for r in reverse if not r.twice()], device)
        )

    def _pulled_back(
        self, function: Callable[[Any], Any], requests: Sequence[Request], device: str
    ) -> list[tuple[Request, Awaited]]:
        """Cotangents of the same inputs: to trace the call is dearer than to pull one back, so it is traced once."""
        alike: dict[Any, list[Request]] = {}
        for request in requests:
            if request.form == Request("vjp", request.x, request.direction).form:
                alike.setdefault(request.key[0], []).append(request)
        found: list[tuple[Request, Awaited]] = []
        for group in alike.values():
            if len(group) > 1:
                answers = functools.cache(functools.partial(_pull, function, group, jax_devices.devices()[device]))
                found += [(request, lambda request=request, answers=answers: answers()[request]) for request in group]
        return found

    def _attempt(
        self, function: Callable[[Any], Any], group: list[Request], device: str
    ) -> list[tuple[Request, Awaited]]:
        """The answers of one program, which is compiled in little time; none where a request spoils it."""
        if group:
            with contextlib.suppress(Exception, SystemExit):
                return self._one_program(function, group, jax_devices.devices()[device])
        return []

    def _one_program(
        self, function: Callable[[Any], Any], requests: list[Request], device: Any
    ) -> list[tuple[Request, Awaited]]:
        spikes = {}
        for request in requests:
            with contextlib.suppress(Exception):  # what cannot be copied is told when it is asked alone
                spikes[request] = checked(copied(function, request))
        forms: dict[Any, list[Request]] = {}
        for request in spikes:
            forms.setdefault(request.form, []).append(request)
        alike = [*forms.values()]
        operations = [operation(spikes[group[0]], replace(group[0], outer=group[0].outer[:-1])) for group in alike]
        # In the i-th run each operation is given the i-th of its requests, or the last one again.
        runs = [[group[min(i, len(group) - 1)] for group in alike] for i in range(max(map(len, alike)))]
        inputs = [jax.device_put([(r.x, r.direction) for r in run], device) for run in runs]
        lowered = jax.jit(lambda inputs: [f(*given) for f, given in zip(operations, inputs, strict=True)]).lower(
            inputs[0]
        )
        # XLA leaves Python to others while it compiles: what the program does not answer is asked meanwhile.
        program = jax_devices.compiled_aside(lambda: _in_little_time(lowered, device.platform))

        @functools.cache
        def answers() -> dict[Request, Observation]:
            with contextlib.suppress(Exception, SystemExit):
                return {
                    request: Observation(np.asarray(value), None if derivative is None else np.asarray(derivative))
                    for run, given in zip(runs, inputs, strict=True)
                    for request, (value, derivative) in zip(run, jax.device_get(program()(given)), strict=True)
                }
            return {}  # once is enough

        return [(request, lambda request=request: answers()[request]) for request in spikes]

    def tally(
        self, function: Callable[[Any], Any], spec: Spec, parameters: Parameters, span: Span, device: str
    ) -> Tally:
        both, target = _forward_and_backward(function), jax_devices.devices()[device]
        if span.size > FEW:
            alike = (d for d in jax_devices.devices().values() if d.platform == target.platform and d != target)
            beside = [d for d in alike if d.process_index == target.process_index]
            return judge_fused(both, spec, parameters, span, target, beside=beside)

        def answers(piece: Span) -> tuple[np.ndarray, np.ndarray]:
            # Filled up to one size, since eager JAX compiles for every new one.
            patterns = np.resize(piece.patterns(), (2, PIECE)) if piece.count != PIECE else piece.patterns()
            patterns[:, : piece.count] = piece.patterns()
            found = both(jax.device_put(patterns.view(np.float32).reshape(-1), target))
            spikes, gradients = (np.asarray(a, np.float32).reshape(patterns.shape)[:, : piece.count] for a in found)
            return spikes, gradients

        return judge_few(answers, spec, parameters, span)

    def compilations(self) -> int:
        return jax_devices.compilations()

    def script(self, requests: Sequence[Request], builds: Sequence[str], imports: str) -> str:
        return program(JAX, requests, builds, imports)


def _pull(function: Callable[[Any], Any], requests: Sequence[Request], device: Any) -> dict[Request, Observation]:
    """What one backward pass answers to several cotangents; of those only that could be had, and untouched."""
    answers: dict[Request, Observation] = {}
    with contextlib.suppress(Exception, SystemExit):  # what raises here raises again, and is told, when it is alone
        x = jax.device_put(requests[0].x, device)
        value, pull = jax.vjp(checked(function), x)
        for request in requests:
            cotangent = jax.device_put(request.direction, device)
            (gradient,) = pull(cotangent_of(value, cotangent))
            found = Observation(np.asarray(value), np.asarray(gradient))
            if x.is_deleted() or (cotangent is not None and cotangent.is_deleted()):
                break
            answers[request] = found
    return answers


def _in_little_time(lowered: Any, platform: str) -> Callable[..., Any]:
    return jax_devices.compiled_with(lowered, UNOPTIMISED.get(platform, UNOPTIMISED[""]))


def _subject(function: Callable[[Any], Any], request: Request) -> Callable[[Any], Any]:
    """What the request evaluates: the spike function, its maker, or the smooth function beside it."""
    if request.operation == "parameter":
        return function
    return checked(smooth(function) if request.operation == "smooth" else copied(function, request))


@functools.lru_cache(maxsize=4)
def _forward_and_backward(function: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, Any]]:
    """Spikes and gradients; one object for each function, so that further spans compile nothing."""

    def both(x: Any) -> tuple[Any, Any]:
        value, pull = jax.vjp(checked(function), x)
        return value, pull(ones(value))[0]

    return both
