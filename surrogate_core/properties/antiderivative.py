"""A gradient check against the smooth function that ought to be there: the antiderivative of the formula.

A gradient checker compares a derivative with finite differences of the forward, which a step does not have. The
antiderivative S of the pseudo-derivative g', which sympy finds, has them: the gradient ĝ is compared with the
central difference D of S. They may be apart by what an acceptable ĝ may be from g', that is B, and by what D may be
from g': T + R, the step's share and the arithmetic's (see spec/difference.py), which only across a jump is more than
the smallest part of B.

D is compared with g' too: where it is farther from it than T + R, S is to blame, and nobody is accused.
"""

from __future__ import annotations

import functools

import numpy as np
from sympy import Expr

from surrogate_core.drivers.base import Request
from surrogate_core.properties.around import around, off, scale
from surrogate_core.properties.base import Case, Property, Requests, Seen, breach, gravest, observed, shown, wide
from surrogate_core.properties.outcome import Outcome, Passed, Skipped
from surrogate_core.spec.difference import STEP, Difference, difference
from surrogate_core.spec.digits import plus_minus

__all__ = ["ANTIDERIVATIVE"]


def _observe(case: Case) -> Requests:
    return {"gradient": Request("vjp", around(case))}


@functools.lru_cache(maxsize=8)
def _differences(case: Case, smooth: Expr) -> tuple[Difference, ...]:
    spec, width = case.spec, scale(case)
    points = wide(around(case)).tolist()
    return tuple(difference(smooth, spec.gradient, spec.symbols, case.parameters, x, width) for x in points)


def _judge(case: Case, seen: Seen) -> Outcome:
    smooth = case.spec.antiderivative
    if smooth is None:
        return Skipped("no antiderivative of the formula was found")
    x, found = around(case), _differences(case, smooth)
    if strangers := [i for i, one in enumerate(found) if not one.agrees]:
        return Skipped(f"what was found has another derivative than the formula at x = {shown(case, x[strangers[0]])}")
    slope = np.array([float(one.slope) for one in found])
    rest = np.array([float(one.slope - high) for one, high in zip(found, slope.tolist(), strict=True)])
    measured = observed(seen["gradient"]).gradient
    allowed = off(case, x)[0] + np.array([float(one.turned + one.rounded) for one in found])
    with np.errstate(invalid="ignore"):
        error = np.abs((wide(measured) - slope) - rest)
    figures = {"inputs": int(x.size), "h": STEP * scale(case), "antiderivative": str(smooth)}
    wrong = ~(error <= allowed)
    if not wrong.any():
        return Passed(figures | {"worst": float(error.max())})
    request = _observe(case)["gradient"]
    at = int(np.flatnonzero(gravest(case, request, wrong, error))[0])
    accepted = f"the slope {plus_minus(slope[at], allowed[at])} of the antiderivative"
    return breach(case, request, at, measured[at], accepted, error[wrong], figures)


ANTIDERIVATIVE = Property(
    id="gradient.antiderivative",
    promise="The gradient is the slope of the smooth function whose derivative the formula is: a gradient check.",
    observe=_observe,
    judge=_judge,
    scope="once",
)
