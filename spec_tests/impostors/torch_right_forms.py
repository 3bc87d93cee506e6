"""Right SLAYER surrogates in PyTorch that keep state, share it, or offer more: none may ever be called wrong.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one tensor.
This file is loaded by its path, so it imports nothing of ours.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Spike = Callable[[Tensor], Tensor]


def _step(x: Tensor) -> Tensor:
    return (x >= 0).to(x.dtype)


class _Composable(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, alpha: float | Tensor) -> Tensor:
        return _step(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Any], output: Tensor) -> None:
        x, alpha = inputs
        ctx.alpha = alpha.item() if isinstance(alpha, Tensor) else alpha
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return grads[0] * torch.exp(-ctx.alpha * x.abs()), None

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return tangents[0] * torch.exp(-ctx.alpha * x.abs())


class ParameterModule(nn.Module):
    """nn.Module that keeps alpha as a frozen float64 Parameter: it is copied, pickled and moved with it."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(alpha, dtype=torch.float64), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return _Composable.apply(x, self.alpha)


class WithPrimitiveFunction(nn.Module):
    """Offers the smooth function whose derivative the gradient is, as primitive_function."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return _Composable.apply(x, self.alpha)

    def primitive_function(self, x: Tensor) -> Tensor:
        return x.sign() * -torch.expm1(-self.alpha * x.abs()) / self.alpha


@functools.lru_cache(maxsize=8)
def _built(alpha: float) -> Spike:
    return lambda x: _Composable.apply(x, alpha)


def memoised_by_alpha_torch(alpha: float = 1.0) -> Spike:
    """The factory is memoised by alpha with lru_cache."""
    return _built(float(alpha))


class _Scratch(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float, own: threading.local) -> Tensor:
        ctx.save_for_backward(x)
        ctx.alpha, ctx.own = alpha, own
        return _step(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        buffers = vars(ctx.own)
        key = f"{tuple(x.shape)} {x.dtype} {x.device}"
        buffer = buffers.setdefault(key, torch.empty_like(x, memory_format=torch.contiguous_format))
        torch.abs(x, out=buffer)
        return grads[0] * torch.exp(buffer.mul_(-ctx.alpha), out=buffer), None, None


def scratch_of_each_thread(alpha: float = 1.0) -> Spike:
    """The backward pass computes in a buffer that belongs to its thread."""
    own = threading.local()
    return lambda x: _Scratch.apply(x, alpha, own)


class _OutOfAutocast(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            slope = x.new_full((1, 1), -alpha)
            ctx.save_for_backward(torch.exp(x.abs().reshape(-1, 1) @ slope).reshape(x.shape))
        return _step(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (rate,) = ctx.saved_tensors
        return grads[0] * rate, None


def matmul_out_of_autocast(alpha: float = 1.0) -> Spike:
    """The exponent is a matrix product that takes care to leave autocast."""
    return lambda x: _OutOfAutocast.apply(x, alpha)


@functools.cache
def _operator() -> Callable[[Tensor, float], Tensor]:
    @torch.library.custom_op("surrogate_zoo::spike", mutates_args=())
    def spike(x: Tensor, alpha: float) -> Tensor:
        return _step(x)

    def keep(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        x, ctx.alpha = inputs
        ctx.save_for_backward(x)

    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return cotangent * torch.exp(-ctx.alpha * x.abs()), None

    spike.register_autograd(backward, setup_context=keep)
    spike.register_fake(lambda x, alpha: torch.empty_like(x))
    spike.register_vmap(lambda info, in_dims, x, alpha: (spike(x, alpha), in_dims[0]))
    return spike


def custom_operator(alpha: float = 1.0) -> Spike:
    """An operator of torch.library with its own autograd and batching rules; no torch.func, no forward mode."""
    operator = _operator()
    return lambda x: operator(x, float(alpha))
