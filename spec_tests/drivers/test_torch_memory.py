# Whose memory it is: arguments and earlier answers belong to the caller, observations to the harness.
from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from surrogate_core.drivers import Request

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed: pip install 'surrogate_core[torch]'", allow_module_level=True)

import torch
from drivers.torch_made import X, in_one_buffer, observe


class Writing(torch.autograd.Function):
    """Writes to the input in one pass and to the cotangent in the other, as it is told."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, where: str) -> torch.Tensor:
        ctx.where = where
        ctx.save_for_backward(x)
        spikes = (x >= 0).to(x.dtype)
        if "forward" in where:
            x.clamp_(-1, 1)
        return spikes

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> tuple[torch.Tensor, None]:
        if "backward" in ctx.where:
            ctx.saved_tensors[0].detach().abs_()
        return (cotangents[0].mul_(2) if "cotangent" in ctx.where else cotangents[0] * 2), None


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("nowhere", ()),
        ("forward", ("x was written to",)),
        ("backward", ("x was written to",)),
        ("cotangent", ("the cotangent was written to",)),
        ("forward and cotangent", ("x was written to", "the cotangent was written to")),
    ],
)
def test_a_write_to_an_argument_is_seen(where: str, told: tuple[str, ...]) -> None:
    request = Request("vjp", X, direction=2 * X)
    assert observe(request, lambda x: Writing.apply(x, where)).touched == told


@pytest.mark.parametrize("what", ["nothing", "spikes", "gradient"])
def test_what_was_observed_stays_as_it_was_whatever_is_called_later(what: str) -> None:
    spike = in_one_buffer(what)
    found = observe(Request("vjp", X), spike)
    value, gradient = found.value.copy(), found.gradient.copy()
    observe(Request("vjp", -2 * X), spike)
    assert np.array_equal(found.value, value)
    assert np.array_equal(found.gradient, gradient)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("nothing", ()),
        ("spikes", ("the output of an earlier call was written to",)),
        ("gradient", ("the gradient of an earlier call was written to",)),
    ],
)
def test_a_write_to_an_earlier_answer_is_seen(what: str, told: tuple[str, ...]) -> None:
    found = observe(Request("vjp", -2 * X, direction=X, warm=X), in_one_buffer(what))
    assert found.touched == told
    assert np.array_equal(found.value, (-2 * X >= 0).astype(np.float32))


def test_a_write_that_turns_a_zeros_sign_is_seen_and_one_of_the_same_bits_is_not() -> None:
    assert observe(Request("value", X), lambda x: x.add_(0.0)).touched == ("x was written to",)
    nan = np.array([np.nan, 1.0], np.float32)
    assert observe(Request("value", nan), lambda x: x.mul_(1.0)).touched == ()
