"""Wrong SLAYER surrogates in PyTorch, each with the one defect its first line names.

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
        return grads[0].to(x.dtype) * ctx.rate(x), None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return tangents[0] * ctx.rate(x)


def _surrogate(rate: Spike, step: Spike = _step) -> Spike:
    """Spike function with the forward `step` and the pseudo-derivative `rate`; the rest is right."""
    return lambda x: _Surrogate.apply(x, rate, step)


class _ReverseOnly(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, backward: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        ctx.save_for_backward(x)
        ctx.rule = backward
        return _step(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return ctx.rule(x, grads[0]), None


def _reverse_only(backward: Callable[[Tensor, Tensor], Tensor]) -> Spike:
    """Spike function whose gradient is `backward(x, cotangent)`, linear in the cotangent or not."""
    return lambda x: _ReverseOnly.apply(x, backward)


# ---- forward, dtype, shape -----------------------------------------------------------------------


def silent_at_zero(alpha: float = 1.0) -> Spike:
    """Forward is x > 0, which does not fire at the threshold."""
    return _surrogate(_slayer(alpha), lambda x: (x > 0).to(x.dtype))


def float32_spikes(alpha: float = 1.0) -> Spike:
    """The spikes are float32 whatever the input's dtype."""
    return _surrogate(_slayer(alpha), lambda x: (x >= 0).float())


def bool_in_evaluation(alpha: float = 1.0) -> Spike:
    """Where no gradient is asked for, the spikes are booleans."""
    spike = _surrogate(_slayer(alpha))
    return lambda x: spike(x) if x.requires_grad else x >= 0


def ravelled(alpha: float = 1.0) -> Spike:
    """The result is flattened to one axis."""
    spike = _surrogate(_slayer(alpha))
    return lambda x: spike(x).reshape(-1)


# ---- the formula ---------------------------------------------------------------------------------


def float32_inside(alpha: float = 1.0) -> Spike:
    """The exponential is computed in float32 whatever the input's dtype (only float64 shows it)."""
    return _surrogate(lambda x: _slayer(alpha)(x.float()).to(x.dtype))


def gaussian_instead(alpha: float = 1.0) -> Spike:
    """A Gaussian exp(-alpha*x^2/2) instead of the exponential: log g' is curved."""
    return _surrogate(lambda x: torch.exp(-alpha * x * x / 2))


def detached(alpha: float = 1.0) -> Spike:
    """The result is detached from the graph: no gradient arrives at all."""
    spike = _surrogate(_slayer(alpha))
    return lambda x: spike(x).detach()


def half_alpha_in_front(alpha: float = 1.0) -> Spike:
    """The curve is normalised to unit area: alpha/2 stands in front, so that the peak is alpha/2."""
    return _surrogate(lambda x: alpha / 2 * _slayer(alpha)(x))


def peak_at_one(alpha: float = 1.0) -> Spike:
    """The threshold is subtracted a second time, so that the peak lies at x = 1."""
    return _surrogate(lambda x: _slayer(alpha)(x - 1))


def one_sided_rate(alpha: float = 1.0) -> Spike:
    """The negative side decays twice as fast."""
    return _surrogate(lambda x: _slayer(alpha)(torch.where(x < 0, 2 * x, x)))


def overflows_when_negative(alpha: float = 1.0) -> Spike:
    """The negative side is exp(-alpha*x) / exp(-alpha*x)^2, NaN (inf/inf) far below the threshold."""

    def rate(x: Tensor) -> Tensor:
        grown = torch.exp(-alpha * x)
        # -inf is spared, so that the defect shows at finite inputs only.
        return torch.where((x < 0) & x.isfinite(), grown / (grown * grown), _slayer(alpha)(x))

    return _surrogate(rate)


def nan_becomes_zero(alpha: float = 1.0) -> Spike:
    """NaN input gets gradient 0, which hides it."""
    return _surrogate(lambda x: _slayer(alpha)(x).nan_to_num(0.0))


# ---- the cotangent -------------------------------------------------------------------------------


def cotangent_clipped(alpha: float = 1.0) -> Spike:
    """The backward pass clips the cotangent to [-1, 1]."""
    return _reverse_only(lambda x, cotangent: cotangent.clamp(-1, 1) * _slayer(alpha)(x))


def nan_leaks(alpha: float = 1.0) -> Spike:
    """A term 0 * cotangent.mean() lets one NaN in the cotangent spoil every element."""
    return _reverse_only(lambda x, cotangent: (cotangent + 0 * cotangent.mean()) * _slayer(alpha)(x))


# ---- transformations -----------------------------------------------------------------------------


class _WrongTangent(_Surrogate):
    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return tangents[0] * ctx.rate(2 * x)


def forward_mode_too_steep(alpha: float = 1.0) -> Spike:
    """Reverse mode is right, forward mode decays twice as fast."""
    return lambda x: _WrongTangent.apply(x, _slayer(alpha), _step)


class _ReshapedBatch(_Surrogate):
    generate_vmap_rule = False

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        (x, rate, step), axis = args, in_dims[0]
        if axis is None:
            return _ReshapedBatch.apply(x, rate, step), None
        rest = [size for i, size in enumerate(x.shape) if i != axis]
        return _ReshapedBatch.apply(x.reshape(x.shape[axis], *rest), rate, step), 0


def batch_axis_reshaped_torch(alpha: float = 1.0) -> Spike:
    """The batch rule brings the batch axis to the front by reshape, which scrambles every axis but 0."""
    return lambda x: _ReshapedBatch.apply(x, _slayer(alpha), _step)


# ---- not a spike function at all -----------------------------------------------------------------


def returns_none(alpha: float = 1.0) -> Callable[[Tensor], Any]:
    """The spike function forgets its return statement."""
    spike = _surrogate(_slayer(alpha))

    def forgetful(x: Tensor) -> None:
        spike(x)

    return forgetful


def returns_float(alpha: float = 1.0) -> Callable[[Tensor], Any]:
    """The result is the Python float of the number of spikes."""
    spike = _surrogate(_slayer(alpha))
    return lambda x: float(spike(x).detach().sum())
