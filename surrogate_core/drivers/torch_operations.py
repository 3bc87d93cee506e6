"""What PyTorch does with a spike function: each operation of a request, under the transformations that it names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.utils.checkpoint

from surrogate_core.drivers.base import BrokenContract, Request, Transform, Unsupported
from surrogate_core.drivers.copies import COPIES
from surrogate_core.drivers.torch_arrays import to_tensor
from surrogate_core.drivers.torch_layouts import LAYOUTS

__all__ = ["backward", "checked", "operation", "programs"]

ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def checked(function: Callable[[Any], Any]) -> Callable[[Any], torch.Tensor]:
    """The function, which raises :class:`BrokenContract` where it returns anything but one tensor."""

    def spike(x: torch.Tensor) -> torch.Tensor:
        y = function(x)
        if not isinstance(y, torch.Tensor):
            name = "None" if y is None else f"a {type(y).__name__}"
            raise BrokenContract(
                f"the spike function returned {name} for a tensor of dtype {x.dtype} and shape {tuple(x.shape)}; "
                "expected one torch.Tensor"
            )
        return y

    return spike


def _transformed(function: Callable[..., Any], transforms: tuple[Transform, ...], axes: bool) -> Callable[..., Any]:
    for t in transforms:
        if t.name == "vmap":
            function = _batched(function, t, axes)
        elif t.name in WRAPPERS:
            function = WRAPPERS[t.name](function)
        elif t.name not in COPIES:
            raise Unsupported(f"{t.name}: PyTorch has nothing of that kind")
    return function


def _batched(function: Callable[..., Any], t: Transform, axes: bool) -> Callable[..., Any]:
    def present(*given: Any) -> Any:
        found = function(*given)
        # Of a value alone there is no derivative, and vmap returns tensors only.
        return found[:1] if axes and found[1] is None else found

    def batched(x: torch.Tensor, *direction: torch.Tensor | None) -> Any:
        # An absent direction (None) has no axis.
        dims = (t.in_axis, *(None if d is None else t.in_axis for d in direction)) if axes else t.in_axis
        found = torch.func.vmap(present, in_dims=dims, out_dims=t.out_axis)(x, *direction)
        return (*found, None)[:2] if axes else found

    return batched


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    # Dynamo keeps what it compiled beside the code, which all functions of one factory share; where it counts them
    # together it runs the ninth eagerly, without a word.
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    return torch.compile(function, backend="aot_eager")


def programs() -> tuple[int, tuple[str, ...]]:
    """How many programs Dynamo has made since it was reset, and why it left one for the interpreter.

    That it does without a word: what it cannot trace runs eagerly within ``torch.compile``, a backward pass too.
    """
    counters = torch._dynamo.utils.counters  # by its place: importing Dynamo takes as long as PyTorch
    return counters["stats"]["unique_graphs"], tuple(dict.fromkeys(map(_reason, counters["graph_break"])))


def _reason(told: str) -> str:
    """What happened, and its explanation; without the hints, and without addresses, which no two runs share."""
    first, *rest = told.splitlines()
    explained = [line.strip().removeprefix("Explanation: ") for line in rest if "Explanation: " in line]
    return ADDRESS.sub("", ": ".join([first.strip(), *explained[:1]]))


def _checkpointed(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: torch.utils.checkpoint.checkpoint(function, *given, use_reentrant=False)


def _without_graph(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return torch.no_grad()(function)


def _in_inference_mode(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return torch.inference_mode()(function)


def _autocast(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def cast(x: torch.Tensor) -> Any:
        with torch.autocast(x.device.type, torch.bfloat16):
            return function(x)

    return cast


WRAPPERS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "jit": _compiled,
    "checkpoint": _checkpointed,
    **LAYOUTS,
    "no_grad": _without_graph,
    "inference_mode": _in_inference_mode,
    "autocast": _autocast,
}


def operation(function: Callable[[Any], torch.Tensor], request: Request) -> Callable[[Any, Any], tuple[Any, Any]]:
    """(x, direction) -> (value, derivative), with all transformations in place."""
    spike = _transformed(function, request.inner, axes=False)

    def functional(x: torch.Tensor, cotangent: torch.Tensor | None) -> tuple[Any, Any]:
        value, pull = torch.func.vjp(spike, x)[:2]
        return value, pull(_cotangent(value, cotangent))[0]

    def jvp(x: torch.Tensor, tangent: torch.Tensor | None) -> tuple[Any, Any]:
        value, pushed = torch.func.jvp(spike, (x,), (torch.ones_like(x) if tangent is None else tangent,))[:2]
        return value, pushed

    def late(x: torch.Tensor, cotangent: torch.Tensor | None) -> tuple[Any, Any]:
        return backward(spike, x, cotangent, between=lambda *_: backward(spike, -2 * x, None))

    def again(x: torch.Tensor, cotangent: torch.Tensor | None) -> tuple[Any, Any]:
        def before(x: torch.Tensor, value: torch.Tensor) -> None:
            if value.requires_grad:
                other = -2 * _cotangent(value, cotangent)
                torch.autograd.grad(value, x, other, retain_graph=True, allow_unused=True)

        return backward(spike, x, cotangent, between=before)

    operations: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
        "value": lambda x, _: (spike(x), None),
        # torch.autograd.grad works on any function; inside vmap only torch.func's own vjp does.
        "vjp": functional if _batched_whole(request) else lambda x, cotangent: backward(spike, x, cotangent),
        "late vjp": late,
        "vjp again": again,
        "jvp": jvp,
        "grad": lambda x, _: (spike(x), torch.func.grad(lambda x: spike(x).sum())(x)),
        "jacrev": lambda x, _: (spike(x), torch.func.jacrev(spike)(x)),
        "jacfwd": lambda x, _: (spike(x), torch.func.jacfwd(spike)(x)),
        "second": lambda x, _: _second(spike, x),
        "parameter": lambda x, _: _parameter(function, request.weights, x),
        "affine": lambda x, cotangent: _affine(spike, request.weights, x, cotangent),
        "recurrent": lambda x, cotangent: _recurrent(spike, request.weights, x, cotangent),
        "residuals": lambda x, _: _residuals(spike, x),
        "smooth": lambda x, _: (spike(x), None),
    }
    if request.operation not in operations:
        raise Unsupported(f"{request.operation}: PyTorch has nothing of that kind")
    return _transformed(operations[request.operation], request.outer, axes=True)


def _batched_whole(request: Request) -> bool:
    return any(t.name == "vmap" for t in request.outer)


def backward(
    spike: Callable[[Any], Any], x: Any, cotangent: Any, between: Callable[[Any, Any], object] | None = None
) -> tuple[Any, Any]:
    """Spikes and gradient of a plain backward pass; ``between`` is called with x and the spikes before it."""
    x = x.detach().requires_grad_()
    value = spike(x)
    if between:
        between(x, value)
    if not value.requires_grad:
        # No graph reaches x: training sees a zero gradient, so that is what was observed.
        return value, torch.zeros_like(x)
    (derivative,) = torch.autograd.grad(value, x, _cotangent(value, cotangent), allow_unused=True)
    return value, torch.zeros_like(x) if derivative is None else derivative


def _second(spike: Callable[[Any], Any], x: Any) -> tuple[Any, Any]:
    x = x.detach().requires_grad_()
    value = spike(x)
    if not value.requires_grad:
        raise Unsupported("second derivative: the spikes carry no graph")
    (gradient,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    if not gradient.requires_grad:
        raise Unsupported("second derivative: the gradient carries no graph")
    (second,) = torch.autograd.grad(gradient.sum(), x, allow_unused=True)
    return value, torch.zeros_like(x) if second is None else second


def _parameter(make: Callable[[Any], Any], weights: tuple[np.ndarray, ...], x: Any) -> tuple[Any, Any]:
    parameter = to_tensor(weights[0], x.device.type).requires_grad_()
    with warnings.catch_warnings():
        # PyTorch warns where the tensor becomes a number; the gradient that is then missing is what is asked.
        warnings.simplefilter("ignore", UserWarning)
        value = make(parameter)(x)
    if not value.requires_grad:
        return value, torch.zeros_like(parameter)
    (derivative,) = torch.autograd.grad(value.sum(), parameter, allow_unused=True)
    return value, torch.zeros_like(parameter) if derivative is None else derivative


def _affine(spike: Callable[[Any], Any], weights: tuple[np.ndarray, ...], x: Any, cotangent: Any) -> tuple[Any, Any]:
    w, b = (to_tensor(a, x.device.type).requires_grad_() for a in weights)
    x = x.detach().requires_grad_()
    value = spike((w * x).sum(-1) + b)
    if not value.requires_grad:
        return value, torch.zeros(w.numel() + b.numel() + x.numel(), dtype=x.dtype)
    found = torch.autograd.grad(value, (w, b, x), _cotangent(value, cotangent), allow_unused=True)
    given = zip((w, b, x), found, strict=True)
    return value, torch.cat([(torch.zeros_like(a) if g is None else g).reshape(-1) for a, g in given])


def _recurrent(spike: Callable[[Any], Any], weights: tuple[np.ndarray, ...], x: Any, cotangent: Any) -> tuple[Any, Any]:
    decay = to_tensor(weights[0], x.device.type)

    def through_time(x: torch.Tensor) -> torch.Tensor:
        u, spikes = torch.zeros_like(x[0]), []
        for current in x:
            u = decay * u + current
            spikes.append(spike(u))
            u = u - spikes[-1]
        return torch.stack(spikes)

    return backward(through_time, x, cotangent)


def _residuals(spike: Callable[[Any], Any], x: Any) -> tuple[Any, Any]:
    kept: dict[int, int] = {}

    def pack(saved: torch.Tensor) -> torch.Tensor:
        kept[saved.data_ptr()] = saved.untyped_storage().nbytes()
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
        value = spike(x.detach().requires_grad_())
    return value, torch.tensor(sum(kept.values()))


def _cotangent(value: torch.Tensor, cotangent: torch.Tensor | None) -> torch.Tensor:
    if cotangent is None:
        return torch.ones_like(value)
    if cotangent.shape != value.shape:
        raise BrokenContract(
            f"the spike function returned the shape {tuple(value.shape)}; expected {tuple(cotangent.shape)}"
        )
    return cotangent.to(value.dtype)
