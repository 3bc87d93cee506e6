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
import torch.utils.checkpoint

from surrogate_core.drivers.base import (
    Awaited,
    BrokenContract,
    Device,
    Observation,
    Request,
    Transform,
    Unsupported,
)
from surrogate_core.drivers.copies import COPIES, copied
from surrogate_core.drivers.dialects import TORCH
from surrogate_core.drivers.few import FEW, judge_few
from surrogate_core.drivers.script import program
from surrogate_core.drivers.smooth import smooth
from surrogate_core.drivers.tally import Span, Tally
from surrogate_core.drivers.torch_layouts import LAYOUTS
from surrogate_core.drivers.torch_silence import tell_of_silence
from surrogate_core.spec.formats import FORMATS
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

ADDRESS = re.compile(r" at 0x[0-9a-f]+")


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
        x = _tensor(request.x, place)
        direction = None if request.direction is None else _tensor(request.direction, place)
        try:
            with _deprecations_ignored(request):
                value, derivative = _operation(_subject(function, request), request)(x, direction)
                if request.forward_mode() and not derivative.any():
                    tell_of_silence(function, x)
        except (RuntimeError, NotImplementedError, TypeError) as error:
            for pattern, capability, needed in MISSING:
                if needed(request) and pattern.search(str(error)):
                    raise Unsupported(f"{capability}: {_first_sentence(error)}") from error
            raise
        given = {"x": (x, request.x), "the cotangent": (direction, request.direction)}
        touched = tuple(
            f"{what} was written to"
            for what, (tensor, array) in given.items()
            if tensor is not None and array is not None and not np.array_equal(_bits(_array(tensor)), _bits(array))
        )
        compiled, breaks = _programs() if _is_compiled(request) else (0, ())
        return Observation(_array(value), None if derivative is None else _array(derivative), touched, compiled, breaks)

    def observe_together(
        self, function: Callable[[Any], Any], requests: Sequence[Request], device: str
    ) -> list[tuple[Request, Awaited]]:
        return []  # eager: there is no program to share

    def tally(
        self, function: Callable[[Any], Any], spec: Spec, parameters: Parameters, span: Span, device: str
    ) -> Tally:
        spike, place = _checked(function), _place(device)

        def answers(piece: Span) -> tuple[np.ndarray, np.ndarray]:
            patterns = piece.patterns()
            x = torch.from_numpy(patterns.view(np.int32)).view(torch.float32).to(place)
            found = [a.detach().to("cpu", torch.float32).numpy() for a in _backward(spike, x.reshape(-1), None)]
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


def _batched_whole(request: Request) -> bool:
    return any(t.name == "vmap" for t in request.outer)


def _is_compiled(request: Request) -> bool:
    return any(t.name == "jit" for t in request.inner + request.outer)


def _first_sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0].split(". ")[0]


def _place(device: str) -> str:
    return "cpu" if device == "cpu:0" else device


def _tensor(array: np.ndarray, place: str) -> torch.Tensor:
    # NumPy has no bfloat16 of its own, so every value travels as its bits.
    bits = _bits(np.ascontiguousarray(array))
    return torch.from_numpy(bits.copy()).view(getattr(torch, array.dtype.name)).reshape(array.shape).to(place)


def _array(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu().contiguous()
    if tensor.dtype is torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(FORMATS["bfloat16"].dtype)
    return tensor.numpy()


def _bits(array: np.ndarray) -> np.ndarray:
    return array.view(f"int{8 * array.dtype.itemsize}")


def _subject(function: Callable[[Any], Any], request: Request) -> Callable[[Any], Any]:
    """What the request evaluates: the spike function, its maker, or the smooth function beside it."""
    if request.operation == "parameter":
        return function
    return _checked(smooth(function) if request.operation == "smooth" else copied(function, request))


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


def _programs() -> tuple[int, tuple[str, ...]]:
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


def _operation(function: Callable[[Any], torch.Tensor], request: Request) -> Callable[[Any, Any], tuple[Any, Any]]:
    """(x, direction) -> (value, derivative), with all transformations in place."""
    spike = _transformed(function, request.inner, axes=False)

    def functional(x: torch.Tensor, cotangent: torch.Tensor | None) -> tuple[Any, Any]:
        value, pull = torch.func.vjp(spike, x)[:2]
        return value, pull(_cotangent(value, cotangent))[0]

    def jvp(x: torch.Tensor, tangent: torch.Tensor | None) -> tuple[Any, Any]:
        value, pushed = torch.func.jvp(spike, (x,), (torch.ones_like(x) if tangent is None else tangent,))[:2]
        return value, pushed

    def late(x: torch.Tensor, cotangent: torch.Tensor | None) -> tuple[Any, Any]:
        return _backward(spike, x, cotangent, between=lambda *_: _backward(spike, -2 * x, None))

    def again(x: torch.Tensor, cotangent: torch.Tensor | None) -> tuple[Any, Any]:
        def before(x: torch.Tensor, value: torch.Tensor) -> None:
            if value.requires_grad:
                other = -2 * _cotangent(value, cotangent)
                torch.autograd.grad(value, x, other, retain_graph=True, allow_unused=True)

        return _backward(spike, x, cotangent, between=before)

    operations: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
        "value": lambda x, _: (spike(x), None),
        # torch.autograd.grad works on any function; inside vmap only torch.func's own vjp does.
        "vjp": functional if _batched_whole(request) else lambda x, cotangent: _backward(spike, x, cotangent),
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


def _backward(
    spike: Callable[[Any], Any], x: Any, cotangent: Any, between: Callable[[Any, Any], object] | None = None
) -> tuple[Any, Any]:
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
    parameter = _tensor(weights[0], x.device.type).requires_grad_()
    with warnings.catch_warnings():
        # PyTorch warns where the tensor becomes a number; the gradient that is then missing is what is asked.
        warnings.simplefilter("ignore", UserWarning)
        value = make(parameter)(x)
    if not value.requires_grad:
        return value, torch.zeros_like(parameter)
    (derivative,) = torch.autograd.grad(value.sum(), parameter, allow_unused=True)
    return value, torch.zeros_like(parameter) if derivative is None else derivative


def _affine(spike: Callable[[Any], Any], weights: tuple[np.ndarray, ...], x: Any, cotangent: Any) -> tuple[Any, Any]:
    w, b = (_tensor(a, x.device.type).requires_grad_() for a in weights)
    x = x.detach().requires_grad_()
    value = spike((w * x).sum(-1) + b)
    if not value.requires_grad:
        return value, torch.zeros(w.numel() + b.numel() + x.numel(), dtype=x.dtype)
    found = torch.autograd.grad(value, (w, b, x), _cotangent(value, cotangent), allow_unused=True)
    given = zip((w, b, x), found, strict=True)
    return value, torch.cat([(torch.zeros_like(a) if g is None else g).reshape(-1) for a, g in given])


def _recurrent(spike: Callable[[Any], Any], weights: tuple[np.ndarray, ...], x: Any, cotangent: Any) -> tuple[Any, Any]:
    decay = _tensor(weights[0], x.device.type)

    def through_time(x: torch.Tensor) -> torch.Tensor:
        u, spikes = torch.zeros_like(x[0]), []
        for current in x:
            u = decay * u + current
            spikes.append(spike(u))
            u = u - spikes[-1]
        return torch.stack(spikes)

    return _backward(through_time, x, cotangent)


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
