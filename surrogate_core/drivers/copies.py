"""Copies of a spike function: what training across processes, and every `deepcopy` of a network, makes of it."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

from surrogate_core.drivers.base import Request, Unsupported

__all__ = ["COPIES", "Uncopied", "copied"]

COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda function: pickle.loads(pickle.dumps(function)),
}
"""Transformations that are applied to the implementation itself, before all others."""

FUNCTIONS = ("builtins", "functools", "jax", "jaxlib")
"""Packages whose callables are functions, which a network holds but nobody expects to be data."""


class Uncopied(Unsupported):
    """A spike function cannot be copied.

    Attributes:
        instance: whether it is an instance of a class, as a module is, and no bare function.
    """

    def __init__(self, message: str, *, instance: bool = False) -> None:
        super().__init__(message)
        self.instance = instance


def copied(function: Callable[[Any], Any], request: Request) -> Callable[[Any], Any]:
    """The spike function, or the copy of it that the request asks for.

    Raises:
        Uncopied: there is no copy of that kind (of a closure, of JAX' custom_vjp, of a tensor within a graph).
    """
    for t in request.inner:
        if t.name in COPIES:
            try:
                function = COPIES[t.name](function)
            except Exception as error:  # every type refuses in its own words
                raise _uncopied(t.name, type(function), error) from error
    return function


def _uncopied(name: str, kind: type, error: Exception) -> Uncopied:
    instance = kind.__module__.partition(".")[0] not in FUNCTIONS
    what = f"an instance of {kind.__qualname__}" if instance else "the function"
    # Where an object lies says nothing, and differs from run to run.
    reason = re.sub(r" at 0x[0-9a-f]+", "", " ".join(str(error).split()))
    return Uncopied(f"{name} of {what}: {type(error).__name__}: {reason}", instance=instance)
