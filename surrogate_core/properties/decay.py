"""Log-linear decay: log g' against |x| is a straight line of the declared slope, on each side.

The fit is least squares, linear in the logarithms: slope = sum w_i * log g_i. An acceptable g_i is off by
at most B_i, its logarithm by at most b_i = B_i / (g_i - B_i), hence the slope by at most
sum |w_i| * b_i. That sum is the allowed error; the same holds for the curvature. Nothing is tuned.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from surrogate_core.properties.base import Case, Property, Seen, breach, observed, whole_sweep, wide
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Skipped, Witness
from surrogate_core.spec.claims import LogLinearDecay
from surrogate_core.spec.digits import near, plus_minus

__all__ = ["DECAY"]

FEWEST = 8
"""Fewer rungs than this say nothing about curvature."""

DRAWN = 4
"""Every so many rungs, a point is kept for a plot."""


def _claimed(case: Case) -> float:
    claim = case.spec.claim(LogLinearDecay)
    slope: Any = claim.slope if claim else np.nan
    values = {p.symbol: dict(case.parameters)[p.name] for p in case.spec.parameters}
    return float(slope.subs(values) if hasattr(slope, "subs") else slope)


def _weights(distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the logarithms in the least-squares slope of a line, and curvature of a parabola.

    Each column is made orthogonal to those before it (Gram and Schmidt), which leaves one product for each.
    """
    scale = distance.max()
    linear = distance / scale
    linear = linear - linear.mean()
    squared = linear**2 - (linear**2).mean()
    squared = squared - _dot(squared, linear) / _dot(linear, linear) * linear
    return linear / _dot(linear, linear) / scale, squared / _dot(squared, squared) / scale**2


def _dot(one: np.ndarray, other: np.ndarray) -> float:
    # Not by a library of linear algebra, whose last digits depend on how many threads it is given.
    return float(np.sum(one * other))


def _judge(case: Case, seen: Seen) -> Outcome:
    gradient = observed(seen["sweep"]).gradient
    peak = float(case.sweep.expected.gradient[0])
    figures: dict[str, Any] = {"claimed_slope": _claimed(case), "claimed_intercept": float(np.log(peak))}
    broken: Failed | None = None
    farthest: dict[str, int] = {}
    for side, sign in (("right", 1), ("left", -1)):
        rungs = case.sweep.ladder(case.format, sign)
        if rungs.size < FEWEST:
            return Skipped(f"only {rungs.size} inputs of {case.dtype} have a normal gradient on the {side}")
        measured = wide(gradient[rungs])
        off = ~((measured > 0) & np.isfinite(measured))
        if off.any():
            index = int(rungs[np.flatnonzero(off)[0]])
            expected = case.sweep.expected
            error = np.abs(measured - expected.gradient[rungs])[off]
            allowed = "finite, greater than 0: the window is normal"
            broken = broken or breach(case, whole_sweep(case), index, gradient[index], allowed, error)
            rungs, measured = rungs[~off], measured[~off]
        if rungs.size < FEWEST:
            continue
        figures[side] = _fit(case, rungs, measured)
        off_line = np.abs(np.log(measured) - figures["claimed_slope"] * np.abs(case.sweep.exact[rungs]))
        farthest[side] = int(rungs[np.argmax(off_line)])
    # What could be fitted is told also where the window has holes.
    return replace(broken, figures=figures) if broken else _verdict(case, figures, farthest)


def _fit(case: Case, rungs: np.ndarray, measured: np.ndarray) -> dict[str, Any]:
    from scipy import special  # here, because it is slow to import

    distance, logs = np.abs(case.sweep.exact[rungs]), np.log(measured)
    expected = case.sweep.expected
    off = expected.bound[rungs] / (expected.gradient[rungs] - expected.bound[rungs])
    slope_weights, curve_weights = _weights(distance)
    slope = _dot(slope_weights, logs)
    intercept = float(logs.mean() - slope * distance.mean())
    residual = logs - (intercept + slope * distance)
    # From the residuals: via the correlation, 1 - r^2 would cancel to 0 and the interval to a point.
    deviation = np.sqrt(_dot(residual, residual) / (rungs.size - 2) * _dot(slope_weights, slope_weights))
    spread = float(special.stdtrit(rungs.size - 2, 0.975)) * float(deviation)
    worst = int(np.argmax(np.abs(residual)))
    # The logarithms themselves are rounded in float64, which matters where the format is float64.
    off = off + 2.0**-52 * np.maximum(np.abs(logs), 1)
    return {
        "slope": slope,
        "interval": [slope - spread, slope + spread],
        "intercept": intercept,
        "allowed_slope_error": _dot(np.abs(slope_weights), off),
        "curvature": _dot(curve_weights, logs),
        "allowed_curvature": _dot(np.abs(curve_weights), off),
        "largest_residual": float(np.abs(residual[worst])),
        "largest_residual_at": float(case.sweep.exact[rungs[worst]]),
        "rungs": int(rungs.size),
        "points": {
            "distance": [float(f"{d:.5g}") for d in distance[::DRAWN]],
            "log": [float(f"{v:.5g}") for v in logs[::DRAWN]],
        },
    }


def _verdict(case: Case, figures: dict[str, Any], farthest: dict[str, int]) -> Outcome:
    claimed = figures["claimed_slope"]
    for side in ("right", "left"):
        fit = figures[side]
        slope_error = abs(fit["slope"] - claimed)
        slope, low, high = (near(v, fit["allowed_slope_error"]) for v in (fit["slope"], *fit["interval"]))
        checks = (
            ("slope", slope_error, fit["allowed_slope_error"], slope, claimed),
            ("curvature", abs(fit["curvature"]), fit["allowed_curvature"], f"{fit['curvature']:.3g}", 0.0),
        )
        for what, error, allowed, measured, promised in checks:
            if not error <= allowed:
                return Failed(
                    given=f"{fit['rungs']} inputs on the {side} of the threshold",
                    measured=f"{what} of log g' {measured} (slope {slope}, 95 % interval {low} to {high})",
                    allowed=plus_minus(promised, allowed),
                    severity=None,
                    figures=figures,
                    witness=Witness(whole_sweep(case), farthest[side]),
                )
    return Passed(figures)


DECAY = Property(
    id="gradient.decay",
    promise="The logarithm of the gradient falls on a straight line of the declared slope in |x|, on both sides.",
    observe=lambda case: {"sweep": whole_sweep(case)},
    judge=_judge,
    applies=lambda spec: spec.claim(LogLinearDecay) is not None,
)
