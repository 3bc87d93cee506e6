"""Copies of a spike function: what training across processes, and every `deepcopy` of a network, makes of it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

from surrogate_core.drivers.base import Request, Unsupported

__all__ = ["COPIES", "copied"]

COPIES = ("deepcopy", "pickle")
"""Transformations that are applied to the implementation itself, before all others."""


def copied(function: Callable[[Any], Any], request: Request) -> Callable[[Any], Any]:
    """The spike function, or the copy of it that the request asks for.

    Raises:
        Unsupported: it cannot be pickled (a closure, a class inside a function).
    """
    for t in request.inner:
        if t.name == "deepcopy":
            function = copy.deepcopy(function)
        elif t.name == "pickle":
            try:
                stored = pickle.dumps(function)
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                raise Unsupported(f"pickling: {str(error).splitlines()[0]}") from error
            function = pickle.loads(stored)
    return function
