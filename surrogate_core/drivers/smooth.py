"""The smooth function that an implementation offers beside its spikes: the one whose derivative it trains with."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from surrogate_core.drivers.base import Unsupported

__all__ = ["DEFINITION", "smooth"]

NAMES = ("smooth", "surrogate_fun", "primitive_function")
"""What libraries call it: nobody in particular, braintools, spikingjelly."""

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

DEFINITION = f"""
import inspect
def smooth(spike, x):
    f = next(getattr(spike, name) for name in {NAMES} if hasattr(spike, name))
    rest = [*inspect.signature(f).parameters.values()][1:]
    return f(x, *(getattr(spike, p.name) for p in rest if p.default is p.empty and p.kind <= 1))
"""
"""The same for a script."""


def smooth(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The smooth function of x alone.

    A static one takes the parameters after x; they are the implementation's attributes of the same names.

    Raises:
        Unsupported: there is none, also when it is called and answers that it is not implemented.
    """
    for name in NAMES:
        found = getattr(function, name, None)
        if callable(found) and (rest := _rest(function, found)) is not None:
            return _implemented(found, rest)
    raise Unsupported("a smooth function of its own: none is offered")


def _rest(function: Any, found: Callable[..., Any]) -> tuple[Any, ...] | None:
    """What ``found`` takes after x, ``None`` where the implementation has no such attributes."""
    try:
        rest = [*inspect.signature(found).parameters.values()][1:]
    except (TypeError, ValueError):
        return ()  # compiled functions have no signature
    try:
        return tuple(getattr(function, p.name) for p in rest if p.default is p.empty and p.kind in POSITIONAL)
    except AttributeError:
        return None


def _implemented(found: Callable[..., Any], rest: tuple[Any, ...]) -> Callable[[Any], Any]:
    def evaluated(x: Any) -> Any:
        try:
            return found(x, *rest)
        except NotImplementedError as error:
            raise Unsupported("a smooth function of its own: not implemented") from error

    return evaluated
