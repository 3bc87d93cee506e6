"""Drawing: the gradient over its spec, and the logarithm of it. What is drawn comes in; nothing is computed here."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from surrogate_core.report import svg
from surrogate_core.report.words import number

__all__ = ["decay", "gradient"]

INCHES = (440 / 72, 250 / 72)
FRAME = 1.5
"""How many heights of the spec a plot shows above and below it, before it cuts a wild measurement off."""

Numbers = Sequence[float | None]


def gradient(name: str, title: str, description: str, x: Numbers, measured: Numbers, expected: Numbers) -> Markup:
    """Measured gradient as dots over the spec as a band."""
    with svg.style():
        figure, axes = _axes("input x, distance to the threshold", "gradient g′(x)")
        axes.plot(_array(x), _array(expected), color=svg.ROLES["spec"], linewidth=6, solid_joinstyle="round")
        _dots(axes, _array(x), _array(measured))
        _frame(axes, _array(expected))
        axes.xaxis.set_major_locator(MaxNLocator(7))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
        return svg.inline(figure, name, title, description)


Line = tuple[float, float]
"""Intercept and slope of a line in log g' against the distance from the threshold."""


def decay(
    name: str, title: str, description: str, sides: Sequence[tuple[int, Numbers, Numbers, Line]], claimed: Line
) -> Markup:
    """Measured points, the fitted line and the claimed one; a side is (sign of x, distances, logs, fit)."""
    with svg.style():
        figure, axes = _axes("input x, distance to the threshold", "gradient g′(x), log scale")
        reach = {sign: np.array([0, np.nanmax(_array(far))]) for sign, far, _, _ in sides}
        for sign, ends in reach.items():
            axes.plot(sign * ends, _exp(claimed[0] + claimed[1] * ends), color=svg.ROLES["spec"], linewidth=6)
        for sign, _, _, (at_zero, slope) in sides:
            fitted = _exp(at_zero + slope * reach[sign])
            axes.plot(sign * reach[sign], fitted, color=svg.ROLES["fitted"], linewidth=1.2)
        for sign, far, logs, _ in sides:
            _dots(axes, sign * _array(far), _exp(_array(logs)))
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(FixedLocator([10.0**e for e in _decades(*axes.get_ylim())]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v).rpartition("×")[2].strip()))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_locator(MaxNLocator(7))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
        return svg.inline(figure, name, title, description)


def _exp(logs: np.ndarray) -> np.ndarray:
    """``exp``, kept within what a logarithmic axis can show."""
    return np.exp(np.clip(logs, -700, 700))


def _decades(low: float, high: float) -> list[int]:
    """Four to eight round powers of ten between two numbers, 0 among them where it lies between."""
    bottom, top = math.ceil(math.log10(low)), math.floor(math.log10(high))
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if (top - bottom) / step <= 7)
    return list(range(-step * (-bottom // step), top + 1, step))


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=INCHES, dpi=72, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes


def _array(values: Numbers) -> np.ndarray:
    return np.array([math.nan if v is None else v for v in values], dtype=np.float64)


def _dots(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    # Segments without length and with round ends: one path for all dots, a tenth of the bytes of markers.
    gaps = np.full_like(x, np.nan)
    points = np.column_stack([x, x, gaps]).ravel(), np.column_stack([y, y, gaps]).ravel()
    axes.plot(*points, color=svg.ROLES["measured"], linewidth=3, solid_capstyle="round")


def _frame(axes: Axes, expected: np.ndarray) -> None:
    """Keep the spec in sight, however far the measured values run away."""
    low, high = min(np.nanmin(expected), 0), max(np.nanmax(expected), 0)
    height = (high - low) or 1.0
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, low - FRAME * height), min(top, high + FRAME * height))
