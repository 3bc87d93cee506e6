"""Plots with what belongs to them: a title that says the point, a description, the plotted numbers."""

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
from surrogate_core.report.words import below, decimal, number, off, plural, setting

__all__ = ["Chart", "Gallery", "gallery"]

SIDES = (("right", 1), ("left", -1))


@dataclass(frozen=True)
class Chart:
    """One plot.

    Attributes:
        title: its point, in one sentence.
        kept: whether the promise it illustrates was kept; ``None`` where it was not judged.
        svg: the drawing; empty where there is nothing to draw, and the title says why.
        columns: heads of the table of numbers.
        rows: its rows.
    """

    title: str
    kept: bool | None
    svg: Markup | str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Gallery:
    """The plots of one implementation: of one format, on its first device; a pair for each parameter setting."""

    dtype: str
    device: str
    pairs: tuple[tuple[str, tuple[Chart, ...]], ...]


def gallery(results: Sequence[Result], prefix: str) -> Gallery | None:
    """The plots of one implementation; ``None`` where no result holds anything to draw."""
    drawn = [r for r in results if r.property_id in ("gradient.oracle", "gradient.decay")]
    if not drawn:
        return None
    dtype = "float32" if any(r.dtype == "float32" for r in drawn) else drawn[0].dtype
    device = next(r.device for r in drawn if r.dtype == dtype)
    drawn = [r for r in drawn if (r.dtype, r.device) == (dtype, device)]
    pairs = []
    for at, parameters in enumerate(dict.fromkeys(r.parameters for r in drawn), start=1):
        of = {r.property_id: r for r in drawn if r.parameters == parameters}
        oracle, decay = of.get("gradient.oracle"), of.get("gradient.decay")
        charts = [_gradient(oracle, f"{prefix}-gradient-{at}")] if oracle else []
        charts += [_decay(decay, oracle, f"{prefix}-decay-{at}")] if decay else []
        pairs.append((setting(parameters), tuple(charts)))
    return Gallery(dtype, device, tuple(pairs)) if any(c.svg for _, charts in pairs for c in charts) else None


def _kept(result: Result) -> bool | None:
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
    return Chart(f"No {what}: {told[:200]}", _kept(result))


def _gradient(result: Result, name: str) -> Chart:
    measured, curve = figures(result), figures(result).get("curve")
    columns = [_numbers(curve.get(key)) for key in ("x", "measured", "expected")] if isinstance(curve, Mapping) else []
    if len({len(c) for c in columns}) != 1 or not any(v is not None for v in columns[2]):
        return _undrawn(result, "curve")
    title = _gradient_title(result, measured)
    x = [v for v in columns[0] if v is not None]
    description = (
        f"{result.implementation}, {result.dtype}: dots, the measured gradient at {plural(len(x), 'input')} from "
        f"{number(min(x))} to {number(max(x))}; band, the declared pseudo-derivative."
    )
    rows = tuple(tuple(number(v, 6) for v in row) for row in zip(*columns, strict=True))
    drawing = plots.gradient(name, f"{setting(result.parameters)}: {title}", description, *columns)
    return Chart(title, _kept(result), drawing, ("x", "measured g′(x)", "declared g′(x)"), rows)


def _gradient_title(result: Result, measured: Mapping[str, Any]) -> str:
    if isinstance(result.outcome, Passed):
        return f"the gradient lies on its spec, at most {number(measured.get('max_ulp'))} ulp off"
    worst, given = (getattr(result.outcome, name, None) for name in ("severity", "given"))
    where = f" at {given}" if given else ""
    size = f"; over all inputs it is {off(worst)}" if off(worst) else ""
    return f"the gradient leaves its spec{where}{size}"


def _decay(result: Result, oracle: Result | None, name: str) -> Chart:
    fits = {side: fit for side, _ in SIDES if isinstance(fit := figures(result).get(side), Mapping)}
    claimed = _finite(figures(result).get("claimed_slope"))
    drawn = []
    for side, sign in SIDES:
        points = fits.get(side, {}).get("points")
        far, logs = (
            (_numbers(points.get(key)) for key in ("distance", "log")) if isinstance(points, Mapping) else ([], [])
        )
        line = _finite(fits.get(side, {}).get("intercept")), _finite(fits.get(side, {}).get("slope"))
        if len(far) != len(logs) or not far or None in far or None in line:
            continue
        drawn.append((sign, far, logs, line))
    if claimed is None or not drawn:
        return _undrawn(result, "line to fit")
    title = _decay_title(result, claimed, fits)
    at_zero = _claimed_intercept(oracle, drawn[0])
    farthest = max(v for _, far, _, _ in drawn for v in far)
    description = (
        f"{result.implementation}, {result.dtype}: dots, the measured gradient out to a distance of {number(farthest)} "
        f"on either side, on a logarithmic scale; thin line, the fitted one; band, the line of the claimed slope."
    )
    drawing = plots.decay(name, f"{setting(result.parameters)}: {title}", description, drawn, (at_zero, claimed))
    return Chart(title, _kept(result), drawing, *_decay_numbers(drawn, (at_zero, claimed)))


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
        return f"log g′ falls with slope {number(claimed, 6)} as claimed, to within {below(worst, 2)}"
    if ratio <= 1 or key == "curvature":
        return f"log g′ bends on the {side}: no straight line of slope {number(claimed, 6)}"
    return (
        f"log g′ falls with slope {number(fits[side].get('slope'), 6)} on the {side}, {number(claimed, 6)} is claimed"
    )


def _claimed_intercept(oracle: Result | None, side: tuple[int, Any, Any, Any]) -> float:
    """The logarithm at 0 as the spec has it; without a stored curve, the height of the first measured point."""
    curve = figures(oracle).get("curve") if oracle else None
    if isinstance(curve, Mapping):
        for x, expected in zip(_numbers(curve.get("x")), _numbers(curve.get("expected")), strict=False):
            if x == 0 and expected and expected > 0:
                return math.log(expected)
    _, _, logs, (intercept, _) = side
    return next((v for v in logs if v is not None), intercept)


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
