"""Driver for PyTorch."""

from __future__ import annotations

import contextlib
import functools
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from surrogate_core.drivers.base import ANSWERS, Awaited, BrokenContract, Device, Observation, Request, Unsupported
from surrogate_core.drivers.copies import copied
from surrogate_core.drivers.dialects import TORCH
from surrogate_core.drivers.few import FEW, judge_few
from surrogate_core.drivers.script import program
from surrogate_core.drivers.smooth import smooth
from surrogate_core.drivers.tally import Span, Tally
from surrogate_core.drivers.torch_arrays import to_array, to_tensor
from surrogate_core.drivers.torch_operations import backward, checked, operation, programs
from surrogate_core.drivers.torch_silence import tell_of_silence
from surrogate_core.spec.model import Parameters, Spec

__all__ = ["TorchDriver"]

MISSING = (
    (
        re.compile(r"implement.*\bjvp|\bjvp (is )?not (yet )?implemented|forward (mode )?AD\b"),
        "forward mode",
        Request.forward_mode,
    ),
    (
        re.compile(r"vmap.*(support|implement|in-?place)|generate_vmap_rule|batching rule", re.I),
        "batching (torch.func.vmap)",
        Request.batched,
    ),
    (re.compile(r"setup_context"), "torch.func transforms (setup_context)", Request.functional),
    (re.compile(r"once_differentiable"), "second derivative", Request.twice),
    (re.compile(r"donated buffers"), "a second backward pass of one graph", lambda r: r.operation == "vjp again"),
    (re.compile(r"saved tensor hooks"), "checkpoint within torch.func", Request.functional),
)
"""What PyTorch says when a function lacks a rule, and the requests that need it. All else is an exception."""


class TorchDriver:
    """How PyTorch evaluates a spike function. See :class:`surrogate_core.drivers.base.Driver`."""

    name = "torch"

    def version(self) -> str:
        return torch.__version__

    @functools.cached_property
    def _devices(self) -> dict[str, str]:
        found = {f"cuda:{i}": torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())}
        if torch.backends.mps.is_available():
            found["mps:0"] = "Apple GPU"
        return found | {"cpu:0": "cpu"}

    def devices(self) -> tuple[Device, ...]:
        return tuple(Device(name, kind) for name, kind in self._devices.items())

    def absent(self) -> tuple[str, ...]:
        present = {name.partition(":")[0] for name in self._devices}
        return tuple(p for p in ("cuda", "mps") if p not in present)

    @contextlib.contextmanager
    def scope(self, dtype: str, device: str) -> Iterator[None]:
        with torch.device(_place(device)):
            yield

    def observe(self, function: Callable[[Any], Any], request: Request, device: str) -> Observation:
        place = _place(request.device or device)
        x = to_tensor(request.x, place)
        direction = None if request.direction is None else to_tensor(request.direction, place)
        earlier: dict[str, tuple[torch.Tensor, np.ndarray]] = {}
        try:
            with _deprecations_ignored(request):
                call = operation(_subject(function, request), request)
                if request.warm is not None:
                    answers = call(
                        *(a if a is None else to_tensor(a, place) for a in (request.warm, request.direction))
                    )
                    earlier = {w: (a, to_array(a)) for w, a in zip(ANSWERS, answers, strict=True) if a is not None}
                value, derivative = call(x, direction)
                if request.forward_mode() and not derivative.any():
                    tell_of_silence(function, x)
        except (RuntimeError, NotImplementedError, TypeError) as error:
            for pattern, capability, needed in MISSING:
                if needed(request) and pattern.search(str(error)):
                    raise Unsupported(f"{capability}: {_first_sentence(error)}") from error
            raise
        kept = {"x": (x, request.x), "the cotangent": (direction, request.direction), **earlier}
        touched = tuple(
            f"{what} was written to"
            for what, (tensor, array) in kept.items()
            if tensor is not None and array is not None and to_array(tensor).tobytes() != array.tobytes()
        )
        compiled, breaks = programs() if _is_compiled(request) else (0, ())
        return Observation(
            to_array(value), None if derivative is None else to_array(derivative), touched, compiled, breaks
        )

    def observe_together(
        self, function: Callable[[Any], Any], requests: Sequence[Request], device: str
    ) -> list[tuple[Request, Awaited]]:
        return []  # eager: there is no program to share

    def tally(
        self, function: Callable[[Any], Any], spec: Spec, parameters: Parameters, span: Span, device: str
    ) -> Tally:
        spike, place = checked(function), _place(device)

        def answers(piece: Span) -> tuple[np.ndarray, np.ndarray]:
            patterns = piece.patterns()
            x = torch.from_numpy(patterns.view(np.int32)).view(torch.float32).to(place)
            found = [to_array(a.to(torch.float32)) for a in backward(spike, x.reshape(-1), None)]
            for array in found:
                if array.shape != (patterns.size,):
                    shapes = f"{array.shape}; expected {(patterns.size,)}"
                    raise BrokenContract(f"the spike function returned the shape {shapes}")
            return found[0].reshape(patterns.shape), found[1].reshape(patterns.shape)

        if span.size <= FEW:
            return judge_few(answers, spec, parameters, span)
        # XLA judges what PyTorch answers; it is imported where it is needed.
        from surrogate_core.drivers.exhaustive import judge

        return judge(answers, spec, parameters, span)

    def compilations(self) -> int:
        return 0

    def script(self, requests: Sequence[Request], builds: Sequence[str], imports: str) -> str:
        return program(TORCH, requests, builds, imports)


@contextlib.contextmanager
def _deprecations_ignored(request: Request) -> Iterator[None]:
    """PyTorch's own forward mode and compiler use what PyTorch deprecates; as errors these warnings would end them."""
    compiled = _is_compiled(request)
    if not (compiled or request.forward_mode()):
        # Warnings are filtered for the whole process: threads would leave each other's filters behind.
        yield
        return
    with warnings.catch_warnings():
        if compiled:
            warnings.simplefilter("ignore")  # it warns of its own steps too
        warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
        yield


def _is_compiled(request: Request) -> bool:
    return any(t.name == "jit" for t in request.inner + request.outer)


def _first_sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0].split(". ")[0]


def _place(device: str) -> str:
    return "cpu" if device == "cpu:0" else device


def _subject(function: Callable[[Any], Any], request: Request) -> Callable[[Any], Any]:
    """What the request evaluates: the spike function, its maker, or the smooth function beside it."""
    if request.operation == "parameter":
        return function
    return checked(smooth(function) if request.operation == "smooth" else copied(function, request))
