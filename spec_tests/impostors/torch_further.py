"""Wrong SLAYER surrogates in PyTorch: the derivatives beyond the gradient, by x once more and by alpha.

Each has the one defect its first line names, and declares both derivatives of the formula.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one tensor.
This file is loaded by its path, so it imports nothing of ours.
Which property ought to catch which impostor stands in manifest.py.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Spike = Callable[[Tensor], Tensor]
Rate = Callable[[Tensor, Tensor], Tensor]


def _slayer(x: Tensor, alpha: Tensor) -> Tensor:
    return torch.exp(-alpha * x.abs())


def _by_alpha(x: Tensor, alpha: Tensor) -> Tensor:
    return -x.abs() * _slayer(x, alpha)


class _OfBoth(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: Tensor, rate: Rate, by_alpha: Rate) -> Tensor:
        ctx.save_for_backward(x, alpha)
        ctx.rate, ctx.by_alpha = rate, by_alpha
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        x, alpha = ctx.saved_tensors
        turned = (grads[0] * ctx.by_alpha(x, alpha)).sum() if ctx.needs_input_grad[1] else None
        return grads[0] * ctx.rate(x, alpha), turned, None, None


def _surrogate(alpha: Any, rate: Rate = _slayer, by_alpha: Rate = _by_alpha) -> Spike:
    """Spike function of x and alpha with those two derivatives, which are differentiated in turn."""
    # A 0-d tensor does not widen the dtype of x, not even a float64 one.
    return lambda x: _OfBoth.apply(x, torch.as_tensor(alpha, dtype=torch.float64), rate, by_alpha)


def second_derivative_one_sided_torch(alpha: float = 1.0) -> Spike:
    """Below 0 the second derivative is 0: there -x is detached."""
    return _surrogate(alpha, lambda x, alpha: torch.exp(-alpha * torch.where(x < 0, -x.detach(), x)))


def alpha_read_as_a_number(alpha: float = 1.0) -> Spike:
    """The rate alpha is turned into a number, so that the derivative by it is 0 where the formula's is declared."""
    return _surrogate(float(alpha))


def alpha_derivative_signed_torch(alpha: float = 1.0) -> Spike:
    """The derivative by alpha has a factor x in place of |x|."""
    return _surrogate(alpha, by_alpha=lambda x, alpha: x.sign() * _by_alpha(x, alpha))
