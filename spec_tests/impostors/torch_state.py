"""Wrong SLAYER surrogates in PyTorch: what they remember, share or overwrite.

Each has the one defect its first line names.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one tensor.
This file is loaded by its path, so it imports nothing of ours.
Which property ought to catch which impostor stands in manifest.py.
"""

import itertools
import time
from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor, nn

Spike = Callable[[Tensor], Tensor]


def _step(x: Tensor) -> Tensor:
    return (x >= 0).to(x.dtype)


def _slayer(alpha: float) -> Spike:
    return lambda x: torch.exp(-alpha * x.abs())


class _Surrogate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, backward: Callable[[Tensor, Tensor], Tensor], step: Spike) -> Tensor:
        ctx.save_for_backward(x)
        ctx.rule = backward
        return step(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        return ctx.rule(x, grads[0]), None, None


def _surrogate(backward: Callable[[Tensor, Tensor], Tensor], step: Spike = _step) -> Spike:
    """Spike function with the forward `step` whose gradient is `backward(x, cotangent)`; reverse mode only."""
    return lambda x: _Surrogate.apply(x, backward, step)


# ---- shared between instances --------------------------------------------------------------------


class _Shared(torch.autograd.Function):
    alpha = 1.0

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return _step(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grads[0] * _slayer(_Shared.alpha)(x)


def shared_class_attribute_torch(alpha: float = 1.0) -> Spike:
    """The autograd.Function's class holds alpha: the latest instance decides for all of them."""
    _Shared.alpha = alpha
    return _Shared.apply


# ---- remembered from call to call ----------------------------------------------------------------


def cached_by_address(alpha: float = 1.0) -> Spike:
    """The gradient is cached in two slots, chosen by data_ptr() and never checked: inputs share it."""
    known: dict[Hashable, Tensor] = {}

    def backward(x: Tensor, cotangent: Tensor) -> Tensor:
        # Few slots, so that being caught does not hang on where the allocator places a tensor.
        key = (x.data_ptr() // 64 % 2, x.shape, x.dtype)
        if key not in known:
            known[key] = _slayer(alpha)(x)
        return cotangent * known[key]

    return _surrogate(backward)


def stashed_input_torch(alpha: float = 1.0) -> Spike:
    """The backward pass reads the input from an attribute: that of the latest forward of its shape."""
    latest: dict[Hashable, Tensor] = {}

    def step(x: Tensor) -> Tensor:
        latest[x.shape, x.dtype] = x.detach()
        return _step(x)

    return _surrogate(lambda x, cotangent: cotangent * _slayer(alpha)(latest[x.shape, x.dtype]), step)


def wobbles_torch(alpha: float = 1.0) -> Spike:
    """Global randomness: the gradient is up to 1e-3 off, by another amount at every call."""
    return _surrogate(lambda x, cotangent: cotangent * _slayer(alpha)(x) * (1 - 1e-3 * torch.rand(()).item()))


def last_bit_alternates_torch(alpha: float = 1.0) -> Spike:
    """Every second call is a rounding lower: each is well within the bound, and no call agrees with the one before."""
    lower = itertools.cycle((False, True))

    def backward(x: Tensor, cotangent: Tensor) -> Tensor:
        slope = _slayer(alpha)(x)
        factor = 1 - torch.finfo(x.dtype).eps / 2 if next(lower) else 1.0
        return cotangent * torch.where(x.abs() > 0.1, slope * factor, slope)

    return _surrogate(backward)


# ---- threads -------------------------------------------------------------------------------------


def scratch_shared_by_threads_torch(alpha: float = 1.0) -> Spike:
    """The backward pass computes in one buffer for each shape: threads overwrite one another's."""
    buffers: dict[Hashable, Tensor] = {}

    def backward(x: Tensor, cotangent: Tensor) -> Tensor:
        buffer = buffers.setdefault((x.shape, x.dtype, x.device), torch.empty_like(x))
        torch.abs(x, out=buffer)
        # Any wait lets another thread in; a longer one makes the race certain where it is run at all.
        time.sleep(1e-3)
        return cotangent * torch.exp(buffer.mul_(-alpha), out=buffer)

    return _surrogate(backward)


# ---- arguments -----------------------------------------------------------------------------------


class _ClampsItsInput(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float) -> Tensor:
        spikes = _step(x)
        ctx.save_for_backward(_slayer(alpha)(x))
        x.clamp_(-1, 1)
        return spikes

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (rate,) = ctx.saved_tensors
        return grads[0] * rate, None


def clamps_its_input(alpha: float = 1.0) -> Spike:
    """The forward pass, done with the input, clamps it to [-1, 1] in place."""
    return lambda x: _ClampsItsInput.apply(x, alpha)


def abs_in_place(alpha: float = 1.0) -> Spike:
    """The backward pass takes |x| in place, in the tensor that the caller gave."""
    return _surrogate(lambda x, cotangent: cotangent * torch.exp(-alpha * x.detach().abs_()))


def cotangent_in_place(alpha: float = 1.0) -> Spike:
    """The backward pass multiplies the cotangent in place and hands it back."""

    def backward(x: Tensor, cotangent: Tensor) -> Tensor:
        # PyTorch refuses to write into an expanded tensor, such as sum() sends back.
        own = cotangent if cotangent.is_contiguous() else cotangent.contiguous()
        return own.mul_(_slayer(alpha)(x))

    return _surrogate(backward)


def output_in_one_buffer(alpha: float = 1.0) -> Spike:
    """The spikes of every call are written to one buffer for each shape: those of the call before are gone."""
    buffers: dict[Hashable, Tensor] = {}

    def step(x: Tensor) -> Tensor:
        spikes = _step(x)
        return buffers.setdefault((x.shape, x.dtype), spikes).copy_(spikes).detach()

    return _surrogate(lambda x, cotangent: cotangent * _slayer(alpha)(x), step)


def output_in_one_buffer_without_grad(alpha: float = 1.0) -> Spike:
    """Where nothing asks for a gradient, spikes are written to one buffer for each shape."""
    buffers: dict[Hashable, Tensor] = {}
    trained = _surrogate(lambda x, cotangent: cotangent * _slayer(alpha)(x))

    def spike(x: Tensor) -> Tensor:
        if x.requires_grad:
            return trained(x)
        spikes = _step(x)
        return buffers.setdefault((x.shape, x.dtype), spikes).copy_(spikes)

    return spike


def gradient_in_one_buffer(alpha: float = 1.0) -> Spike:
    """The gradient of every call is written to one buffer for each shape: that of the call before is gone."""
    buffers: dict[Hashable, Tensor] = {}

    def backward(x: Tensor, cotangent: Tensor) -> Tensor:
        gradient = cotangent * _slayer(alpha)(x)
        return buffers.setdefault((x.shape, x.dtype), gradient).copy_(gradient)

    return _surrogate(backward)


class _KeepsItsGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float) -> Tensor:
        ctx.kept = _slayer(alpha)(x)
        return _step(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return ctx.kept.mul_(grads[0]), None


def kept_gradient_in_place(alpha: float = 1.0) -> Spike:
    """The backward pass multiplies in place what the forward pass kept: a second one starts from the product."""
    return lambda x: _KeepsItsGradient.apply(x, alpha)


# ---- copies of a module --------------------------------------------------------------------------


class ForgetsAlphaInDeepcopy(nn.Module):
    """The deepcopy of the module has the default alpha."""

    def __init__(self, alpha: float = 1.25) -> None:  # 1.25 is nobody's test value
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return _Surrogate.apply(x, self._backward, _step)

    def _backward(self, x: Tensor, cotangent: Tensor) -> Tensor:
        return cotangent * _slayer(self.alpha)(x)

    def __deepcopy__(self, memo: dict[int, Any]) -> "ForgetsAlphaInDeepcopy":
        return ForgetsAlphaInDeepcopy()


class ForgetsAlphaInPickle(nn.Module):
    """alpha is not in the pickled state, so that the module comes back with the default."""

    def __init__(self, alpha: float = 1.25) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return _Surrogate.apply(x, self._backward, _step)

    def _backward(self, x: Tensor, cotangent: Tensor) -> Tensor:
        return cotangent * _slayer(self.alpha)(x)

    def __deepcopy__(self, memo: dict[int, Any]) -> "ForgetsAlphaInPickle":
        return ForgetsAlphaInPickle(self.alpha)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "alpha"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({"alpha": 1.25, **state})
