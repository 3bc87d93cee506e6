"""Workloads in PyTorch."""

from __future__ import annotations

import functools
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from surrogate_core.drivers.base import Unsupported
from surrogate_core.drivers.workload import DECAY, THRESHOLD, Prepared, Workload, inputs

__all__ = ["TorchPreparer"]


class _BareSpike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return ctx.saved_tensors[0] * gradients[0]


class TorchPreparer:
    """See :class:`surrogate_core.drivers.workload.Preparer`."""

    def settle(self) -> None:
        pass  # on a CPU a call returns when it is done

    def scope(self, dtype: str, device: str) -> AbstractContextManager[Any]:
        return torch.device(_place(device))

    def begin(self) -> None:
        # Dynamo keeps what it compiled beside the code: after another size it compiles for any size, and the ninth
        # variant it runs eagerly, without a word. Importing it is dear, so only where something was compiled.
        if "torch._dynamo" in sys.modules:
            torch._dynamo.reset()

    def prepare(self, spike: Callable[[Any], Any] | None, workload: Workload, device: str) -> Prepared:
        place = _place(device)
        x, cotangent = _given(workload, place)
        wait = _waiter(place)
        start = time.perf_counter()
        if workload.mode == "compiled":
            if workload.task == "lif":
                raise Unsupported("compiling lif: PyTorch would unroll every step of it")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # its compiler warns of its own steps
                call = _call(torch.compile(_BareSpike.apply if spike is None else spike), workload, x, cotangent)
                wait(call())
        else:
            call = _call(spike, workload, x, cotangent)
        seconds = time.perf_counter() - start if workload.mode == "compiled" else 0.0
        for _ in range(3):
            wait(call())
        return Prepared((call,), wait, seconds, 0, 0, {} if workload.mode == "compiled" else _counts(call))

    def slowed(self, spike: Callable[[Any], Any], extra: int, workload: Workload, device: str) -> Callable[[Any], Any]:
        count = extra * max(1, workload.called_with // 256)
        given = torch.linspace(-1, 0, count, device=_place(device), dtype=getattr(torch, workload.dtype))
        taken = torch.empty_like(given)

        def slower(x: torch.Tensor) -> torch.Tensor:
            torch.exp(given, out=taken)  # it changes memory: no compiler may leave it out
            return spike(x)

        return slower

    def freeze(self, spike: Callable[[Any], Any], workload: Workload, device: str) -> bytes:
        raise Unsupported("freezing: only programs of JAX can be kept")

    def thaw(self, frozen: bytes, workload: Workload, device: str) -> Prepared:
        raise Unsupported("freezing: only programs of JAX can be kept")


@functools.lru_cache(maxsize=1)
def _given(workload: Workload, place: str) -> tuple[torch.Tensor, torch.Tensor]:
    x, cotangent = (torch.from_numpy(a).to(place, getattr(torch, workload.dtype)) for a in inputs(workload))
    return x, cotangent


def _place(device: str) -> str:
    return "cpu" if device == "cpu:0" else device


def _waiter(place: str) -> Callable[[Any], Any]:
    if place.startswith("cuda"):
        return lambda _: torch.cuda.synchronize(place)
    if place.startswith("mps"):
        return lambda _: torch.mps.synchronize()
    return lambda result: result


def _call(spike: Any, workload: Workload, x: torch.Tensor, cotangent: torch.Tensor) -> Callable[[], Any]:
    if workload.task == "lif":
        return lambda: _through_time(spike or _BareSpike.apply, x, cotangent)
    if spike is None:
        if workload.task == "forward":
            return lambda: (x >= 0).to(x.dtype)
        return lambda: ((x >= 0).to(x.dtype), x * cotangent)
    if workload.task == "forward":
        return lambda: spike(x)
    return lambda: _pulled_back(spike, x, cotangent)


def _pulled_back(function: Callable[[Any], Any], x: torch.Tensor, cotangent: torch.Tensor) -> tuple[Any, Any]:
    x = x.detach().requires_grad_()
    value = function(x)
    return value, torch.autograd.grad(value, x, cotangent.to(value.dtype))


def _through_time(spike: Callable[[Any], Any], x: torch.Tensor, cotangent: torch.Tensor) -> tuple[Any, Any]:
    def run(x: torch.Tensor) -> torch.Tensor:
        u, spikes = torch.zeros_like(x[0]), []
        for current in x:
            u = DECAY * u + current
            spikes.append(spike(u - THRESHOLD))
            u = u - spikes[-1]
        return torch.stack(spikes)

    return _pulled_back(run, x, cotangent)


class _Counting(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.found[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def _counts(call: Callable[[], Any]) -> dict[str, float]:
    """How often each operator is called, as ``traced exp``."""
    with _Counting() as counting:
        call()
    return {f"traced {name}": float(count) for name, count in sorted(counting.found.items())}
