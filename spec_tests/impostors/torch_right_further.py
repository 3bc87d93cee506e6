"""A right SLAYER surrogate in PyTorch that declares what lies beyond the gradient: it may never be called wrong.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one tensor.
This file is loaded by its path, so it imports nothing of ours.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Spike = Callable[[Tensor], Tensor]


class _Learnable(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: Tensor) -> Tensor:
        ctx.save_for_backward(x, alpha)
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor | None]:
        x, alpha = ctx.saved_tensors
        pulled = grads[0] * torch.exp(-alpha * x.abs())
        return pulled, (-x.abs() * pulled).sum() if ctx.needs_input_grad[1] else None


def learnable_alpha_torch(alpha: float = 1.0) -> Spike:
    """autograd.Function of x and alpha whose backward can be differentiated: both derivatives are the formula's."""
    # A 0-d tensor does not widen the dtype of x, not even a float64 one.
    return lambda x: _Learnable.apply(x, torch.as_tensor(alpha, dtype=torch.float64))
