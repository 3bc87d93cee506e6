"""Versions of the packages that a result depends on."""

from __future__ import annotations

import functools
import importlib.metadata

__all__ = ["packages"]

NAMES = ("surrogate_core", "jax", "jaxlib", "torch", "numpy", "ml_dtypes", "sympy", "mpmath", "gmpy2", "scipy")


@functools.cache
def packages() -> dict[str, str]:
    """Name -> version, of those that are installed."""
    found: dict[str, str] = {}
    for name in NAMES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
