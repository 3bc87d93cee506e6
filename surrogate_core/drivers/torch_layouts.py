"""Layouts in memory, of the input of a spike function and of the cotangent that arrives in its backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["LAYOUTS"]


def _transposed(a: torch.Tensor) -> torch.Tensor:
    # The same values, their first axis the fastest in memory.
    return a.movedim(0, -1).contiguous().movedim(-1, 0) if a.ndim else a


def _sliced(a: torch.Tensor) -> torch.Tensor:
    # Not from the start of the storage, where other values lie whose gradient is another one.
    return torch.stack([a + 1, a], -1)[..., 1]


def _channels_last(a: torch.Tensor) -> torch.Tensor:
    return a.contiguous(memory_format=torch.channels_last) if a.ndim == 4 else a


def _input(laid_out: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return lambda function: lambda x: function(laid_out(x))


def _arriving(laid_out: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, cotangent: function(x, laid_out(torch.ones_like(x) if cotangent is None else cotangent))

    return wrapped


def _expanded(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    # Three copies of every element at one place in memory; the first of them is kept.
    return lambda x: function(x[..., None].expand(*x.shape, 3))[..., 0]


LAYOUTS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "transposed": _input(_transposed),
    "sliced": _input(_sliced),
    "expanded": _expanded,
    "channels_last": _input(_channels_last),
    "transposed cotangent": _arriving(_transposed),
    "sliced cotangent": _arriving(_sliced),
    "expanded cotangent": _arriving(lambda cotangent: cotangent.flatten()[0].expand(cotangent.shape)),
    "repeated cotangent": _arriving(lambda cotangent: cotangent[:1].expand(cotangent.shape)),
}
"""Transformation -> the function, or the operation, as it is called with what is laid out so."""
