from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from surrogate_core.drivers import Request, Transform

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed: pip install 'surrogate_core[torch]'", allow_module_level=True)

import torch
from drivers.torch_made import CUBE, HYPER, WEIGHTS, New, Old, Spike, X, agree, observe, seen_by


def test_each_layout_is_what_its_name_says() -> None:
    def layout(x: torch.Tensor) -> tuple[Any, ...]:
        return (*x.stride()[:3], x.storage_offset(), x.is_contiguous())

    assert seen_by(layout) == (12, 4, 1, 0, True)
    assert seen_by(layout, "transposed") == (1, 8, 2, 0, False)
    assert seen_by(layout, "sliced") == (24, 8, 2, 1, False)
    assert seen_by(layout, "expanded") == (12, 4, 1, 0, False)
    assert seen_by(lambda x: x.stride()[-1], "expanded") == 0


def test_channels_last_is_a_layout_of_four_axes() -> None:
    seen: list[bool] = []

    def spike(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.is_contiguous(memory_format=torch.channels_last))
        return New.apply(x)

    agree(Request("vjp", HYPER, inner=(Transform("channels_last"),)), spike)
    assert seen == [True]


def arriving(*names: Any, loss: Spike | None = None) -> tuple[Any, ...]:
    """Strides and offset of what arrives in the backward pass: under transformations, or from a loss."""
    seen: list[Any] = []

    class Watched(Old):
        @staticmethod
        def backward(ctx: Any, *cotangents: torch.Tensor) -> torch.Tensor:
            seen.append((cotangents[0].stride(), cotangents[0].storage_offset()))
            return Old.backward(ctx, *cotangents)

    if loss is None:
        observe(Request("vjp", CUBE, direction=WEIGHTS, outer=tuple(map(Transform, names))), Watched.apply)
    else:
        loss(Watched.apply(torch.from_numpy(CUBE).requires_grad_())).backward()
    return seen[0]


@pytest.mark.parametrize(
    ("name", "loss", "strides", "offset"),
    [
        ("expanded cotangent", lambda y: 3 * y.sum(), (0, 0, 0), 0),
        ("repeated cotangent", lambda y: ((y.sum(0) - 2) ** 2).sum(), (0, 4, 1), 0),
        ("transposed cotangent", lambda y: y.movedim(0, -1).flatten() @ torch.arange(24.0), (1, 8, 2), 0),
        (
            "sliced cotangent",
            lambda y: torch.stack([1 - y.detach(), y], -1).flatten() @ torch.arange(48.0),
            (24, 8, 2),
            1,
        ),
    ],
)
def test_each_layout_of_a_cotangent_is_one_that_a_loss_sends_back(
    name: str, loss: Spike, strides: tuple[int, ...], offset: int
) -> None:
    assert arriving() == ((12, 4, 1), 0)
    assert arriving(name) == arriving(loss=loss) == (strides, offset)


@pytest.mark.parametrize("x", [CUBE, X, np.array(0.5, np.float32), X[:0]], ids=lambda x: str(x.shape))
def test_the_layout_of_a_cotangent_changes_no_answer_of_any_function(x: np.ndarray) -> None:
    for name in ("transposed cotangent", "sliced cotangent"):
        for function in (New.apply, Old.apply):
            agree(Request("vjp", x, direction=np.resize(WEIGHTS, x.shape), outer=(Transform(name),)), function)
            agree(Request("vjp", x, outer=(Transform(name),)), function)


@pytest.mark.parametrize(
    ("name", "held"), [("expanded cotangent", WEIGHTS[:1, :1, :1]), ("repeated cotangent", WEIGHTS[:1])]
)
def test_an_expanded_cotangent_repeats_its_first_number_and_a_repeated_one_its_first_row(
    name: Any, held: np.ndarray
) -> None:
    found = observe(Request("vjp", CUBE, direction=WEIGHTS, outer=(Transform(name),)), Old.apply)
    contiguous = Request("vjp", CUBE, direction=np.broadcast_to(held, CUBE.shape).copy())
    agree(contiguous, Old.apply)
    # The same products of the same numbers.
    np.testing.assert_array_equal(found.gradient, observe(contiguous, Old.apply).gradient)


def test_beside_a_slice_lie_values_of_another_gradient() -> None:
    beside = seen_by(lambda x: x.as_strided(x.shape, x.stride(), 0).clone(), "sliced").numpy()
    assert (np.abs(beside) != np.abs(CUBE)).all()
