"""Plots with what belongs to them: a title that says the point, a description, the plotted numbers.

One function a kind of plot, each from one stored result to a :class:`Chart`, or ``None`` where the result holds
no figures of that kind. Of lists of points every ``thin``-th is shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from surrogate_core.engine import Result
from surrogate_core.properties.outcome import Failed, Passed
from surrogate_core.report import plots
from surrogate_core.report.evidence import figures
from surrogate_core.report.words import below, clip, count, decimal, number, off, plural, setting

__all__ = ["Chart", "accuracy", "decay", "gradient", "histogram", "kept", "spikes"]

SIDES = (("right", 1), ("left", -1))

UNTOLD = 160
"""Characters of a reason why there is no plot."""


@dataclass(frozen=True)
class Chart:
    """One plot.

    Attributes:
        label: what tells it from the plots beside it: a parameter setting, a format.
        title: its point, in one sentence.
        kept: whether the promise it illustrates was kept; ``None`` where it was not judged.
        svg: the drawing; empty where there is nothing to draw, and the title says why.
        columns: heads of the table of numbers.
        rows: its rows.
    """

    label: str
    title: str
    kept: bool | None
    svg: Markup | str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def kept(result: Result) -> bool | None:
    """Whether the promise was kept; ``None`` where it was not judged."""
    state = result.outcome.state
    return True if isinstance(result.outcome, Passed) else False if state in ("failed", "errored") else None


def _numbers(values: Any) -> list[float | None]:
    """A stored list of numbers, with ``None`` for what is no finite number."""
    return [_finite(v) for v in values] if isinstance(values, list) else []


def _finite(value: Any) -> float | None:
    v = decimal(value)
    return v if v is not None and math.isfinite(v) else None


def _undrawn(result: Result, what: str) -> Chart:
    outcome = result.outcome
    told = f"at {outcome.given} it is {outcome.measured}" if isinstance(outcome, Failed) else ""
    told = told or getattr(outcome, "message", "") or getattr(outcome, "reason", "")
    told = told or getattr(outcome, "capability", "") or "the result holds no figures"
    return Chart(setting(result.parameters), f"No {what}: {clip(told, UNTOLD)}", kept(result))


# ---- the pseudo-derivative over its spec -----------------------------------------------------------


def gradient(result: Result, name: str, thin: int = 1) -> Chart:
    """The measured gradient over the declared one, round the threshold."""
    measured, curve = figures(result), figures(result).get("curve")
    stored = curve if isinstance(curve, Mapping) else {}
    columns = [_numbers(stored.get(key))[::thin] for key in ("x", "measured", "expected")]
    if len({len(c) for c in columns}) != 1 or not any(v is not None for v in columns[2]):
        return _undrawn(result, "curve")
    title = _gradient_title(result, measured)
    x = [v for v in columns[0] if v is not None]
    description = (
        f"{result.dtype}: dots, the measured gradient at {plural(len(x), 'input')} from "
        f"{number(min(x))} to {number(max(x))}; band, the declared pseudo-derivative."
    )
    rows = tuple(tuple(number(v, 6) for v in row) for row in zip(*columns, strict=True))
    drawing = plots.gradient(name, f"{setting(result.parameters)}: {title}", description, *columns)
    heads = ("x", "measured g′(x)", "declared g′(x)")
    return Chart(setting(result.parameters), title, kept(result), drawing, heads, rows)


def _gradient_title(result: Result, measured: Mapping[str, Any]) -> str:
    if isinstance(result.outcome, Passed):
        return f"the gradient lies on its spec, at most {number(measured.get('max_ulp'))} ulp off"
    worst, given = (getattr(result.outcome, name, None) for name in ("severity", "given"))
    where = f" at {clip(given, UNTOLD)}" if given else ""
    size = f"; over all inputs it is {off(worst)}" if off(worst) else ""
    return f"the gradient leaves its spec{where}{size}"


# ---- log-linear decay ------------------------------------------------------------------------------


def decay(result: Result, name: str, thin: int = 1) -> Chart:
    """The logarithm of the gradient against its line."""
    fits = {side: fit for side, _ in SIDES if isinstance(fit := figures(result).get(side), Mapping)}
    claimed = _finite(figures(result).get("claimed_slope"))
    drawn = []
    for side, sign in SIDES:
        points = fits.get(side, {}).get("points")
        far, logs = (
            (_numbers(points.get(key)) for key in ("distance", "log")) if isinstance(points, Mapping) else ([], [])
        )
        far, logs = far[::thin], logs[::thin]
        line = _finite(fits.get(side, {}).get("intercept")), _finite(fits.get(side, {}).get("slope"))
        if len(far) != len(logs) or not far or None in far or None in line:
            continue
        drawn.append((sign, far, logs, line))
    if claimed is None or not drawn:
        return _undrawn(result, "line to fit")
    title = _decay_title(result, claimed, fits)
    at_zero = _finite(figures(result).get("claimed_intercept"))
    start = drawn[0][2][0] if at_zero is None else at_zero
    line = (drawn[0][3][0] if start is None else start, claimed)
    farthest = max(v for _, far, _, _ in drawn for v in far)
    description = (
        f"{result.dtype}: dots, the measured gradient out to a distance of {number(farthest)} on either side, on a "
        "logarithmic scale; thin line, the fitted one; band, the line of the claimed slope."
    )
    drawing = plots.decay(name, f"{setting(result.parameters)}: {title}", description, drawn, line)
    return Chart(setting(result.parameters), title, kept(result), drawing, *_decay_numbers(drawn, line))


def _decay_title(result: Result, claimed: float, fits: Mapping[str, Mapping[str, Any]]) -> str:
    def excess(side: str, key: str) -> float:
        fit = fits[side]
        off = (decimal(fit.get("slope")) or 0) - claimed if key == "slope" else decimal(fit.get("curvature")) or 0
        allowed = decimal(fit.get("allowed_slope_error" if key == "slope" else "allowed_curvature"))
        return abs(off) / allowed if allowed else math.inf

    kinds = [(excess(side, key), side, key) for side in fits for key in ("slope", "curvature")]
    ratio, side, key = max(kinds)
    if isinstance(result.outcome, Passed):
        worst = max(abs((decimal(fit.get("slope")) or 0) - claimed) for fit in fits.values())
        spread = max((_spread(fit) for fit in fits.values()), default=0.0)
        return (
            f"log g′ falls with slope {number(claimed, 6)} as claimed, to within {below(worst, 2)} "
            f"(95 % interval of the fit ± {below(spread, 2)})"
        )
    if ratio <= 1 or key == "curvature":
        return f"log g′ bends on the {side}: no straight line of slope {number(claimed, 6)}"
    return (
        f"log g′ falls with slope {number(fits[side].get('slope'), 6)} ± {below(_spread(fits[side]), 2)} on the "
        f"{side}, {number(claimed, 6)} is claimed"
    )


def _spread(fit: Mapping[str, Any]) -> float:
    """Half the 95 % interval of a fitted slope."""
    interval = _numbers(fit.get("interval"))
    low, high = interval if len(interval) == 2 else (None, None)
    return (high - low) / 2 if low is not None and high is not None else math.nan


def _decay_numbers(
    drawn: Sequence[Any], claimed: tuple[float, float]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """One row a distance where both sides were measured at the same ones, as they are; else one row a point."""

    def promised(distance: float) -> str:
        return number(claimed[0] + claimed[1] * distance, 6)

    if len(drawn) == 2 and drawn[0][1] == drawn[1][1]:
        (_, far, right, _), (_, _, left, _) = drawn
        columns = ("distance |x|", "log g′ on the right", "log g′ on the left", "claimed")
        return columns, tuple(
            (number(d, 6), number(r, 6), number(v, 6), promised(d)) for d, r, v in zip(far, right, left, strict=True)
        )
    points = [(sign * d, v, promised(d)) for sign, far, logs, _ in drawn for d, v in zip(far, logs, strict=True)]
    return ("x", "log g′", "claimed"), tuple((number(d, 6), number(v, 6), c) for d, v, c in points)


# ---- the forward step ------------------------------------------------------------------------------

SMALLEST = {"float16": 2.0**-24, "bfloat16": 2.0**-133, "float32": 2.0**-149, "float64": 2.0**-1074}
"""The smallest subnormal number of each format: one ulp at the threshold."""


def spikes(result: Result, name: str, thin: int = 1) -> Chart | None:
    """The spikes over the whole format, seen from both sides of the threshold down to the last number."""
    stored, ulp = figures(result).get("levels"), SMALLEST.get(result.dtype)
    if not isinstance(stored, Mapping) or ulp is None:
        return None
    declared, measured = (_stretches(stored.get(key)) for key in ("declared", "measured"))
    if not declared or not measured:
        return None
    title = _spikes_title(declared, measured, ulp)
    description = (
        f"{result.dtype}: dots and thin line, the measured spikes over the whole format; band, the declared ones. "
        f"One step at the threshold is {number(ulp)}, the smallest number; −0 and +0 stand side by side."
    )
    rows = tuple(
        (whose, _signed(first), _signed(last), number(value))
        for whose, stretches in (("declared", declared), ("measured", measured))
        for first, last, value in stretches
    )
    drawing = plots.levels(name, f"{result.dtype}: {title}", description, declared, measured, ulp)
    return Chart(result.dtype, title, kept(result), drawing, ("spikes", "from x", "to x", "spike"), rows)


def _stretches(stored: Any) -> list[plots.Stretch]:
    rows = [_numbers(row) for row in stored] if isinstance(stored, list) else []
    found = [(first, last, value) for first, last, value in (row for row in rows if len(row) == 3)]
    return [(f, t, v) for f, t, v in found if f is not None and t is not None and v is not None]


def _spikes_title(declared: Sequence[plots.Stretch], measured: Sequence[plots.Stretch], ulp: float) -> str:
    if [*declared] == [*measured]:
        return f"the declared step, down to the last number on either side (±{number(ulp, 2)})"
    wrong = next((m for m in measured if m not in declared), measured[0])
    first, last, value = wrong
    where = f"from {_signed(first)} to {_signed(last)}" if first != last else f"at {_signed(first)}"
    return f"the spike is {number(value)} {where}, which is not the declared step"


def _signed(x: float) -> str:
    """A number with the sign of its zero."""
    return number(x) if x else "−0" if math.copysign(1, x) < 0 else "+0"


# ---- errors in ulp ---------------------------------------------------------------------------------


def accuracy(result: Result, name: str, thin: int = 1) -> Chart | None:
    """The error in ulp by the exponent of x, under the derived bound."""
    stored = figures(result).get("profile")
    if not isinstance(stored, Mapping):
        return None
    # What mirrors the right side is not stored twice.
    columns = [_numbers(stored.get(key, stored.get("right"))) for key in ("right", "left", "bound")]
    stops = _numbers(stored.get("exponent"))
    exponents = [int(v) for v in stops if v is not None]
    if not columns or {len(c) + 1 for c in columns} != {len(exponents)} or len(exponents) < 2:
        return None
    title = _accuracy_title(result, *columns)
    description = (
        f"{result.dtype}: by the binary exponent of x, the error in ulp of the input that comes nearest to its bound, "
        "on the right (line) and on the left (dashes); band, the bound derived from the formula. Errors under "
        f"{plots.SMALLEST_ULP:g} ulp stand on the lower edge."
    )
    rows = tuple(
        (f"2{plots.superscript(a)}", f"2{plots.superscript(b)}", *(number(v) for v in values))
        for a, b, *values in zip(exponents, exponents[1:], *columns, strict=False)
    )
    label = setting(result.parameters)
    drawing = plots.profile(name, f"{label}: {title}", description, exponents, (columns[0], columns[1], columns[2]))
    heads = ("|x| from", "below", "error on the right", "on the left", "bound, all in ulp")
    return Chart(label, title, kept(result), drawing, heads, rows)


def _accuracy_title(result: Result, right: plots.Numbers, left: plots.Numbers, bound: plots.Numbers) -> str:
    ratios = [
        max(v for v in (r, e) if v is not None) / b
        for r, e, b in zip(right, left, bound, strict=True)
        if b and not r is e is None
    ]
    if isinstance(result.outcome, Passed):
        share = f", at most {number(100 * max(ratios, default=0), 2)} % of it" if ratios else ""
        return f"the error stays under the derived bound{share}"
    broken = [r for r in ratios if r > 1]
    if not broken:
        return "where the gradient is a normal number, the error stays under the bound"
    return f"the error exceeds the bound {number(max(broken), 2)} times, in {len(broken)} of {len(ratios)} ranges of x"


def histogram(result: Result, name: str, thin: int = 1) -> Chart | None:
    """Inputs by their error in ulp."""
    stored = figures(result)
    edges, counts = ([v or 0.0 for v in _numbers(stored.get(key))] for key in ("ulp_edges", "ulp_counts"))
    last = max((at for at, amount in enumerate(counts) if amount), default=-1)
    if len(edges) != len(counts) or last < 0:
        return None
    shown = max(last + 1, 3)
    edges, counts = edges[: shown + 1], counts[:shown]
    title = _histogram_title(stored)
    description = f"{result.dtype}: how many inputs err by how much, in ulp; the last bar is open to the right."
    ends = [*(number(e) for e in edges[1 : shown + 1]), "∞"]
    rows = tuple((number(edges[at]), ends[at], count(counts[at])) for at in range(len(counts)))
    label = setting(result.parameters)
    drawing = plots.histogram(name, f"{label}: {title}", description, edges, counts)
    return Chart(label, title, kept(result), drawing, ("from ulp", "to ulp", "inputs"), rows)


def _histogram_title(stored: Mapping[str, Any]) -> str:
    rounded = decimal(stored.get("correctly_rounded"))
    share = f"{number(100 * rounded, 3)} % of the gradients are correctly rounded" if rounded is not None else "errors"
    return f"{share}, the worst is {number(stored.get('max_ulp'))} ulp off"
