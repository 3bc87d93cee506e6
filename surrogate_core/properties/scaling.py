"""Scaling: where g' depends on p*x alone, another rate at other inputs gives the same gradient.

The rate is multiplied by a power of two and the inputs are divided by it, which rounds neither in any format.
Then x*dg'/dx and p*dg'/dp are the same for both, hence the bound B, and two answers agree within 2*B.

At the rate 1, which the claim names, the input p*x is rounded, which moves the gradient by u*|x*dg'/dx| <= B/2:
there they agree within 5/2*B.
"""

from __future__ import annotations

import numpy as np

from surrogate_core.drivers.base import Request
from surrogate_core.errors import BadInput
from surrogate_core.properties.base import (
    Case,
    Property,
    Requests,
    Seen,
    agreement,
    breach,
    gravest,
    observed,
    shown,
    whole_sweep,
    wide,
)
from surrogate_core.properties.outcome import Outcome, Passed
from surrogate_core.spec.claims import ScalesWith
from surrogate_core.spec.digits import as_decimal, plus_minus
from surrogate_core.spec.model import Parameters
from surrogate_core.spec.sweep import simplest

__all__ = ["SCALING"]

FACTORS = (8.0, 0.125, 2.0, 0.5)
"""In the order of preference; the domain of the parameter decides."""


def _other(case: Case) -> tuple[float, Parameters] | None:
    """(factor, parameters with the scaled rate); ``None`` where the domain has no room for another rate."""
    claim = case.spec.claim(ScalesWith)
    given = dict(case.parameters)
    for parameter in case.spec.parameters if claim else ():
        if claim and parameter.symbol == claim.parameter:
            for factor in FACTORS:
                try:
                    scaled = parameter.check(given[parameter.name] * factor)
                except BadInput:
                    continue
                return factor, tuple({**given, parameter.name: scaled}.items())
    return None


def _observe(case: Case) -> Requests:
    if (other := _other(case)) is None:
        return {}
    requests = {"here": whole_sweep(case)}
    for name, (factor, parameters, _) in _elsewhere(case, other).items():
        with np.errstate(over="ignore"):
            scaled = (np.where(_clear(case, factor), case.sweep.exact, 0.0) / factor).astype(case.format.dtype)
        requests[name] = Request("vjp", scaled, parameters=parameters)
    return requests


def _elsewhere(case: Case, other: tuple[float, Parameters]) -> dict[str, tuple[float, Parameters, float]]:
    """Name -> (what the rate is multiplied by, the parameters, how many B the answers may lie apart)."""
    factor, parameters = other
    (name,) = (n for n, v in case.parameters if dict(parameters)[n] != v)
    rate = dict(case.parameters)[name]
    at_one = tuple({**dict(case.parameters), name: 1.0}.items())
    places = {"there": (factor, parameters, 2.0)}
    (parameter,) = (p for p in case.spec.parameters if p.name == name)
    return places if rate == 1 or 1 not in parameter.domain else places | {"at rate 1": (1 / rate, at_one, 2.5)}


def _clear(case: Case, factor: float) -> np.ndarray:
    """Which inputs of the sweep neither overflow nor lose bits when they are divided."""
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.abs(case.sweep.exact)
        nearest, farthest = np.fmin(size, size / factor), np.fmax(size, size / factor)
    return (nearest >= case.format.smallest_normal) & (farthest <= case.format.largest)


def _judge(case: Case, seen: Seen) -> Outcome:
    requests, other = _observe(case), _other(case)
    assert other is not None  # it would have been skipped
    here = wide(observed(seen["here"]).gradient)
    judged = 0
    for name, (factor, parameters, bounds) in _elsewhere(case, other).items():
        clear, there = _clear(case, factor), observed(seen[name]).gradient
        tolerance = agreement(case, np.where(clear, case.sweep.exact, 0.0))[0] * bounds / 2
        with np.errstate(all="ignore"):
            error = np.abs(wide(there) - here)
            wrong = clear & ~(error <= tolerance)
        if wrong.any():
            index = simplest(case.sweep.x, gravest(case, requests[name], wrong, error))
            rates = ", ".join(f"{name} = {as_decimal(value)}" for name, value in parameters)
            return breach(
                case,
                requests[name],
                index,
                there[index],
                f"with {rates}: what {', '.join(f'{n} = {as_decimal(v)}' for n, v in case.parameters)} gives at "
                f"x = {shown(case, case.sweep.x[index])}, {plus_minus(here[index], tolerance[index], case.format)}",
                error[wrong],
                {"wrong": int(wrong.sum())},
            )
        judged += int(clear.sum())
    return Passed({"inputs": judged, "factor": other[0]})


SCALING = Property(
    id="gradient.scaling",
    promise="The gradient depends on input times rate alone: at another rate and scaled inputs it is the same.",
    observe=_observe,
    judge=_judge,
    applies=lambda spec: spec.claim(ScalesWith) is not None,
    scope="once",
    skip=lambda case: None if _other(case) else "no other rate lies in the domain of the parameter",
)
