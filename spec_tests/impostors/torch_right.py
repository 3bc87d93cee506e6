"""Right SLAYER surrogates in PyTorch, each made by another technique: none of them may ever be called wrong.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one tensor.
This file is loaded by its path, so it imports nothing of ours.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Spike = Callable[[Tensor], Tensor]


def _step(x: Tensor) -> Tensor:
    return (x >= 0).to(x.dtype)


def _slayer(alpha: float, x: Tensor) -> Tensor:
    return torch.exp(-alpha * x.abs())


class _OldStyle(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.alpha = alpha
        return _step(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return grads[0] * _slayer(ctx.alpha, x), None


def old_style_function(alpha: float = 1.0) -> Spike:
    """autograd.Function with ctx in its forward: no vmap, no forward mode."""
    return lambda x: _OldStyle.apply(x, alpha)


class _Composable(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, alpha: float) -> Tensor:
        return _step(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        x, ctx.alpha = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return grads[0] * _slayer(ctx.alpha, x), None

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return tangents[0] * _slayer(ctx.alpha, x)


def composable_function(alpha: float = 1.0) -> Spike:
    """autograd.Function with setup_context, a generated vmap rule and a jvp: all of torch.func."""
    return lambda x: _Composable.apply(x, alpha)


class Module(nn.Module):
    """nn.Module that keeps alpha as a buffer and hands it to the backward pass as a saved float64 tensor."""

    alpha: Tensor

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("alpha", torch.tensor(alpha, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return _BufferAlpha.apply(x, self.alpha.to(x.device))


class _BufferAlpha(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: Tensor) -> Tensor:
        ctx.save_for_backward(x, alpha)
        return _step(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        x, alpha = ctx.saved_tensors
        # A 0-d tensor does not widen the dtype of x, not even a float64 one: the result is in the dtype of x.
        return grads[0] * torch.exp(-alpha * x.abs()), None


def detached_sum(alpha: float = 1.0) -> Spike:
    """No custom rule: the step, plus rate * (x - x.detach()), whose value is exactly 0."""

    def spike(x: Tensor) -> Tensor:
        still = x.detach()
        # At +-inf and NaN nan_to_num makes the value 0 and multiplies the derivative by 0; the factor NaN in
        # front of it makes that NaN * 0 = NaN at NaN, without entering the value.
        poison = torch.where(still.isnan(), still, torch.ones_like(still))
        clean = (x * poison).nan_to_num(0.0, 0.0, 0.0)
        rate = _slayer(alpha, clean.detach())
        return _step(still) + rate * (clean - clean.detach())

    return spike


class _SavedRate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float) -> Tensor:
        ctx.save_for_backward(_slayer(alpha, x.double()).to(x.dtype))
        return torch.heaviside(x, x.new_ones(()))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (rate,) = ctx.saved_tensors
        return grads[0] * rate, None


def saved_float64_rate(alpha: float = 1.0) -> Spike:
    """The forward pass is torch.heaviside and saves the rate, computed in float64 and rounded once."""
    return lambda x: _SavedRate.apply(x, alpha)
