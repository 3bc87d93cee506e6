"""The smooth function that an implementation offers beside its spikes: its derivative is the pseudo-derivative.

The central difference D = (S(x+h) - S(x-h)) / 2h of a function with S' = g' is the mean of g' between x-h and x+h.
Three things keep it from g'(x), and their sum is allowed:

- the step: where g' rises or falls from x to either end, the mean lies between the values there and at x:
  T = max |g'(x +- h) - g'(x)|. That holds at a kink too, and across a jump.
- the arithmetic: as g' in the bound B, each S may be off by two ulp and its input by two roundings, in the format v
  of its evaluation, where intermediate results are taken to be no larger than the largest |S|:
  R = v * (4*max|S| + 2*|x*g'|) / h.
- the parameters, which the implementation may hold in the format under test: the bound B of g' there.

h = 2^-26 widths balances T and R in float64 at about 2^-25 of the peak; where S comes back in a format of p bits,
it is 2^-(p/2) widths. Both steps are asked for at once, since the format is not known before.

How bad an error is must not depend on h, and beside a jump J of S at x, D is J / 2h: 170 times the peak where 1e-5 is
added on one side. There the slopes on both sides of x, each from the end of the short step to that of the long one,
say how far the derivative is off, and J itself, as a share of the peak times the width, how large the jump is. The
severity is the sum of the two where that is less than half of what a wrong slope at x would have to be.

That S does not jump is part of the promise: where it does, it has no derivative. But a library may print one that jumps
where g' does, and whoever keeps to the print is not wrong by it: of a spec whose ``smooth`` is ``"piecewise"`` no
difference across a declared breakpoint is judged, nor within two roundings of it, of x and of the parameters. Between
them the slope is.
"""

from __future__ import annotations

import numpy as np

from surrogate_core.drivers.base import Request, Unsupported
from surrogate_core.properties.around import EIGHTHS, off, scale
from surrogate_core.properties.base import Case, Property, Requests, Seen, shown, wide
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Skipped, Witness
from surrogate_core.spec.breakpoints import declared_at
from surrogate_core.spec.digits import near, plus_minus
from surrogate_core.spec.formats import FORMATS, Format

__all__ = ["SMOOTH"]

WIDE, NARROW = FORMATS["float64"], FORMATS["float32"]
"""Evaluated in the first; an implementation that answers in the second, or below, is judged with a longer step."""


def _step(case: Case, fmt: Format) -> float:
    return scale(case) * 2.0 ** -(fmt.precision // 2)


def _points(case: Case) -> np.ndarray:
    positive = EIGHTHS * scale(case) / 8
    return np.concatenate([positive, -positive[1:]])


def _observe(case: Case) -> Requests:
    x = _points(case)
    ends = [x + sign * _step(case, fmt) for fmt in (WIDE, NARROW) for sign in (1, -1)]
    return {"smooth": Request("smooth", np.concatenate(ends))}


def _judge(case: Case, seen: Seen) -> Outcome:
    answer = seen["smooth"]
    if isinstance(answer, Unsupported):
        return Skipped("the implementation offers no smooth function of its own")
    fmt = WIDE if answer.value.dtype == np.float64 else NARROW
    x, h = _points(case), _step(case, fmt)
    part = slice(0, 2 * x.size) if fmt is WIDE else slice(2 * x.size, None)
    ahead, behind = wide(answer.value)[part].reshape(2, -1)
    with np.errstate(all="ignore"):
        measured = (ahead - behind) / (2 * h)
    (bound, expected), (_, right), (_, left) = (off(case, at) for at in (x, x + h, x - h))
    turned = np.maximum(np.abs(right - expected), np.abs(left - expected))
    size = np.max(np.abs([ahead, behind]), initial=0.0, where=np.isfinite([ahead, behind]))
    unit = FORMATS[answer.value.dtype.name].unit_roundoff if answer.value.dtype.name in FORMATS else fmt.unit_roundoff
    rounded = unit * (4 * size + 2 * np.abs(x * expected)) / h
    allowed = bound + turned + rounded
    error = np.abs(measured - expected)
    promised = ~_across(case, x, h) | ~np.isfinite(measured)  # which no jump between two numbers makes
    wrong = promised & ~(error <= allowed)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        request = _observe(case)["smooth"]
        apart, jump = _beside_a_jump(case, wide(answer.value), error * 2 * h)
        jumps = apart < error / 2  # a slope that is off is off beside x, too, by about as much
        worst = float(np.max(np.where(jumps, apart, np.where(np.isnan(error), np.inf, error))[wrong]))
        risen = float(jump[at]) if jumps[at] else 0.0
        return Failed(
            given=f"x = {shown(case, x[at])}: (S(x + h) - S(x - h)) / 2h with h = {h:.3g}",
            measured=near(measured[at], allowed[at]) + (f", across a jump of {risen:.3g}" if risen else ""),
            allowed=f"the pseudo-derivative {plus_minus(expected[at], allowed[at])}",
            severity=worst / (case.sweep.expected.peak or 1.0),
            figures={"wrong": int(wrong.sum()), "step": h, "jump": risen},
            witness=Witness(request.at(np.array([at, at + x.size]) + (part.start or 0))),
        )
    worst = float(error[promised].max())
    return Passed({"inputs": int(promised.sum()), "step": h, "worst": worst, "dtype": answer.value.dtype.name})


def _across(case: Case, x: np.ndarray, h: float) -> np.ndarray:
    """Whether a difference over ``h`` is one across a place where the declared function itself may jump."""
    if case.spec.smooth != "piecewise":
        return np.zeros(x.size, bool)
    places = declared_at(tuple(case.spec.breakpoints), case.spec.symbols, case.parameters)
    apart = [(float(p.at), h + 2 * case.format.unit_roundoff * (abs(float(p.at)) + p.sensitivity)) for p in places]
    return np.any([np.abs(x - at) <= reach for at, reach in apart] or [np.zeros(x.size, bool)], axis=0)


def _beside_a_jump(case: Case, values: np.ndarray, jump: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(how far the derivative is off where S may jump at x, that jump's size), at each of the points.

    A slope from x + h to x + H is compared with the mean of g' at these two, the trapezoidal rule: nearer to the
    mean of g' between them than either is.
    """
    x, short, long = _points(case), _step(case, WIDE), _step(case, NARROW)
    near, far = values.reshape(2, 2, -1)
    worst = np.zeros(x.size)
    for sign, end, beginning in ((1, far[0], near[0]), (-1, far[1], near[1])):
        expected = (off(case, x + sign * short)[1] + off(case, x + sign * long)[1]) / 2
        with np.errstate(all="ignore"):
            slope = sign * (end - beginning) / (long - short)
        worst = np.maximum(worst, np.abs(slope - expected))
    return worst + np.abs(jump) / scale(case), jump


SMOOTH = Property(
    id="gradient.smooth",
    promise="The smooth function that the implementation offers has the pseudo-derivative as its derivative.",
    observe=_observe,
    judge=_judge,
    applies=lambda spec: bool(spec.smooth),
    scope="once",
)
