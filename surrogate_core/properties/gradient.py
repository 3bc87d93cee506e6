"""The backward pass, point by point: against the formula, and against the claims beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from surrogate_core.properties.base import (
    Case,
    Property,
    Seen,
    breach,
    gravest,
    observed,
    shown,
    swept,
    whole_sweep,
    wide,
)
from surrogate_core.properties.compare import graded
from surrogate_core.properties.outcome import Outcome, Passed
from surrogate_core.properties.portrait import portrait
from surrogate_core.spec.cases import at_nan
from surrogate_core.spec.claims import Even, NonIncreasing, Peak
from surrogate_core.spec.digits import in_format, plus_minus
from surrogate_core.spec.expectation import Expectation
from surrogate_core.spec.limits import limits
from surrogate_core.spec.oracle import reach
from surrogate_core.spec.sweep import simplest

__all__ = ["NONFINITE", "ORACLE", "PEAK", "RANGE", "SYMMETRY", "last_of_largest"]

CURVE = 32
"""Points a side of the curve that a report draws."""

FLUSHED = "{dtype}: gradients that ought to be subnormal numbers come back as zero, which is tolerated"

SMALL_ULP = 0.1
"""Errors below this many ulp are 0 in the profile that a report draws: between them there is nothing to see."""


def _sweep_request(case: Case) -> dict[str, Any]:
    return {"sweep": whole_sweep(case)}


def _gradient(seen: Seen) -> np.ndarray:
    return wide(observed(seen["sweep"]).gradient)


def _judge_oracle(case: Case, seen: Seen) -> Outcome:
    measured = _gradient(seen)
    expected = case.sweep.expected.nearest(measured)
    finite = np.isfinite(case.sweep.exact)
    with np.errstate(invalid="ignore"):
        error = np.where(finite, np.abs(expected.error(measured)), 0.0)
    beyond = ~expected.within(measured)
    wrong = finite & beyond
    figures = _accuracy(case, expected, measured, error, beyond)
    if case.dtype == "float32":
        figures["portrait"] = portrait(case, observed(seen["sweep"]))
    if wrong.any():
        index = simplest(case.sweep.x, gravest(case, whole_sweep(case), wrong, error))
        return breach(
            case,
            whole_sweep(case),
            index,
            observed(seen["sweep"]).gradient[index],
            case.sweep.expected.accepted(index),
            error[wrong],
            {"wrong": int(wrong.sum()), **figures},
        )
    flushed = figures["subnormal_output"].startswith("flushed")
    return Passed(figures, (FLUSHED.format(dtype=case.dtype),) if flushed else ())


def _accuracy(
    case: Case, expected: Expectation, measured: np.ndarray, error: np.ndarray, beyond: np.ndarray
) -> dict[str, Any]:
    """Error in ulp and in bounds, graded; over inputs where the gradient is a normal number and was not flushed."""
    fmt = case.format
    normal = graded(case, expected, measured)
    figures: dict[str, Any] = {"inputs": int(np.isfinite(case.sweep.exact).sum()), "exhaustive": case.sweep.exhaustive}
    if normal.any():
        with np.errstate(over="ignore"):
            ulps = np.where(normal, error / fmt.ulp(expected.gradient), 0.0)
        worst = int(np.argmax(ulps))
        outside = normal & beyond
        edges = [0.0, 0.5, 1.0, *(2.0**k for k in range(1, 11)), np.inf]
        counts, _ = np.histogram(ulps[normal], edges)
        figures |= {
            "normal": int(normal.sum()),
            "max_ulp": float(ulps[worst]),
            "max_ulp_at": shown(case, case.sweep.x[worst]),
            "max_bound": float(np.max(error[normal] / expected.bound[normal])),
            "correctly_rounded": float(np.mean(ulps[normal] <= 0.5)),
            "faithful": float(np.mean(ulps[normal] < 1.0)),
            "out_of_bound": int(outside.sum()),
            "ulp_edges": edges[:-1],
            "ulp_counts": counts.tolist(),
            "profile": _profile(case, expected, ulps, error, normal),
        }
    return figures | {"subnormal_output": _subnormal_output(case, measured), "curve": _curve(case, measured)}


def _profile(
    case: Case, expected: Expectation, ulps: np.ndarray, error: np.ndarray, normal: np.ndarray
) -> dict[str, list[Any]]:
    """Error and bound in ulp by the binary exponent of x, for a plot: at the input that comes nearest to its bound.

    Equal rows in a row are stored once: row i holds from 2^exponent[i] up to 2^exponent[i + 1]; the list ends with
    the first exponent beyond. Zero and subnormal x count with the smallest exponent; ``None`` is no normal gradient.
    The left side is left out where it is the right side's mirror image.
    """
    fmt, exact = case.format, case.sweep.exact
    exponent = np.frexp(exact)[1] - 1
    exponent = np.where(exact == 0, fmt.min_exponent, np.maximum(exponent, fmt.min_exponent))
    bound = expected.bound / fmt.ulp(expected.gradient)
    nearness = np.where(normal, error / np.where(normal, expected.bound, 1.0), -1.0)  # where normal, the bound is not 0

    def nearest(side: np.ndarray) -> dict[int, int]:
        at = side[last_of_largest(nearness[side], exponent[side])]
        return {int(exponent[i]): int(i) for i in at if normal[i]}

    right, left = (nearest(side[np.isfinite(exact[side])]) for side in np.split(np.arange(exact.size), 2))
    stops: list[int] = []
    rows: list[tuple[float | None, ...]] = []
    for e in sorted({int(v) for v in np.unique(exponent[np.isfinite(exact)])}):
        at = [side.get(e) for side in (right, left)]
        told = max((i for i in at if i is not None), key=lambda i: nearness[i], default=None)
        values = [None if i is None else ulps[i] for i in at] + [None if told is None else bound[told]]
        row = tuple(None if v is None else float(f"{v:.2g}") if v >= SMALL_ULP else 0.0 for v in values)
        if not rows or row != rows[-1]:
            stops.append(e)
            rows.append(row)
    end = 1 + max((*right, *left))
    rows = rows[: sum(e < end for e in stops)]
    columns = dict(zip(("right", "left", "bound"), map(list, zip(*rows, strict=True)), strict=True))
    if columns["left"] == columns["right"]:
        del columns["left"]
    return {"exponent": [*stops[: len(rows)], end], **columns}


def last_of_largest(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Indices of each group's largest value, the last of several; ``groups`` are in ascending order, and not empty."""
    first = np.append(0, np.flatnonzero(np.diff(groups)) + 1)
    largest = np.repeat(np.maximum.reduceat(values, first), np.diff(np.append(first, groups.size)))
    found = np.flatnonzero(values == largest)
    return found[np.append(np.diff(groups[found]) != 0, True)]


def _subnormal_output(case: Case, measured: np.ndarray) -> str:
    """Whether gradients that ought to be subnormal numbers come back as zero."""
    size, fmt = np.abs(case.sweep.expected.gradient), case.format
    # Clear of both ends by more than rounding, so that neither 0 nor a normal number is a right answer.
    subnormal = (size > 2 * fmt.smallest_subnormal) & (size < fmt.smallest_normal * (1 - 2 * fmt.unit_roundoff))
    if not subnormal.any():
        return "none"
    zero = measured[subnormal] == 0
    return "flushed" if zero.all() else "flushed in part" if zero.any() else "kept"


def _curve(case: Case, measured: np.ndarray) -> dict[str, list[float | None]]:
    """Measured and expected gradient around the threshold, evenly spaced, for a plot."""
    exact, expected = case.sweep.exact, case.sweep.expected
    positive = exact[: case.sweep.half]
    # A little beyond, so that the fall at the end of a window is seen.
    ends = 1.25 * reach(case.spec, case.parameters)
    near = np.unique(np.searchsorted(positive, ends * np.arange(CURVE + 1) / CURVE))
    near = near[near < np.isfinite(positive).sum()]
    order = np.concatenate([case.sweep.half + near[::-1], near])

    def rounded(values: np.ndarray) -> list[float | None]:
        return [float(f"{v:.5g}") if np.isfinite(v) else None for v in values[order]]

    return {"x": rounded(exact), "measured": rounded(measured), "expected": rounded(expected.gradient)}


ORACLE = Property(
    id="gradient.oracle",
    promise="The gradient is the declared pseudo-derivative, within the bound derived from its formula.",
    observe=_sweep_request,
    judge=_judge_oracle,
)


def _peak(case: Case) -> tuple[float, float]:
    """(peak, slack): a constant that the format holds leaves nothing to round; a computed one has its bound."""
    claim, expected = case.spec.claim(Peak), case.sweep.expected
    constant = claim is not None and not getattr(claim.value, "free_symbols", ())
    if constant and float(case.format.dtype.type(expected.peak)) == expected.peak:
        return expected.peak, 0.0
    at = int(np.nanargmax(np.abs(expected.gradient)))
    return expected.peak, float(expected.bound[at])


def _judge_peak(case: Case, seen: Seen) -> Outcome:
    measured, expected = _gradient(seen), case.sweep.expected
    zeros = np.array([0, case.sweep.half])
    peak, slack = _peak(case)
    wrong = np.zeros(measured.shape, bool)
    # Where the formula jumps at the threshold, the value on the other side will do as well.
    other_side = (expected.jumps & expected.within(measured))[zeros]
    wrong[zeros] = ~((np.abs(measured[zeros] - peak) <= slack) | other_side)
    wrong |= np.isfinite(case.sweep.exact) & (measured > peak + slack)
    if wrong.any():
        error = np.abs(expected.error(measured))
        index = simplest(case.sweep.x, gravest(case, whole_sweep(case), wrong, error))
        at_zero = f"within {slack:.3g} of" if slack else "exactly"
        allowed = f"{at_zero if index in zeros else 'at most'} {in_format(peak, case.format)}"
        return breach(case, whole_sweep(case), index, observed(seen["sweep"]).gradient[index], allowed, error[wrong])
    return Passed(swept(case) | {"at_plus_zero": float(measured[0]), "at_minus_zero": float(measured[case.sweep.half])})


PEAK = Property(
    id="gradient.peak",
    promise="The gradient has its declared peak at the threshold, at +0.0 and at -0.0, and is nowhere larger.",
    observe=_sweep_request,
    judge=_judge_peak,
    applies=lambda spec: (claim := spec.claim(Peak)) is not None and claim.at == 0,
)


def _judge_symmetry(case: Case, seen: Seen) -> Outcome:
    gradient, half = observed(seen["sweep"]).gradient, case.sweep.half
    right, left = gradient[:half], gradient[half:]
    unsigned = np.dtype(f"uint{8 * gradient.dtype.itemsize}")
    differ = (right.view(unsigned) != left.view(unsigned)) & ~(np.isnan(wide(right)) & np.isnan(wide(left)))
    # At the edges of a window that is open on one side, -x and x may stand on different sides of a jump.
    on_a_side = case.sweep.expected.jumps & case.sweep.expected.within(wide(gradient))
    differ &= ~(on_a_side[:half] & on_a_side[half:])
    if differ.any():
        with np.errstate(invalid="ignore"):
            error = np.abs(wide(right) - wide(left))
        index = simplest(case.sweep.x[:half], gravest(case, whole_sweep(case), differ, error))
        return breach(
            case,
            whole_sweep(case),
            half + index,
            left[index],
            f"bit for bit the gradient at +x, {shown(case, right[index])}",
            error[differ],
            {"pairs": half, "differing": int(differ.sum())},
        )
    return Passed(swept(case) | {"pairs": half})


SYMMETRY = Property(
    id="gradient.symmetry",
    promise="The gradient at -x is bit for bit the gradient at x.",
    observe=_sweep_request,
    judge=_judge_symmetry,
    applies=lambda spec: spec.claim(Even) is not None,
)


def _judge_range(case: Case, seen: Seen) -> Outcome:
    measured, expected, half = _gradient(seen), case.sweep.expected, case.sweep.half
    finite = np.isfinite(case.sweep.exact)
    peak, slack = _peak(case)
    # A branch that is computed a rounding beyond its end leaves the range by as much as the bound allows.
    allowed = expected.near & expected.within(measured)
    outside = finite & ~allowed & ~((measured >= 0) & (measured <= peak + slack))
    if outside.any():
        error = np.abs(expected.error(measured))
        index = simplest(case.sweep.x, gravest(case, whole_sweep(case), outside, error))
        value = observed(seen["sweep"]).gradient[index]
        return breach(
            case, whole_sweep(case), index, value, f"finite, from 0 to {in_format(peak, case.format)}", error[outside]
        )
    for start in (0, half):
        side = np.arange(start, start + half)[finite[start : start + half]]
        flush = np.where(expected.flushed[side], expected.floor, 0.0)
        if (found := _rise(measured[side], expected.slack[side], flush)) is not None:
            at, lowest, rise = found
            return breach(
                case,
                whole_sweep(case),
                int(side[at]),
                observed(seen["sweep"]).gradient[side[at]],
                f"not above the {in_format(measured[side[lowest]], case.format)} at the nearer "
                f"x = {shown(case, case.sweep.x[side[lowest]])}, rounding allowed for",
                np.array([rise]),
            )
    return Passed(swept(case) | {"smallest": float(measured[finite].min()), "largest": float(measured[finite].max())})


def _rise(values: np.ndarray, bound: np.ndarray, flush: np.ndarray) -> tuple[int, int, float] | None:
    """Where a sequence that should fall rises above an earlier value by more than both may be off.

    Both may be off by their bounds (near a breakpoint by the jump as well), and the earlier one may have
    been flushed. Returns the positions of
    the higher and the lower value, and the largest rise beyond what is allowed.
    """
    upper = values + bound + flush
    rise = values - bound - np.minimum.accumulate(upper)
    if not (rise > 0).any():
        return None
    at = int(np.flatnonzero(rise > 0)[0])
    return at, int(np.argmin(upper[: at + 1])), float(rise.max())


RANGE = Property(
    id="gradient.range",
    promise="The gradient is finite, from 0 to its peak, and does not increase with the distance from the threshold.",
    observe=_sweep_request,
    judge=_judge_range,
    applies=lambda spec: spec.claim(NonIncreasing) is not None,
)


def _judge_nonfinite(case: Case, seen: Seen) -> Outcome:
    measured, exact, expected = _gradient(seen), case.sweep.exact, case.sweep.expected
    limit, slack, nan = expected.gradient, expected.bound, np.isnan(exact)
    # Without a limit nothing is promised; of a formula of cases, one that does not depend on x may answer at NaN.
    right = np.isinf(exact) & np.isnan(limit)
    instead = at_nan(case.spec, case.parameters)
    for value in instead:
        right |= nan & (np.abs(measured - value) <= 4 * case.format.unit_roundoff * abs(value))
    if instead:
        # NaN falls into one of the cases; whether that case gives the right number is gradient.oracle's to say.
        right |= nan & np.isin(measured, measured[np.isfinite(exact)])
    with np.errstate(invalid="ignore"):
        right |= (measured == limit) | (nan & np.isnan(measured)) | (np.abs(measured - limit) <= slack)
    wrong = ~np.isfinite(exact) & ~right
    if wrong.any():
        index = simplest(case.sweep.x, wrong)
        numbers = "".join(f" (or {in_format(value, case.format)})" for value in instead)
        at_nan_promised = f"NaN{numbers}, so that a NaN is noticed"
        give = plus_minus(limit[index], slack[index]) if slack[index] else in_format(limit[index], case.format)
        promised = at_nan_promised if nan[index] else f"{give}, the formula's limit"
        return breach(case, whole_sweep(case), index, observed(seen["sweep"]).gradient[index], promised)
    low, high = limits(case.spec, case.parameters)
    kept = bool(np.isnan(measured[nan]).all())
    ends = {name: None if np.isnan(end) else end for name, end in (("at_minus_inf", low), ("at_inf", high))}
    return Passed(swept(case) | ends | {"nans": int(nan.sum()), "at_nan": "NaN" if kept else "a number"})


NONFINITE = Property(
    id="gradient.nonfinite",
    promise="The gradient is NaN at NaN (or what a case of the formula without x says), and has the formula's limits "
    "at plus and minus infinity.",
    observe=_sweep_request,
    judge=_judge_nonfinite,
)
