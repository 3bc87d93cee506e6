"""The measured figures as tables: how accurate the gradient is, and how straight its logarithm."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from surrogate_core.engine import Result
from surrogate_core.properties.outcome import Failed, Passed
from surrogate_core.report import proofs
from surrogate_core.report.evidence import figures
from surrogate_core.report.table import BOUNDS, Line, Table, bounds, grade, heads, of_ulps
from surrogate_core.report.verdict import State, state
from surrogate_core.report.words import MINUS, below, clip, count, decimal, listed, number, share

__all__ = ["accuracy", "every", "slopes", "transformations"]


def every(results: Sequence[Result]) -> tuple[Table, ...]:
    """The tables that have anything to say."""
    counted = (proofs.patterns(results), proofs.subnormals(results))
    made = (accuracy(results), *counted, slopes(results), transformations(results))
    return tuple(replace(table, lines=_spanning(table.lines)) for table in made if table.lines)


def _spanning(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The rows with the first head of neighbours written once."""
    spanned: list[Line] = []
    for _, group in itertools.groupby(lines, key=lambda line: line.heads[0]):
        first, *others = group
        spanned += [replace(first, rows=1 + len(others)), *(replace(line, rows=0) for line in others)]
    return tuple(spanned)


def accuracy(results: Sequence[Result]) -> Table:
    """Errors of the gradient, one line a format and parameter setting."""
    lines = []
    for r in results:
        f = figures(r)
        if r.property_id == "gradient.oracle" and "max_ulp" in f:
            cells = (
                count(f.get("normal")),
                of_ulps(f["max_ulp"]),
                str(f.get("max_ulp_at", "–")),
                below(f.get("max_bound")),
                share(f.get("correctly_rounded")),
                share(f.get("faithful")),
                *bounds(f.get("normal"), f.get("out_of_bound")),
                _grade(f),
            )
            lines.append(Line(heads(r, results), state(r.outcome.state), cells))
    return Table(
        "Accuracy of the gradient",
        "Where the gradient is a normal number. One ulp is the distance to the next number of the format. The bound is "
        "derived from the formula: two roundings of the input and of every parameter, give or take two ulp.",
        ("Format", "Parameters"),
        (
            "Inputs",
            "Largest error, ulp",
            "at x =",
            "of the bound",
            "Correctly rounded",
            "Under 1 ulp",
            *BOUNDS,
            "Grade",
        ),
        tuple(lines),
    )


def _grade(f: Mapping[str, Any]) -> str:
    return grade(decimal(f.get("max_ulp")) or 0, bool(decimal(f.get("out_of_bound"))))


def slopes(results: Sequence[Result]) -> Table:
    """Fits of log g', one line a format, parameter setting and side; one for both sides where they are equal."""
    lines = []
    for r in results:
        f = figures(r)
        fits = [(side, f[side]) for side in ("right", "left") if isinstance(f.get(side), Mapping)]
        if r.property_id != "gradient.decay" or not fits:
            continue
        if len(fits) == 2 and _unsided(fits[0][1]) == _unsided(fits[1][1]):
            fits = [("both", fits[0][1])]
        claimed = decimal(f.get("claimed_slope"))
        lines += [Line((*heads(r, results), side), state(r.outcome.state), _fit(fit, claimed)) for side, fit in fits]
    return Table(
        "Slope of log g′ against |x|",
        "A least-squares line through inputs whose gradient is a normal number, with the 95 % interval of its slope. "
        "The allowed errors follow from the bound of every single point. Curvature is the quadratic coefficient of a "
        "parabola through the same points.",
        ("Format", "Parameters", "Side"),
        (
            "Claimed slope",
            "Fitted slope, 95 % interval",
            "Slope error, allowed",
            "Curvature, allowed",
            "Largest residual, at |x|",
            "Inputs",
        ),
        tuple(lines),
    )


def _unsided(fit: Mapping[str, Any]) -> dict[str, Any]:
    """The fit without what tells the sides apart even where they mirror each other."""
    return {**fit, "largest_residual_at": abs(decimal(fit.get("largest_residual_at")) or 0)}


def _fit(fit: Mapping[str, Any], claimed: float | None) -> tuple[str, ...]:
    slope, interval = decimal(fit.get("slope")), fit.get("interval")
    low, high = (decimal(v) for v in interval) if isinstance(interval, list) and len(interval) == 2 else (None, None)
    spread = (high - low) / 2 if low is not None and high is not None else None
    error = abs(slope - claimed) if slope is not None and claimed is not None else None
    return (
        number(claimed, 6),
        f"{number(slope, 9)} ± {below(spread, 2)}",
        f"{below(error, 2)} of {below(fit.get('allowed_slope_error'), 2)}",
        f"{below(fit.get('curvature'), 2)} of {below(fit.get('allowed_curvature'), 2)}",
        f"{below(fit.get('largest_residual'), 2)} at {number(abs(decimal(fit.get('largest_residual_at')) or 0), 4)}",
        count(fit.get("rungs")),
    )


TRANSFORMED = ("transform.", "device.", "torch.")
"""Beginnings of the ids of promises about what a framework does with a function."""


def transformations(results: Sequence[Result]) -> Table:
    """What was tried under transformations, and what came of it: one line for each, over all cases."""
    found: dict[tuple[str, str, State, str], list[str]] = {}
    for r in results:
        if r.property_id.startswith(TRANSFORMED):
            for tried, said in _tried(r):
                formats = found.setdefault((r.property_id, tried, state(r.outcome.state), said), [])
                formats += [r.dtype] if r.dtype not in formats else []
    lines = (Line((name, tried), how, (listed(formats), said)) for (name, tried, how, said), formats in found.items())
    return Table(
        "Under transformations",
        "The plain call is the measure: whatever a framework makes of the function, spikes and gradient stay its own.",
        ("Promise", "Tried"),
        ("Formats", "What came of it"),
        tuple(lines),
    )


def _tried(result: Result) -> tuple[tuple[str, str], ...]:
    """(what was tried, what came of it) of one result."""
    f, outcome = figures(result), result.outcome
    if isinstance(outcome, Failed):
        return ((clip(outcome.given, TOLD), clip(f"{outcome.measured}; allowed {outcome.allowed}", TOLD)),)
    if isinstance(outcome, Passed):
        axes, modes = f.get("axes"), f.get("modes")
        if isinstance(axes, list):
            return tuple((f"vmap over {_axes(pair)}", "as the plain call") for pair in axes)
        if isinstance(modes, list):
            return tuple((clip(str(mode), TOLD), "one gradient") for mode in modes)
        return ((_amount(f), "as the plain call"),)
    said = getattr(outcome, "message", "") or getattr(outcome, "reason", "") or getattr(outcome, "capability", "")
    return (("", clip(str(said), TOLD)),)


TOLD = 300
"""Characters kept of a text in a table."""


def _axes(pair: Any) -> str:
    into, out = pair if isinstance(pair, list) and len(pair) == 2 else (pair, pair)
    return f"axis {into}, out on axis {out}".replace("-", MINUS)


def _amount(f: Mapping[str, Any]) -> str:
    """On how much it was tried, in words."""
    amounts = (("examples", "random stacks"), ("inputs", "inputs"), ("devices", "devices"))
    return next((f"{count(f[key])} {word}" for key, word in amounts if decimal(f.get(key)) is not None), "")
