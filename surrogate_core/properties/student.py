"""Student's t distribution for whole degrees of freedom, without scipy, which takes longer to import than to judge."""

from __future__ import annotations

import functools
import math

import numpy as np

__all__ = ["quantile"]


@functools.cache
def quantile(freedom: int, share: float) -> float:
    """The t beyond which, to both sides together, ``1 - share`` of the distribution lies.

    As sought for as float64 goes, in the closed form for whole degrees of ``freedom`` (Abramowitz and Stegun, 26.7.3
    and 26.7.4), by halving the angle whose tangent is t over the square root of ``freedom``.
    """
    low, high = 0.0, math.pi / 2
    while low < (middle := (low + high) / 2) < high:
        if _within(freedom, middle) < share:
            low = middle
        else:
            high = middle
    return math.tan(high) * math.sqrt(freedom)


def _within(freedom: int, angle: float) -> float:
    """The share of the distribution between -t and t."""
    sine, cosine = math.sin(angle), math.cos(angle)
    k = np.arange(1 + freedom % 2, freedom - 2, 2)
    terms = np.cumprod(np.concatenate([[1.0], cosine**2 * k / (k + 1)]))
    if freedom % 2 == 0:
        return sine * float(terms.sum())
    beyond_one = sine * cosine * float(terms.sum()) if freedom > 1 else 0.0
    return 2 / math.pi * (angle + beyond_one)
