"""The area under the gradient, by quadrature over the sweep.

The trapezoidal rule over the finite inputs in ascending order, with weights w. The declared pseudo-derivative is
integrated at the same inputs, and its area is known; what the rule itself is off by is the same for both, so that

    sum w_i * (measured_i - g'_i)

is how much the area under the measured gradient differs. An acceptable gradient is off by at most B_i (near a
breakpoint it may be on the other side of it), hence its area by at most sum w_i*B_i. Both sums leave out where the
gradient may be flushed to zero: there any answer up to f is accepted, and f times the width of the format would be
an allowance beyond every area.

In float64 a weight and its product round twice each, and NumPy sums pairwise in blocks of 128: fewer than 64 roundings
for every sweep, 2^-47 * sum |w_i * (measured_i - g'_i)|.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from surrogate_core.properties.around import reach
from surrogate_core.properties.base import Case, Property, Seen, observed, swept, whole_sweep, wide
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Skipped, Witness
from surrogate_core.spec.claims import Area
from surrogate_core.spec.digits import near, plus_minus

__all__ = ["AREA"]

SUMMATION = 2.0**-47


def _claimed(case: Case) -> float:
    claim = case.spec.claim(Area)
    area: Any = claim.value if claim else np.nan
    values = {p.symbol: dict(case.parameters)[p.name] for p in case.spec.parameters}
    return float(area.subs(values) if hasattr(area, "subs") else area)


def _nodes(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """(indices, widths): the finite inputs in ascending order, and the gaps between them."""
    half = case.sweep.half
    finite = np.isfinite(case.sweep.exact[:half])
    positive = np.arange(half)[finite]
    order = np.concatenate([(half + positive)[::-1], positive])
    return order, np.diff(case.sweep.exact[order])


def _missed(case: Case, order: np.ndarray, gaps: np.ndarray) -> float:
    """How much area the rule may miss of g'.

    Between neighbours g' lies between its values there (it may turn within a few gaps, not in most), so that the
    rule is off by at most half of gap times difference, and by its own roundings. Beyond the last inputs it falls at
    least as fast as |x|^-1.5, and leaves at most 2*|x*g'(x)|.
    """
    gradient = case.sweep.expected.gradient[order]
    ends = np.abs(case.sweep.exact[order] * gradient)[[0, -1]]
    rounded = SUMMATION * (gaps * np.abs(gradient[1:])).sum()
    return float((gaps * np.abs(np.diff(gradient))).sum() / 2 + rounded + 2 * ends.sum())


def _judge(case: Case, seen: Seen) -> Outcome:
    order, gaps = _nodes(case)
    weights = (np.append(gaps, 0.0) + np.append(0.0, gaps)) / 2
    expected, claimed = case.sweep.expected, _claimed(case)
    quadrature = float((weights * expected.gradient[order]).sum())
    if not abs(quadrature - claimed) <= _missed(case, order, gaps):
        return Skipped(
            f"{order.size} inputs of {case.dtype} do not show the declared area: {quadrature:.6g} by quadrature"
        )
    counted = np.where(expected.flushed[order], 0.0, weights)
    # Against the formula itself: the nearer side of a breakpoint has another area.
    measured = wide(observed(seen["sweep"]).gradient)
    with np.errstate(invalid="ignore"):
        error = np.where(counted > 0, ((measured - expected.gradient) - expected.rest)[order], 0.0)
    shares = counted * error
    off = float(shares.sum())
    # What is no number has no rounding either, and leaves what is allowed of the others as it is.
    rounded = SUMMATION * np.abs(shares[np.isfinite(shares)]).sum()
    allowed = float((counted * reach(expected)[order]).sum() + rounded)
    figures = swept(case) | {"area": claimed + off, "claimed": claimed, "allowed": allowed, "quadrature": quadrature}
    if np.isfinite(off) and abs(off) <= allowed:
        return Passed(figures)
    worst = np.where(np.isnan(error), np.inf, np.abs(error))
    return Failed(
        given=f"{int((counted > 0).sum())} inputs of {case.dtype} where the gradient is a normal number",
        measured=f"an area of {near(claimed + off, allowed)}",
        allowed=plus_minus(claimed, allowed),
        severity=float(worst.max()) / (expected.peak or 1.0),
        figures=figures,
        witness=Witness(whole_sweep(case), int(order[np.argmax(counted * worst)])),
    )


AREA = Property(
    id="gradient.area",
    promise="The area under the gradient is the declared one.",
    observe=lambda case: {"sweep": whole_sweep(case)},
    judge=_judge,
    applies=lambda spec: spec.claim(Area) is not None,
    scope="each dtype",
)
