"""Where PyTorch answers 0 in forward mode and says nothing: operators of ``torch.library``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd import forward_ad
from torch.utils._python_dispatch import TorchDispatchMode

from surrogate_core.drivers.base import Unsupported

__all__ = ["tell_of_silence"]


class _Watched(TorchDispatchMode):
    """Notes the operators, other than PyTorch's own, that forward mode comes to."""

    def __init__(self) -> None:
        super().__init__()
        self.operators: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        # Within an autograd.Function, whose own rule answers forward mode, it is switched off.
        if getattr(func, "namespace", "aten") not in ("aten", "prim", "prims") and torch._C._is_fwd_grad_enabled():
            self.operators.add(func.name())
        return func(*args, **(kwargs or {}))


def tell_of_silence(function: Callable[[Any], Any], x: torch.Tensor) -> None:
    """Raise :class:`Unsupported` where a tangent is lost in an operator of ``torch.library``.

    PyTorch has no forward mode of those, and answers 0 without a word. What a surrogate answers by itself, a zero too,
    is a tangent, and one that calls no such operator is judged by its zero.
    """
    with forward_ad.dual_level(), _Watched() as watched:
        value = function(forward_ad.make_dual(x.detach(), torch.ones_like(x)))
        lost = isinstance(value, torch.Tensor) and forward_ad.unpack_dual(value).tangent is None
    if lost and watched.operators:
        names = ", ".join(sorted(watched.operators))
        raise Unsupported(
            f"forward mode: {names} of torch.library has no rule for it, and PyTorch answers 0 without a word"
        )
