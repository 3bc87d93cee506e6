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

from surrogate_core.drivers.base import (
    BrokenContract,
    Device,
    Observation,
    Request,
    Transform,
    Unsupported,
)
from surrogate_core.drivers.script import Dialect, program
from surrogate_core.spec.formats import FORMATS

__all__ = ["TorchDriver"]

DIALECT = Dialect(
    imports="import torch",
    array="torch.tensor({values}, dtype=torch.{dtype}, requires_grad=True)",
    ones="torch.ones_like(x)",
    operations={
        "value": "{spike}(x)",
        "vjp": "torch.autograd.grad({spike}(x), x, v)[0]",
        "jvp": "torch.func.jvp({spike}, (x,), (v,))[1]",
        "grad": "torch.func.grad(lambda x: {spike}(x).sum())(x)",
        "jacrev": "torch.func.jacrev({spike})(x)",
        "jacfwd": "torch.func.jacfwd({spike})(x)",
    },
    nested={"vjp": "torch.func.vjp({spike}, x)[1](v)[0]"},
    vmap="torch.func.vmap({call}, in_dims={axes}, out_dims={out})",
    jit="torch.compile({call})",
)

MISSING = (
    (
        re.compile(r"implement.*\bjvp|\bjvp (is )?not (yet )?implemented|forward (mode )?AD\b"),
        "forward mode",
        Request.forward_mode,
    ),
    (
        re.compile(r"vmap.*(support|implement)|generate_vmap_rule|batching rule", re.I),
        "batching (torch.func.vmap)",
        Request.batched,
    ),
    (re.compile(r"setup_context"), "torch.func transforms (setup_context)", Request.functional),
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
        with torch.device(_place(device)), warnings.catch_warnings():
            # PyTorch's own forward mode uses what PyTorch deprecates; where warnings are errors it would not run.
            warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
            yield

    def observe(self, function: Callable[[Any], Any], request: Request, device: str) -> Observation:
        place = _place(request.device or device)
        x = _tensor(request.x, place)
        direction = None if request.direction is None else _tensor(request.direction, place)
        try:
            value, derivative = _operation(_checked(function), request)(x, direction)
        except (RuntimeError, NotImplementedError, TypeError) as error:
            for pattern, capability, needed in MISSING:
                if needed(request) and pattern.search(str(error)):
                    raise Unsupported(f"{capability}: {_first_sentence(error)}") from error
            raise
        return Observation(_array(value), None if derivative is None else _array(derivative))

    def observe_together(
        self, function: Callable[[Any], Any], requests: Sequence[Request], device: str
    ) -> list[tuple[Request, Observation]]:
        return []  # eager: there is no program to share

    def compilations(self) -> int:
        return 0

    def script(self, request: Request, build: str, imports: str) -> str:
        return program(DIALECT, request, build, imports)


def _first_sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0].split(". ")[0]


def _place(device: str) -> str:
    return "cpu" if device == "cpu:0" else device


def _tensor(array: np.ndarray, place: str) -> torch.Tensor:
    # NumPy has no bfloat16 of its own, so every value travels as its bits.
    bits = np.ascontiguousarray(array).view(f"int{8 * array.dtype.itemsize}")
    return torch.from_numpy(bits.copy()).view(getattr(torch, array.dtype.name)).reshape(array.shape).to(place)


def _array(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu().contiguous()
    if tensor.dtype is torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(FORMATS["bfloat16"].dtype)
    return tensor.numpy()


def _checked(function: Callable[[Any], Any]) -> Callable[[Any], torch.Tensor]:
    def checked(x: torch.Tensor) -> torch.Tensor:
        y = function(x)
        if not isinstance(y, torch.Tensor):
            name = "None" if y is None else f"a {type(y).__name__}"
            raise BrokenContract(
                f"the spike function returned {name} for a tensor of dtype {x.dtype} and shape {tuple(x.shape)}; "
                "expected one torch.Tensor"
            )
        return y

    return checked


def _transformed(function: Callable[..., Any], transforms: tuple[Transform, ...], axes: bool) -> Callable[..., Any]:
    for t in transforms:
        function = torch.compile(function, backend="aot_eager") if t.name == "jit" else _batched(function, t, axes)
    return function


def _batched(function: Callable[..., Any], t: Transform, axes: bool) -> Callable[..., Any]:
    def batched(x: torch.Tensor, *direction: torch.Tensor | None) -> Any:
        # An absent direction (None) has no axis.
        dims = (t.in_axis, *(None if d is None else t.in_axis for d in direction)) if axes else t.in_axis
        return torch.func.vmap(function, in_dims=dims, out_dims=t.out_axis)(x, *direction)

    return batched


def _operation(function: Callable[[Any], torch.Tensor], request: Request) -> Callable[[Any, Any], tuple[Any, Any]]:
    """(x, direction) -> (value, derivative), with all transformations in place."""
    spike = _transformed(function, request.inner, axes=False)

    def backward(x: torch.Tensor, cotangent: torch.Tensor | None) -> tuple[Any, Any]:
        x = x.detach().requires_grad_()
        value = spike(x)
        if not value.requires_grad:
            # No graph reaches x: training sees a zero gradient, so that is what was observed.
            return value, torch.zeros_like(x)
        (derivative,) = torch.autograd.grad(value, x, _cotangent(value, cotangent), allow_unused=True)
        return value, torch.zeros_like(x) if derivative is None else derivative

    def functional(x: torch.Tensor, cotangent: torch.Tensor | None) -> tuple[Any, Any]:
        value, pull = torch.func.vjp(spike, x)[:2]
        return value, pull(_cotangent(value, cotangent))[0]

    def jvp(x: torch.Tensor, tangent: torch.Tensor | None) -> tuple[Any, Any]:
        value, pushed = torch.func.jvp(spike, (x,), (torch.ones_like(x) if tangent is None else tangent,))[:2]
        return value, pushed

    operations: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
        "value": lambda x, _: (spike(x), None),
        # torch.autograd.grad works on any function; inside vmap only torch.func's own vjp does.
        "vjp": functional if request.outer else backward,
        "jvp": jvp,
        "grad": lambda x, _: (spike(x), torch.func.grad(lambda x: spike(x).sum())(x)),
        "jacrev": lambda x, _: (spike(x), torch.func.jacrev(spike)(x)),
        "jacfwd": lambda x, _: (spike(x), torch.func.jacfwd(spike)(x)),
    }
    return _transformed(operations[request.operation], request.outer, axes=True)


def _cotangent(value: torch.Tensor, cotangent: torch.Tensor | None) -> torch.Tensor:
    if cotangent is None:
        return torch.ones_like(value)
    if cotangent.shape != value.shape:
        raise BrokenContract(
            f"the spike function returned the shape {tuple(value.shape)}; expected {tuple(cotangent.shape)}"
        )
    return cotangent.to(value.dtype)
