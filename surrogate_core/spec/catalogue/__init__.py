"""The catalogue of specs: one family a file. A name on the command line is looked up here."""

from __future__ import annotations

import functools
import importlib

from surrogate_core.errors import BadInput, near_misses
from surrogate_core.spec.model import Spec

__all__ = ["get_spec", "spec_names"]

_FAMILIES = {"slayer": ("slayer", "SLAYER")}
"""Spec name -> (module in this package, attribute): listing the names builds no formula."""


def spec_names() -> tuple[str, ...]:
    """The names of all specs, sorted."""
    return tuple(sorted(_FAMILIES))


@functools.cache
def get_spec(name: str) -> Spec:
    """The spec called ``name``; raises :class:`BadInput` with near misses where there is none."""
    if name not in _FAMILIES:
        raise BadInput(f"spec {name!r}", f"one of {', '.join(spec_names())}", near_misses(name, spec_names()))
    module, attribute = _FAMILIES[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
