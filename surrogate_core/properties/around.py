"""Inputs around the threshold that every format holds exactly, and how far one answer there may be off."""

from __future__ import annotations

import numpy as np

from surrogate_core.properties.base import Case
from surrogate_core.spec import oracle
from surrogate_core.spec.expectation import Expectation
from surrogate_core.spec.oracle import expect

__all__ = ["around", "off", "reach", "scale"]

EIGHTHS = np.array([0, 1, 2, 3, 5, 7, 8, 9, 11, 13, 14, 17, 19])
"""Distances in eighths of the scale: five bits, where bfloat16 has eight. On both sides they are as many as small
inputs are elsewhere, since what was traced and compiled for one shape serves them all."""


def scale(case: Case) -> float:
    """A power of two near the width of g': at most the distance where it falls below a quarter of its peak.

    Far enough from the ends of the format that neither its 64th part nor its 64-fold is rounded.
    """
    half, expected, fmt = case.sweep.half, case.sweep.expected, case.format
    positive = case.sweep.exact[:half]
    high = np.isfinite(positive) & (np.abs(expected.gradient[:half]) >= expected.peak / 4)
    width = positive[high].max(initial=fmt.smallest_normal)
    # A g' that is high for ever, or again and again, has no width; where it changes its course is what there is to see.
    width = min(width, oracle.reach(case.spec, case.parameters))
    exponent = int(np.frexp(width)[1]) - 1
    return 2.0 ** min(max(exponent, fmt.min_exponent + 6), fmt.max_exponent - 6)


def around(case: Case) -> np.ndarray:
    """Distinct inputs of both signs within a few widths of the threshold, 0 the first of them."""
    positive = EIGHTHS * scale(case) / 8
    return np.concatenate([positive, -positive[1:]]).astype(case.format.dtype)


def off(case: Case, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(slack, expected gradient) at ``x`` for one answer."""
    expected = expect(case.spec, case.parameters, case.format, np.asarray(x, np.float64).reshape(-1))
    return reach(expected).reshape(np.shape(x)), expected.gradient.reshape(np.shape(x))


def reach(expected: Expectation) -> np.ndarray:
    """How far one answer may be from the expected gradient.

    By B, or near a breakpoint as far as its other side; by f more where it may be flushed, which that other side
    may be too; and by what float64 cannot hold of the expectation, which is no error of the answer.
    """
    flushed = np.where(expected.flushed | expected.near, expected.floor, 0.0)
    return expected.slack + np.abs(expected.rest) + flushed
