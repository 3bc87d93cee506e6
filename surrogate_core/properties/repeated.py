"""Determinism: a call that is repeated is answered as before, bit for bit, whatever came between.

No tolerance is needed: both calls do the same arithmetic on the same numbers, and what rounds, rounds alike.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surrogate_core.drivers.base import Observation, Request
from surrogate_core.properties.base import Case, Property, Requests, Seen, negligible, observed, whole_sweep, wide
from surrogate_core.properties.compare import SMALL, cotangents, distance
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Witness
from surrogate_core.spec.digits import in_format
from surrogate_core.spec.formats import FORMATS
from surrogate_core.spec.sweep import simplest

__all__ = ["REPEATED"]

WHO = "repeated"
ANEW = "call 5, a second cotangent pulled back through one forward pass"
FIRST, ALL = "call 1", "forward and backward over all inputs"
AGAIN, LATER, ALL_AGAIN = "call 2, the same again", "call 4, the first once more", f"{ALL}, again"

REPEATS = {AGAIN: FIRST, LATER: FIRST, ALL_AGAIN: ALL, ANEW: FIRST}
"""Which call each of them repeats."""


def _observe(case: Case) -> Requests:
    x, other = case.sample((2, SMALL))
    direction = cotangents(case, x.shape)

    def call(turn: int, at: np.ndarray) -> Request:
        return Request("vjp", at, direction=direction, instance=WHO, turn=turn)

    return {
        FIRST: call(0, x),
        AGAIN: call(1, x),
        "another input between": call(2, other),
        LATER: call(3, x),
        ANEW: replace(call(4, x), operation="vjp again"),
        ALL: whole_sweep(case),
        ALL_AGAIN: replace(whole_sweep(case), turn=1),
    }


def _judge(case: Case, seen: Seen) -> Outcome:
    requests = _observe(case)
    for name, earlier in REPEATS.items():
        if failure := _changed(case, name, requests, observed(seen[name]), observed(seen[earlier])):
            return failure
    return Passed({"repeated": len(REPEATS)})


def _changed(case: Case, name: str, requests: Requests, got: Observation, first: Observation) -> Failed | None:
    for what, now, before in (("spikes", got.value, first.value), ("gradient", got.gradient, first.gradient)):
        if now.dtype != before.dtype:
            return Failed(name, f"{what} of {now.dtype.name}", f"{what} of {before.dtype.name}, as at first")
        other = _bits(now) != _bits(before)
        if not other.any():
            continue
        request, fmt = requests[name], FORMATS.get(now.dtype.name, FORMATS["float64"])
        at = simplest(request.x, other)
        apart = distance(wide(now), wide(before))[other].max()
        weight = 1.0 if request.direction is None else max(1.0, float(np.abs(wide(request.direction)).max()))
        severity = float(apart) / ((case.sweep.expected.peak or 1.0) * weight if what == "gradient" else 1.0)
        small = request.x.size == SMALL
        earlier = [r for n, r in requests.items() if r.instance and n != name and r.turn < request.turn]
        # What two backward passes of one call do to each other shows by itself.
        calls = () if name == ANEW else tuple(earlier)
        return Failed(
            given=f"{name}, x = {in_format(request.x[at], case.format)}: "
            f"{int(other.sum())} of {other.size} answers changed",
            measured=f"{what}[{at}] = {in_format(now[at], fmt)}",
            allowed=f"{in_format(before[at], fmt)}, as at first, bit for bit",
            severity=severity,
            witness=Witness(request, at, calls) if small else None,
            kind="weakness" if what == "gradient" and severity <= negligible(case.sweep.expected) else "defect",
        )
    return None


def _bits(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}")


REPEATED = Property(
    id="state.repeated",
    promise="A call that is repeated is answered as before, bit for bit.",
    observe=_observe,
    judge=_judge,
    scope="once",
)
