"""Drawing small plots that stand side by side. What is drawn comes in; nothing is computed here."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from surrogate_core.report import svg
from surrogate_core.report.words import number, superscript

__all__ = ["Line", "Numbers", "Stretch", "decay", "gradient", "histogram", "levels", "profile", "ratios", "trend"]

WIDTH, HEIGHT = 300, 196
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 26, 38
"""Pixels round the axes: the same for every plot, so that plots side by side share their lines."""

FRAME = 1.5
"""How many heights of the spec a plot shows above and below it, before it cuts a wild measurement off."""

SMALLEST_ULP = 0.1
"""The foot of a logarithmic scale of errors: whatever is smaller stands on it."""

LARGEST_ULP = 1e30
"""Its head: what is larger is wrong by any measure."""

ZERO, GAP = 0.12, 0.55
"""Where +0 and the smallest number stand on an axis on which a whole side of a format is 1 wide."""

Numbers = Sequence[float | None]
Line = tuple[float, float]
"""Intercept and slope of a line in log g' against the distance from the threshold."""
Stretch = tuple[float, float, float]
"""First x, last x, and the value of the spikes from the one to the other."""


def gradient(name: str, title: str, description: str, x: Numbers, measured: Numbers, expected: Numbers) -> Markup:
    """Measured gradient as dots over the spec as a band."""
    return svg.named(_gradient(tuple(x), tuple(measured), tuple(expected)), name, title, description)


@functools.lru_cache(maxsize=4)  # a library's class and its function, which come together, have the same
def _gradient(x: Numbers, measured: Numbers, expected: Numbers) -> str:
    with svg.style():
        figure, axes = _axes("input x", "gradient g′(x)")
        axes.plot(_array(x), _array(expected), color=svg.ROLES["spec"], linewidth=5, solid_joinstyle="round")
        _dots(axes, _array(x), _array(measured))
        if not _frame(axes, _array(expected)):
            _unclipped(axes)
        _ticks(axes, 5)
        return svg.drawn(figure)


def decay(
    name: str, title: str, description: str, sides: Sequence[tuple[int, Numbers, Numbers, Line]], claimed: Line
) -> Markup:
    """Measured points, the fitted line and the claimed one; a side is (sign of x, distances, logs, fit)."""
    with svg.style():
        figure, axes = _axes("input x", "gradient g′(x), log scale")
        reach = {sign: np.array([0, np.nanmax(_array(far))]) for sign, far, _, _ in sides}
        for sign, ends in reach.items():
            axes.plot(sign * ends, _exp(claimed[0] + claimed[1] * ends), color=svg.ROLES["spec"], linewidth=5)
        for sign, _, _, (at_zero, slope) in sides:
            fitted = _exp(at_zero + slope * reach[sign])
            axes.plot(sign * reach[sign], fitted, color=svg.ROLES["fitted"], linewidth=1.2)
        for sign, far, logs, _ in sides:
            _dots(axes, sign * _array(far), _exp(_array(logs)))
        _powers_of_ten(axes, 5)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
        _unclipped(axes)
        return svg.inline(figure, name, title, description)


def levels(
    name: str, title: str, description: str, declared: Sequence[Stretch], measured: Sequence[Stretch], ulp: float
) -> Markup:
    """Spikes over the whole format: a logarithmic scale on either side, that ends at ``ulp``, the smallest number.

    Between these ends, -0 and +0 stand side by side.
    """
    farthest = max(2 * ulp, *(abs(v) for first, last, _ in measured for v in (first, last)))
    decades = math.log10(farthest) - math.log10(ulp)

    def place(x: float) -> float:
        distance = ZERO if x == 0 else GAP + (math.log10(abs(x)) - math.log10(ulp)) / decades
        return math.copysign(distance, x)

    with svg.style():
        figure, axes = _axes(f"input x, log scale down to ±{number(ulp, 2)}", "spike")
        for first, last, value in declared:
            ends = [place(first), place(last)]
            axes.plot(ends, [value, value], color=svg.ROLES["spec"], linewidth=7, solid_capstyle="projecting")
        for first, last, value in measured:
            ends = [place(first), place(last)]
            axes.plot(ends, [value, value], color=svg.ROLES["fitted"], linewidth=1.2)
            _dots(axes, np.array(ends), np.array([value, value]), 5)
        low, high = axes.get_ylim()
        axes.set_ylim(low - 0.15 * (high - low), high + 0.15 * (high - low))
        ticks = {place(-1): number(-1), 0.0: "±0", place(1): "1"}
        axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: ticks.get(v, "")))
        axes.yaxis.set_major_locator(FixedLocator(sorted({v for *_, v in (*declared, *measured)})))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
        _unclipped(axes)
        return svg.inline(figure, name, title, description)


def profile(
    name: str, title: str, description: str, exponents: Sequence[int], columns: tuple[Numbers, Numbers, Numbers]
) -> Markup:
    """Error in ulp by exponent of x on both sides, under the derived bound; ``columns`` are right, left, bound.

    Every range of x is as wide as any other, also one in which many exponents are alike: all of a format are in sight.
    """
    with svg.style():
        figure, axes = _axes("distance |x|, all exponents", "error in ulp, log scale")
        right, left, bound = (_floored(column) for column in columns)
        edges = np.arange(len(exponents))
        axes.stairs(bound, edges, baseline=None, color=svg.ROLES["spec"], linewidth=4)
        axes.stairs(right, edges, baseline=None, color=svg.ROLES["measured"], linewidth=1.8)
        axes.stairs(left, edges, baseline=None, color=svg.ROLES["other"], linewidth=1.8, linestyle=(0, (3, 2)))
        _powers_of_ten(axes, 4)
        axes.set_ylim(bottom=SMALLEST_ULP * 0.8)
        axes.set_xlim(0, edges[-1])
        shown = sorted({round(share * edges[-1]) for share in (0, 0.25, 0.5, 0.75, 1)})
        axes.xaxis.set_major_locator(FixedLocator(shown))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _power(2, exponents[int(v)])))
        return svg.inline(figure, name, title, description)


def histogram(name: str, title: str, description: str, edges: Sequence[float], counts: Sequence[float]) -> Markup:
    """Inputs by their error in ulp; the last bin is open."""
    with svg.style():
        figure, axes = _axes("error in ulp", "inputs, log scale")
        places = np.arange(len(counts))
        axes.bar(places, np.maximum(counts, 0.5), 0.86, bottom=0.5, color=svg.ROLES["measured"], linewidth=0)
        axes.set_yscale("log")
        _powers_of_ten(axes, 4)
        axes.set_ylim(bottom=0.5)
        axes.set_xlim(-0.6, len(counts) - 0.4)
        words = [f"≤ {number(edge)}" if not at else number(edge) for at, edge in enumerate(edges[1:])]
        words = [*words, "∞"][: len(counts)]
        axes.xaxis.set_major_locator(FixedLocator(places.tolist()))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: words[int(v)]))
        return svg.inline(figure, name, title, description)


def ratios(
    name: str,
    title: str,
    description: str,
    labels: Sequence[str],
    values: Sequence[tuple[float, float, float]],
    limits: tuple[float, float],
) -> Markup:
    """Ratios (value, low, high), one a row, each with its label; what is beyond the limits stands at the edge."""
    row, left = 20, 300
    height = TOP + BOTTOM + row * len(labels)
    width = left + WIDTH
    with svg.style():
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        axes = figure.add_axes((left / width, BOTTOM / height, 1 - (left + RIGHT) / width, row * len(labels) / height))
        axes.set_xlabel("ratio, log scale; left of 1 is faster than the bare operation", labelpad=5)
        low, high = (np.clip([v[side] for v in values], *limits) for side in (1, 2))
        places = np.arange(len(labels))[::-1]
        axes.set_xscale("log", base=2)
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        axes.axvline(1, color=svg.ROLES["spec"], linewidth=4)
        axes.hlines(places, low, high, color=svg.ROLES["measured"], linewidth=1.8)
        _dots(axes, np.clip([v[0] for v in values], *limits), places.astype(np.float64), 7)
        axes.set_xlim(limits[0] * 0.9, limits[1] * 1.1)
        axes.set_ylim(-0.6, len(labels) - 0.4)
        axes.yaxis.set_major_locator(FixedLocator(places.tolist()))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: labels[len(labels) - 1 - int(v)]))
        axes.xaxis.set_major_locator(FixedLocator([0.25, 0.5, 1, 2, 4, 8, 16, 32, 64]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        return svg.inline(figure, name, title, description)


def trend(
    name: str,
    title: str,
    description: str,
    ratios: Sequence[float],
    levels: Sequence[tuple[int, int, float, float]],
    noise: float,
    versions: Sequence[str],
) -> Markup:
    """Ratios run by run over their levels; ``noise`` is shaded about these, and new ``versions`` are named."""
    with svg.style():
        figure, axes = _axes("run, by version" if any(versions) else "run", "time over that of the bare operation")
        for first, last, start, end in levels:
            ends, at = np.array([first - 0.4, last + 0.4]), np.array([start, end])
            axes.fill_between(ends, at / (1 + noise), at * (1 + noise), color=svg.ROLES["line"], linewidth=0)
            axes.plot(ends, at, color=svg.ROLES["spec"], linewidth=3)
        _dots(axes, np.arange(len(ratios), dtype=np.float64), _array(ratios), 4)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v, 4)))
        low, high = axes.get_ylim()
        middle = (low + high) / 2
        # A steady series is not to look wild only because nothing else is there to be seen.
        half = max((high - low) / 2, 0.05 * middle)
        axes.set_ylim(middle - half, middle + half)
        if any(versions):
            _versions(axes, versions)
        else:
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: str(int(v) + 1)))
        _unclipped(axes)
        return svg.inline(figure, name, title, description)


def _versions(axes: Axes, versions: Sequence[str]) -> None:
    """Name each version where it first comes, as far as there is room."""
    new = [at for at, version in enumerate(versions) if not at or version != versions[at - 1]]
    shown = new[:: max(1, math.ceil(len(new) / 5))]
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: versions[int(v)]))


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72)
    axes = figure.add_axes((LEFT / WIDTH, BOTTOM / HEIGHT, 1 - (LEFT + RIGHT) / WIDTH, 1 - (TOP + BOTTOM) / HEIGHT))
    axes.set_xlabel(x, labelpad=5)
    # Written level over the axis, where it is read without turning the head.
    figure.text(2 / WIDTH, 1 - 11 / HEIGHT, y)
    axes.margins(x=0.03)
    return figure, axes


def _array(values: Numbers) -> np.ndarray:
    return np.array([math.nan if v is None else v for v in values], dtype=np.float64)


def _floored(values: Numbers) -> np.ndarray:
    return np.clip(_array(values), SMALLEST_ULP, LARGEST_ULP)


def _exp(logs: np.ndarray) -> np.ndarray:
    """``exp``, kept within what a logarithmic axis can show."""
    return np.exp(np.clip(logs, -700, 700))


def _powers_of_ten(axes: Axes, most: int) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(FixedLocator([10.0**e for e in _decades(*axes.get_ylim(), most)]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _power(10, round(math.log10(v)))))
    axes.yaxis.set_minor_locator(NullLocator())


def _power(base: int, exponent: int) -> str:
    """``0.01`` to ``1000`` plain, the rest as a power."""
    if base == 10 and -2 <= exponent <= 3:
        return f"{10.0**exponent:g}"
    if base == 2 and -2 <= exponent <= 10:
        return f"{2.0**exponent:g}"
    return number(10.0**exponent).rpartition("×")[2].strip() if base == 10 else f"2{superscript(exponent)}"


def _decades(low: float, high: float, most: int) -> list[int]:
    """Up to ``most`` round powers of ten between two numbers, 0 among them where it lies between."""
    bottom, top = math.ceil(math.log10(low)), math.floor(math.log10(high))
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if (top - bottom) / step <= most)
    return list(range(-step * (-bottom // step), top + 1, step))


def _ticks(axes: Axes, most: int) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(most))
        axis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))


def _dots(axes: Axes, x: np.ndarray, y: np.ndarray, size: float = 2.6) -> None:
    # Segments without length and with round ends: one path for all dots, a tenth of the bytes of markers.
    gaps = np.full_like(x, np.nan)
    points = np.column_stack([x, x, gaps]).ravel(), np.column_stack([y, y, gaps]).ravel()
    axes.plot(*points, color=svg.ROLES["measured"], linewidth=size, solid_capstyle="round")


def _unclipped(axes: Axes) -> None:
    """Clip nothing, where all that is drawn lies within the axes: a tenth of the bytes of a plot."""
    for line in (*axes.lines, *axes.get_ygridlines()):
        line.set_clip_on(False)


def _frame(axes: Axes, expected: np.ndarray) -> bool:
    """Keep the spec in sight, however far the measured values run away; whether that cuts any of them off."""
    low, high = min(np.nanmin(expected), 0), max(np.nanmax(expected), 0)
    height = (high - low) or 1.0
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, low - FRAME * height), min(top, high + FRAME * height))
    return axes.get_ylim() != (bottom, top)
