from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from handmade import ALPHA

from surrogate_core.drivers import Request, Unsupported

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed: pip install 'surrogate_core[torch]'", allow_module_level=True)

import torch
from drivers.torch_made import New, Spike, X, agree, observe


@torch.library.custom_op("surrogate_tests::spike", mutates_args=())
def operator(x: torch.Tensor) -> torch.Tensor:
    return (x >= 0).to(x.dtype)


operator.register_autograd(
    lambda ctx, cotangent: cotangent * torch.exp(-ALPHA * ctx.saved_tensors[0].abs()),
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(inputs[0]),
)
operator.register_vmap(lambda info, in_dims, x: (operator(x), in_dims[0]))


@pytest.mark.parametrize("operation", ["jvp", "jacfwd"])
def test_the_silent_zero_of_an_operator_without_forward_mode_is_unsupported(operation: Any) -> None:
    agree(Request("vjp", X), operator)
    with pytest.raises(Unsupported, match=r"^forward mode: surrogate_tests::spike of torch.library has no rule"):
        observe(Request(operation, X), operator)


class Zero(New):
    """One whose rule for forward mode forgets the derivative."""

    @staticmethod
    def jvp(ctx: Any, *tangents: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(tangents[0])


class Calls(New):
    """One with a rule for forward mode, whose forward calls an operator."""

    @staticmethod
    def forward(x: torch.Tensor) -> torch.Tensor:
        return operator(x)


@pytest.mark.parametrize(
    "function",
    [
        Zero.apply,
        lambda x: Calls.apply(x if x.requires_grad else x.detach()),
        lambda x: operator(x) + 0 * x,
        lambda x: (x >= 0).to(x.dtype),
    ],
    ids=["a rule's zero", "a tangent cut off before the operator", "a tangent beside the operator", "no operator"],
)
def test_a_zero_that_a_surrogate_answers_by_itself_is_an_answer(function: Spike) -> None:
    np.testing.assert_array_equal(observe(Request("jvp", X), function).gradient, 0)
