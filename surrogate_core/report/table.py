"""A table of measured figures, and what several of them write alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from surrogate_core.engine import Result
from surrogate_core.report.verdict import State
from surrogate_core.report.words import decimal, number, setting, share

__all__ = ["BOUNDS", "Line", "Table", "bounds", "grade", "heads", "of_ulps"]


@dataclass(frozen=True)
class Line:
    """One row: what it is about, and its numbers.

    Attributes:
        rows: over how many rows, from this one on, the first head goes; 0 where an earlier row's does.
    """

    heads: tuple[str, ...]
    state: State
    cells: tuple[str, ...]
    rows: int = 1


@dataclass(frozen=True)
class Table:
    """A table; ``heads`` are the columns of row headers, ``columns`` those of numbers."""

    caption: str
    note: str
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def heads(result: Result, results: Sequence[Result]) -> tuple[str, ...]:
    """Format and parameters, the device with the format where there are several."""
    several = len({r.device for r in results if r.property_id == result.property_id}) > 1
    return (f"{result.dtype} on {result.device}" if several else result.dtype, setting(result.parameters))


def of_ulps(value: Any) -> str:
    """An error in ulp."""
    text = number(value)
    # The line between correctly rounded and faithful runs here, so rounding must not blur it.
    return "> 0.5" if text == "0.5" and (decimal(value) or 0) > 0.5 else text


BOUNDS = ("Within the bound", "Out of bound")
"""The columns of :func:`bounds`."""


def bounds(normal: Any, outside: Any) -> tuple[str, str]:
    """The shares of ``normal`` gradients that are within their bound, and out of it."""
    of, out = decimal(normal), decimal(outside)
    if not of or out is None:
        return "–", "–"
    return share((of - out) / of), share(out / of)


def grade(ulps: float, out_of_bound: bool) -> str:
    """What the largest error makes of a gradient, in words."""
    if out_of_bound:
        return "out of bound"
    return "correctly rounded" if ulps <= 0.5 else "faithful" if ulps < 1 else "within the bound"
