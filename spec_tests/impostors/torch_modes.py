"""Wrong SLAYER surrogates in PyTorch: memory layout, grad modes, autocast, batching of batching.

Each has the one defect its first line names.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one tensor.
This file is loaded by its path, so it imports nothing of ours.
Which property ought to catch which impostor stands in manifest.py.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Spike = Callable[[Tensor], Tensor]


def _step(x: Tensor) -> Tensor:
    return (x >= 0).to(x.dtype)


def _slayer(alpha: float) -> Spike:
    return lambda x: torch.exp(-alpha * x.abs())


class _Surrogate(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, rate: Spike, step: Spike) -> Tensor:
        return step(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Spike, Spike], output: Tensor) -> None:
        x, ctx.rate, _ = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        return grads[0] * ctx.rate(x), None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return tangents[0] * ctx.rate(x)


def _surrogate(rate: Spike, step: Spike = _step) -> Spike:
    """Spike function with the forward `step` and the pseudo-derivative `rate`; the rest is right."""
    return lambda x: _Surrogate.apply(x, rate, step)


class _SavesItsRate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rate: Spike) -> Tensor:
        ctx.save_for_backward(rate(x))
        return _step(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (rate,) = ctx.saved_tensors
        return grads[0] * rate, None


# ---- layout --------------------------------------------------------------------------------------


def read_in_storage_order(alpha: float = 1.0) -> Spike:
    """The gradient is computed in the order of the storage: wrong places where the input is transposed."""

    def rate(x: Tensor) -> Tensor:
        if 0 in x.stride() or not x.numel():
            return _slayer(alpha)(x)  # an expanded tensor has no storage for all its elements
        return _slayer(alpha)(x.as_strided((x.numel(),), (1,))).view(x.shape)

    return lambda x: _SavesItsRate.apply(x, rate)


def slice_offset_forgotten(alpha: float = 1.0) -> Spike:
    """The gradient is read from the start of the storage, where the input is a slice from its middle."""

    def rate(x: Tensor) -> Tensor:
        return _slayer(alpha)(x.as_strided(x.shape, x.stride(), 0))

    return lambda x: _SavesItsRate.apply(x, rate)


def channels_last_taken_for_contiguous(alpha: float = 1.0) -> Spike:
    """The gradient of channels_last input is computed in the order of its storage, and read in that of its axes."""

    def rate(x: Tensor) -> Tensor:
        if x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last):
            return _slayer(alpha)(x.as_strided((x.numel(),), (1,))).view(x.shape)
        return _slayer(alpha)(x)

    return lambda x: _SavesItsRate.apply(x, rate)


class _ReadsItsCotangent(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float, read: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.read = read
        ctx.save_for_backward(_slayer(alpha)(x))
        return _step(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (rate,) = ctx.saved_tensors
        return ctx.read(grads[0]) * rate, None, None


def expanded_cotangent_reaches_one_element(alpha: float = 1.0) -> Spike:
    """A cotangent of stride 0, such as sum() sends back, reaches the first element alone."""

    def read(cotangent: Tensor) -> Tensor:
        if 0 not in cotangent.stride() or not cotangent.numel():
            return cotangent
        first = torch.zeros(cotangent.numel(), dtype=cotangent.dtype, device=cotangent.device)
        first[0] = cotangent.flatten()[0]
        return first.view(cotangent.shape)

    return lambda x: _ReadsItsCotangent.apply(x, alpha, read)


def repeated_cotangent_taken_for_one_number(alpha: float = 1.0) -> Spike:
    """A cotangent with any stride of 0 is taken for that of sum(): one number, where sum(0) sends back a row."""

    def read(cotangent: Tensor) -> Tensor:
        return cotangent.flatten()[0] if 0 in cotangent.stride() and cotangent.numel() else cotangent

    return lambda x: _ReadsItsCotangent.apply(x, alpha, read)


def cotangent_read_in_storage_order(alpha: float = 1.0) -> Spike:
    """The cotangent is read in the order of its storage: at wrong places where it is transposed."""

    def read(cotangent: Tensor) -> Tensor:
        span = 1 + sum((n - 1) * s for n, s in zip(cotangent.shape, cotangent.stride(), strict=True))
        if span != cotangent.numel():
            return cotangent  # of a slice or an expanded tensor the storage holds more numbers, or fewer
        return cotangent.as_strided((cotangent.numel(),), (1,)).view(cotangent.shape)

    return lambda x: _ReadsItsCotangent.apply(x, alpha, read)


def cotangent_offset_forgotten(alpha: float = 1.0) -> Spike:
    """The cotangent is read from the start of its storage, where it is a slice from its middle."""

    def read(cotangent: Tensor) -> Tensor:
        return cotangent.as_strided(cotangent.shape, cotangent.stride(), 0)

    return lambda x: _ReadsItsCotangent.apply(x, alpha, read)


# ---- grad modes ----------------------------------------------------------------------------------


def silent_at_zero_without_grad(alpha: float = 1.0) -> Spike:
    """Under no_grad a fast path fires at x > 0 alone, not at the threshold."""
    spike = _surrogate(_slayer(alpha))
    return lambda x: spike(x) if torch.is_grad_enabled() else (x > 0).to(x.dtype)


def soft_in_inference_mode(alpha: float = 1.0) -> Spike:
    """In inference_mode the spikes are a sigmoid's probabilities."""
    spike = _surrogate(_slayer(alpha))
    return lambda x: torch.sigmoid(alpha * x) if torch.is_inference_mode_enabled() else spike(x)


# ---- autocast ------------------------------------------------------------------------------------


def low_precision_spikes_under_autocast(alpha: float = 1.0) -> Spike:
    """Under autocast the input is cast, and the spikes come back in the low precision."""
    spike = _surrogate(_slayer(alpha))

    def cast(x: Tensor) -> Tensor:
        if torch.is_autocast_enabled(x.device.type):
            return spike(x.to(torch.get_autocast_dtype(x.device.type)))
        return spike(x)

    return cast


def matmul_under_autocast(alpha: float = 1.0) -> Spike:
    """The exponent is a matrix product, which autocast computes in low precision."""

    def rate(x: Tensor) -> Tensor:
        slope = x.new_full((1, 1), -alpha)
        return torch.exp(x.abs().reshape(-1, 1) @ slope).reshape(x.shape).to(x.dtype)

    return lambda x: _SavesItsRate.apply(x, rate)


# ---- batching ------------------------------------------------------------------------------------


class _Batched(_Surrogate):
    """Batched over `axis`, it is the spike function `rule(axis)`."""

    generate_vmap_rule = False

    @staticmethod
    def forward(x: Tensor, rate: Spike, step: Spike, rule: Any = None) -> Tensor:
        return step(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        _Surrogate.setup_context(ctx, inputs[:3], output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        return *_Surrogate.backward(ctx, *grads), None

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        (x, *_, rule), axis = args, in_dims[0]
        return rule(axis)(x), axis


def inverted_off_axis_0(alpha: float = 1.0) -> Spike:
    """Batched over any axis but 0 it fires below the threshold in place of above it."""
    right = _surrogate(_slayer(alpha))
    wrong = _surrogate(_slayer(alpha), lambda x: (x < 0).to(x.dtype))
    return lambda x: _Batched.apply(x, _slayer(alpha), _step, lambda axis: wrong if axis else right)


def inverted_under_second_vmap(alpha: float = 1.0) -> Spike:
    """The batch rule has a batch rule of its own, which fires below the threshold: vmap of vmap is wrong."""
    wrong = _surrogate(_slayer(alpha), lambda x: (x < 0).to(x.dtype))

    def once(axis: int | None) -> Spike:
        return lambda x: _Batched.apply(x, _slayer(alpha), _step, lambda axis: wrong)

    return lambda x: _Batched.apply(x, _slayer(alpha), _step, once)


# ---- torch.compile -------------------------------------------------------------------------------


class _WithoutForwardMode(torch.autograd.Function):
    # One with a jvp of its own torch.compile leaves to eager PyTorch.
    @staticmethod
    def forward(ctx: Any, x: Tensor, alpha: float) -> Tensor:
        ctx.alpha = alpha
        ctx.save_for_backward(x)
        return _step(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        rate = 2 * ctx.alpha if torch.compiler.is_compiling() else ctx.alpha
        return grads[0] * torch.exp(-rate * x.abs()), None


def other_rate_under_torch_compile(alpha: float = 1.0) -> Spike:
    """Within a program of torch.compile the rate is doubled."""
    return lambda x: _WithoutForwardMode.apply(x, alpha)
