"""Wrong SLAYER surrogates in PyTorch: the curve, its window, size, neighbours, and the graph around it.

Each has the one defect its first line names.

A factory is called ``factory(alpha=0.7)`` and returns a spike function of one tensor.
This file is loaded by its path, so it imports nothing of ours.
Which property ought to catch which impostor stands in manifest.py.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

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


# ---- the curve and its parameter -----------------------------------------------------------------


def hole_at_zero(alpha: float = 1.0) -> Spike:
    """The gradient at exactly 0, of either sign, is 0."""
    return _surrogate(lambda x: _slayer(alpha)(x) * x.sign().abs())


def triangle(alpha: float = 1.0) -> Spike:
    """A triangle max(0, 1 - alpha*|x|) instead of the exponential: the same peak, half the area."""
    return _surrogate(lambda x: (1 - alpha * x.abs()).clamp(min=0))


def whole_alpha_cut(alpha: float = 1.0) -> Spike:
    """A whole-numbered alpha takes a short cut with 1/e cut to 0.3679; other values are right."""
    if float(alpha).is_integer():
        return _surrogate(lambda x: torch.pow(0.3679, alpha * x.abs()))
    return _surrogate(_slayer(alpha))


def fires_in_a_narrow_window(alpha: float = 1.0) -> Spike:
    """In float32 it fires while -2.5137 <= x < -2.5088, a width of 2^-9."""

    def step(x: Tensor) -> Tensor:
        if x.dtype != torch.float32:
            return _step(x)
        return ((x >= 0) | ((x >= -2.5137) & (x < -2.5088))).to(x.dtype)

    return _surrogate(_slayer(alpha), step)


def fires_at_one_wrong_bit_pattern(alpha: float = 1.0) -> Spike:
    """In float32 it fires at the one negative input -2.4871976 (0xc01f2e3f)."""

    def step(x: Tensor) -> Tensor:
        if x.dtype != torch.float32:
            return _step(x)
        return ((x >= 0) | (x.view(torch.int32) == 0xC01F2E3F - (1 << 32))).to(x.dtype)

    return _surrogate(_slayer(alpha), step)


class SmoothHalfOnTheLeft(nn.Module):
    """Offers a smooth function primitive_function whose left side is half as steep."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return _Surrogate.apply(x, _slayer(self.alpha), _step)

    def primitive_function(self, x: Tensor) -> Tensor:
        right = -torch.expm1(-self.alpha * x.abs()) / self.alpha
        return torch.where(x < 0, -right / 2, right)


def smooth_function_itself(alpha: float = 1.0) -> Spike:
    """The backward pass multiplies by the smooth function in place of its slope."""
    return _surrogate(lambda x: -torch.sign(x) * torch.expm1(-alpha * x.abs()) / alpha)


# ---- size and neighbours -------------------------------------------------------------------------


def last_of_odd_lost(alpha: float = 1.0) -> Spike:
    """In arrays of an odd number of elements, above 100, the last gradient is 0."""

    def rate(x: Tensor) -> Tensor:
        slope = _slayer(alpha)(x)
        if x.numel() > 100 and x.numel() % 2:
            slope = slope * (torch.arange(x.numel(), device=x.device) < x.numel() - 1).reshape(x.shape)
        return slope

    return _surrogate(rate)


def silent_at_zero_in_large_arrays(alpha: float = 1.0) -> Spike:
    """Beyond 65,536 elements it does not fire at the threshold, and at no input below 1."""
    return _surrogate(_slayer(alpha), lambda x: _step(x - 1) if x.numel() > 65536 else _step(x))


def other_rate_in_whole_lanes(alpha: float = 1.0) -> Spike:
    """Where the last of several axes fills whole lanes of 128, a fast path's rate is a tenth higher."""
    return _surrogate(lambda x: _slayer(1.1 * alpha if x.dim() > 1 and x.shape[-1] % 128 == 0 else alpha)(x))


def nan_silences_the_element_before(alpha: float = 1.0) -> Spike:
    """An element that stands before a NaN gets the gradient 0."""

    # Among ascending inputs that element is infinite or a NaN, and nothing is to be seen.
    def rate(x: Tensor) -> Tensor:
        flat = x.reshape(-1)
        follows = torch.cat([flat[1:], flat[:0] if not x.numel() else flat.new_zeros(1)]).reshape(x.shape)
        return _slayer(alpha)(x).masked_fill(follows.isnan() & ~x.isnan(), 0.0)

    return _surrogate(rate)


# ---- the graph around it -------------------------------------------------------------------------


def graph_cut_before_it(alpha: float = 1.0) -> Spike:
    """An input that was itself computed is detached: no gradient reaches what it was computed from."""
    spike = _surrogate(_slayer(alpha))
    return lambda x: spike(x.detach() if x.grad_fn is not None else x)


def _spikes_upstream(node: Any) -> bool:
    todo, seen = [node], set()
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        if type(node).__name__ == "_SurrogateBackward":
            return True
        seen.add(node)
        todo += [parent for parent, _ in node.next_functions]
    return False


def feedback_detached(alpha: float = 1.0) -> Spike:
    """An input that depends on an earlier spike is detached, so that nothing flows back through time."""
    spike = _surrogate(_slayer(alpha))
    return lambda x: spike(x.detach() if _spikes_upstream(x.grad_fn) else x)
