"""Numbers in words: nine digits, or as many more as tell a number from what it must not be taken for."""

from __future__ import annotations

import math
from typing import Any

from surrogate_core.spec.formats import Format

__all__ = ["as_decimal", "in_format", "near", "plus_minus"]

FEWEST, MOST = 9, 17
"""Nine digits tell any two numbers of float32 apart, seventeen any two of float64."""

SHARE = 16
"""What the digits leave out is at the most this part of what is allowed, so that the reader judges as the judge did."""

FINEST = 8
"""And of a number of a format, this part of half the distance to its neighbour, which nine digits of float32 reach."""


def as_decimal(value: float, within: float = 0.0) -> str:
    """``value`` in nine digits, or in as many more as come within ``within`` of it: all that a float64 has for 0."""
    number = float(value)
    for digits in range(FEWEST, MOST):
        text = f"{number:.{digits}g}"
        if not math.isfinite(number) or abs(float(text) - number) <= within:
            return text
    return f"{number:.{MOST}g}"


def in_format(value: Any, fmt: Format) -> str:
    """``value``, a number of any type, in as many digits as tell it from its neighbours in a format."""
    return as_decimal(float(value), _finest(value, fmt))


def near(value: float, allowed: float) -> str:
    """``value`` in as many digits as tell it from one that differs by more than is allowed."""
    return as_decimal(value, allowed / SHARE)


def plus_minus(value: float, allowed: float, fmt: Format | None = None) -> str:
    """What is allowed around ``value``, no finer than a format's numbers lie: ``0.5 ± 1e-16``, ``NaN``, ``inf``."""
    if not math.isfinite(value):
        # An infinity has no surroundings, and NaN no distance from anything.
        return "NaN" if math.isnan(value) else f"{value:g}"
    finest = _finest(value, fmt) if fmt else 0.0
    return f"{as_decimal(value, max(allowed / SHARE, finest))} ± {allowed:.3g}"


def _finest(value: Any, fmt: Format) -> float:
    return fmt.unit_roundoff * abs(float(value)) / FINEST
