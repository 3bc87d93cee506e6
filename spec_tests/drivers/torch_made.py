"""Spike functions of every make that PyTorch knows, old and new, and how the driver's tests ask through them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from handmade import ALPHA, ROUNDED, ask

from surrogate_core.drivers import Observation, Request, Transform
from surrogate_core.drivers.torch import TorchDriver

DRIVER = TorchDriver()
CPU = "cpu:0"
X = np.array([-2.0, -0.5, -0.0, 0.0, 0.25, 3.0], np.float32)
CUBE = np.linspace(-2, 2, 24, dtype=np.float32).reshape(2, 3, 4)
WEIGHTS = np.resize(np.array([1.0, -2.0, 0.5], np.float32), CUBE.shape)
HYPER, HEAVY = np.stack([CUBE, CUBE + np.float32(0.1)]), np.stack([WEIGHTS, -WEIGHTS])
VMAP = Transform("vmap", 1, 2)

Spike = Callable[[Any], Any]


class Old(torch.autograd.Function):
    """A function as they were written before torch.func: forward and backward alone."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return cotangents[0] * torch.exp(-ALPHA * x.abs())


class New(torch.autograd.Function):
    """One that torch.func can transform, in both modes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor) -> torch.Tensor:
        return (x >= 0).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.save_for_forward(inputs[0])

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return cotangents[0] * torch.exp(-ALPHA * x.abs())

    @staticmethod
    def jvp(ctx: Any, *tangents: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return tangents[0] * torch.exp(-ALPHA * x.abs())


def in_one_buffer(*which: str) -> Spike:
    """A spike function that writes its ``spikes``, its ``gradient``, or both to the same memory in every call."""
    buffers: dict[str, torch.Tensor] = {}

    def kept(name: str, answer: torch.Tensor) -> torch.Tensor:
        return buffers.setdefault(name, answer).copy_(answer).detach() if name in which else answer

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return kept("spikes", (x >= 0).to(x.dtype))

        @staticmethod
        def backward(ctx: Any, *cotangents: torch.Tensor) -> torch.Tensor:
            return kept("gradient", cotangents[0] * torch.exp(-ALPHA * ctx.saved_tensors[0].abs()))

    return Spike.apply


def observe(request: Request, function: Spike = New.apply) -> Observation:
    with DRIVER.scope(request.x.dtype.name, CPU):
        return DRIVER.observe(function, request, CPU)


def agree(request: Request, function: Spike = New.apply) -> None:
    found, expected = observe(request, function), ask(request)
    np.testing.assert_array_equal(found.value, expected.value, strict=True)
    if expected.derivative is None:
        assert found.derivative is None
    else:
        np.testing.assert_allclose(found.gradient, expected.gradient, rtol=ROUNDED, strict=True)


def seen_by(function: Callable[[torch.Tensor], Any], *names: Any) -> Any:
    """What a spike function sees of its input under a transformation."""
    seen: list[Any] = []

    def spike(x: torch.Tensor) -> torch.Tensor:
        seen.append(function(x))
        return New.apply(x)

    observe(Request("value", CUBE, inner=tuple(map(Transform, names))), spike)
    return seen[0]
