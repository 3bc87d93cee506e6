"""Further derivatives: of the gradient by x, and of the spikes by a parameter.

Few specs say what they are. Where one is silent nothing can be wrong, and the remark tells what was found, since
it decides whether second-order methods and learnable parameters train on the formula, on zero, or on neither.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from surrogate_core.drivers.base import Request, Unsupported
from surrogate_core.properties.around import around
from surrogate_core.properties.base import (
    Case,
    Property,
    Requests,
    Seen,
    breach,
    gravest,
    observed,
    shown,
    staged,
    wide,
)
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Witness
from surrogate_core.spec.derivative import slope
from surrogate_core.spec.digits import near, plus_minus

__all__ = ["PARAMETER", "SECOND"]

WORDS = {"formula": "that of the pseudo-derivative", "zero": "exactly 0"}


def _reason(answer: Unsupported) -> str:
    return str(answer).removeprefix("second derivative: ").rstrip(".: ")


# ---- by x ---------------------------------------------------------------------------------------


def _observe_second(case: Case) -> Requests:
    plain = around(case)
    x = np.where(plain == 0, plain[1] / 2, plain)
    # The plain call too: what raises there has no second derivative to speak of, and is an error.
    second = Request("second", x, outer=staged(case), tolerant=case.spec.second_order is None)
    return {"plain": Request("vjp", plain, outer=staged(case)), "second": second}


def _judge_second(case: Case, seen: Seen) -> Outcome:
    request, declared = _observe_second(case)["second"], case.spec.second_order
    answer = seen["second"]
    if declared is None and isinstance(answer, Unsupported):
        return Passed({}, (f"The second derivative cannot be had: {_reason(answer)}.",))
    measured = wide(observed(answer).gradient)
    formula = slope(case.spec, case.parameters, case.format, wide(request.x))
    # Subnormal results may be flushed, as those of g' may.
    allowed = formula.bound + np.where(np.abs(formula.value) <= case.sweep.expected.floor, case.sweep.expected.floor, 0)
    off = {
        "formula": formula.smooth & ~(np.abs(measured - formula.value) <= allowed),
        "zero": formula.smooth & (measured != 0),
    }
    found = [kind for kind in ("formula", "zero") if not off[kind].any()]
    figures = {"inputs": int(formula.smooth.sum()), "found": found[0] if found else "neither"}
    if declared in found or (declared is None and found):
        told = " and ".join(WORDS[kind] for kind in found)
        return Passed(figures, () if declared else (f"The second derivative is {told}.",))
    wrong = off[declared or "formula"]
    error = np.abs(measured - (0 if declared == "zero" else formula.value))
    index = int(np.flatnonzero(gravest(case, request, wrong, error))[0])
    if declared is None:
        there, promised = (near(values[index], allowed[index]) for values in (measured, formula.value))
        remark = (
            f"The second derivative is neither 0 nor that of the pseudo-derivative: at x = "
            f"{shown(case, request.x[index])} it is {there}, not {promised}."
        )
        return Passed(figures, (remark,))
    allowed_there = "exactly 0" if declared == "zero" else plus_minus(formula.value[index], allowed[index])
    return breach(case, request, index, observed(answer).gradient[index], allowed_there, error[wrong], figures)


SECOND = Property(
    id="gradient.second",
    promise="The second derivative is what the spec declares of it.",
    observe=_observe_second,
    judge=_judge_second,
    scope="once",
)


# ---- by a parameter -----------------------------------------------------------------------------


def _observe_parameter(case: Case) -> Requests:
    x, silent = around(case), case.spec.parameter_gradient is None
    return {"plain": Request("vjp", x, outer=staged(case))} | {
        name: Request(
            "parameter", x, wrt=name, weights=(np.array(value, x.dtype),), outer=staged(case), tolerant=silent
        )
        for name, value in case.parameters
    }


def _summed(case: Case, x: np.ndarray, name: str) -> tuple[float, float]:
    """(sum of dg'/dp over x, how far off it may be): n terms, each rounded n - 1 times in their sum."""
    formula = slope(case.spec, case.parameters, case.format, wide(x), name)
    n = (x.size - 1) * case.format.unit_roundoff
    rounding = n / (1 - n) * (np.abs(formula.value) + formula.bound)
    return float(formula.value.sum()), float((formula.bound + rounding).sum())


def _judge_parameter(case: Case, seen: Seen) -> Outcome:
    declared, requests = case.spec.parameter_gradient, _observe_parameter(case)
    figures: dict[str, float | str] = {}
    remarks: list[str] = []
    for name, request in requests.items():
        answer = seen[name]
        if name == "plain":
            continue
        if declared is None and isinstance(answer, Unsupported):
            remarks.append(f"The derivative of the spikes by {name} cannot be had: {_reason(answer)}.")
            continue
        measured = float(wide(observed(answer).gradient).reshape(-1)[0])
        expected, allowed = _summed(case, request.x, name)
        kept: Mapping[str, bool] = {"formula": abs(measured - expected) <= allowed, "zero": measured == 0}
        found = [kind for kind in ("formula", "zero") if kept[kind]]
        figures[name] = found[0] if found else near(measured, allowed)
        if declared and declared not in found:
            promised = "exactly 0" if declared == "zero" else plus_minus(expected, allowed)
            return Failed(
                given=f"the sum of the spikes at {request.x.size} inputs, differentiated by {name}",
                measured=near(measured, allowed),
                allowed=promised,
                figures=figures,
                witness=Witness(request),
            )
        told = " and ".join(WORDS[kind] for kind in found)
        of_it = f"{near(expected, allowed)}: it is {near(measured, allowed)}"
        told = told or f"neither 0 nor that of the pseudo-derivative, {of_it}"
        remarks += [] if declared else [f"The derivative of the spikes by {name} is {told}."]
    return Passed(figures, tuple(remarks))


PARAMETER = Property(
    id="gradient.parameter",
    promise="The derivative of the spikes by a parameter is what the spec declares of it.",
    observe=_observe_parameter,
    judge=_judge_parameter,
    applies=lambda spec: bool(spec.parameters),
    scope="once",
)
