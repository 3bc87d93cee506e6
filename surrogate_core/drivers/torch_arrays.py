"""NumPy's arrays as PyTorch's tensors, and back."""

from __future__ import annotations

import numpy as np
import torch

from surrogate_core.spec.formats import FORMATS

__all__ = ["bits_of", "to_array", "to_tensor"]


def to_tensor(array: np.ndarray, place: str) -> torch.Tensor:
    """The same numbers as a tensor, in that place."""
    # NumPy has no bfloat16 of its own, so every value travels as its bits.
    bits = bits_of(np.ascontiguousarray(array))
    return torch.from_numpy(bits.copy()).view(getattr(torch, array.dtype.name)).reshape(array.shape).to(place)


def to_array(tensor: torch.Tensor) -> np.ndarray:
    """The same numbers as an array of its own, without a graph: the tensor's owner may write to it later."""
    tensor = tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
    if tensor.dtype is torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(FORMATS["bfloat16"].dtype)
    return tensor.numpy()


def bits_of(array: np.ndarray) -> np.ndarray:
    """The bit patterns, as integers of the numbers' size."""
    return array.view(f"int{8 * array.dtype.itemsize}")
