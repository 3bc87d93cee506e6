"""Several live instances, called in any order: no answer depends on what was asked before, or of whom.

The drawn program is a plain value (instances with their parameters, and calls of them), so that the shortest
one that fails can be shrunk, stored and written down as a script. Answers are compared with the formula, so
that a first wrong answer cannot become the norm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from surrogate_core.drivers.base import Observation, Operation, Request
from surrogate_core.properties.base import Case, Requests, Search, Seen, negligible, observed, shown, wide
from surrogate_core.properties.compare import SMALL
from surrogate_core.properties.examples import decode
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Witness
from surrogate_core.spec.digits import in_format, plus_minus
from surrogate_core.spec.model import Parameter, Parameters
from surrogate_core.spec.oracle import expect, forward, reach
from surrogate_core.spec.sweep import simplest

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["INSTANCES", "Call", "Play"]

LENGTH = SMALL
"""Inputs of a call."""

OPERATIONS: tuple[Operation, ...] = ("vjp", "value", "late vjp")
WEIGHTS = (1.0, -2.0, 0.0, 0.5, 3.0, -0.75)


@dataclass(frozen=True)
class Call:
    """One call of one instance: the spikes of inputs, or a cotangent pulled back.

    Attributes:
        instance: its number.
        turn: which inputs; another turn has others.
        weights: the cotangent, repeated as often as needed.
    """

    instance: int = 0
    operation: Operation = "vjp"
    turn: int = 0
    weights: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class Play:
    """Live instances, by their parameters, and the calls of them, in order."""

    instances: tuple[Parameters, ...]
    calls: tuple[Call, ...]


def _values(parameter: Parameter) -> SearchStrategy[float]:
    """Over the domain: special values, and log-uniform far beyond the typical ones."""
    from hypothesis import strategies as st

    low, high = parameter.search_range()
    if low <= 0:
        return st.one_of(st.sampled_from(parameter.special_values()), st.floats(low, high))
    drawn = st.floats(math.log(low), math.log(high)).map(lambda e: min(max(float(f"{math.exp(e):.3g}"), low), high))
    return st.one_of(st.sampled_from(parameter.special_values()), drawn)


def _examples(case: Case) -> SearchStrategy[Play]:
    from hypothesis import strategies as st

    names = [p.name for p in case.spec.parameters]
    instance = st.tuples(*map(_values, case.spec.parameters)).map(lambda v: tuple(zip(names, v, strict=True)))

    def calls(instances: list[Any]) -> SearchStrategy[Play]:
        call = st.builds(
            Call,
            st.integers(0, len(instances) - 1),
            st.sampled_from(OPERATIONS),
            st.integers(0, TURNS - 1),
            st.lists(st.sampled_from(WEIGHTS), min_size=1, max_size=COTANGENT).map(tuple),
        )
        return st.lists(call, min_size=1, max_size=CALLS).map(lambda c: Play(tuple(instances), tuple(c)))

    return st.lists(instance, min_size=1, max_size=LIVE).flatmap(calls)


def _simpler(play: Play) -> Iterator[Play]:
    """Without the instances that nobody calls; each call alone, the last first; all calls but one."""
    count = len(play.calls)
    if (tidy := _of(play, play.calls)) != play:
        yield tidy
    if count > 1:
        yield from (_of(play, (call,)) for call in reversed(play.calls))
    if count > 2:
        yield from (_of(play, play.calls[:n] + play.calls[n + 1 :]) for n in range(count))


def _of(play: Play, calls: tuple[Call, ...]) -> Play:
    """The program of these calls alone, and of the instances that they are calls of, in the order of the calls."""
    used = [*dict.fromkeys(call.instance for call in calls)]
    renumbered = tuple(replace(call, instance=used.index(call.instance)) for call in calls)
    return Play(tuple(play.instances[number] for number in used), renumbered)


CALLS, LIVE, TURNS, COTANGENT = 12, 3, 4, 3
"""Of a drawn program: the most calls, instances, different inputs, and numbers in a cotangent."""


def _restored(case: Case, stored: str) -> Play:
    play: Play = decode(Play, stored)
    sizes = 1 <= len(play.instances) <= LIVE and 1 <= len(play.calls) <= CALLS
    calls = all(
        0 <= c.instance < len(play.instances)
        and c.operation in OPERATIONS
        and 0 <= c.turn < TURNS
        and 1 <= len(c.weights) <= COTANGENT
        and set(c.weights) <= set(WEIGHTS)
        for c in play.calls
    )
    parameters = case.spec.parameters
    named = all([name for name, _ in values] == [p.name for p in parameters] for values in play.instances)
    if not (sizes and calls and named):
        raise ValueError(f"a program {stored}, beyond those that are drawn")
    for values in play.instances:
        for parameter, (_, value) in zip(parameters, values, strict=True):
            parameter.check(value)
    return play


@cache
def _inputs(case: Case, parameters: Parameters, turn: int) -> np.ndarray:
    """Both signs, within a few widths of the threshold; another arrangement and another scale each turn."""
    steps = np.arange(1, LENGTH + 1) * 0.6180339887498949 * (turn + 1) % 1.0 - 0.5
    steps[turn % LENGTH] = 0.0
    return (steps * 2 * reach(case.spec, parameters)).astype(case.format.dtype)


def _observe(case: Case, play: Play) -> Requests:
    requests: dict[str, Request] = {}
    # Named after the whole program: another program has instances of its own, and a repeated one its answers.
    program = f"{hash(play):x}"
    for number, call in enumerate(play.calls):
        parameters = play.instances[call.instance]
        x = _inputs(case, parameters, call.turn)
        direction = None if call.operation == "value" else np.resize(call.weights, LENGTH).astype(x.dtype)
        who = f"{program}:{call.instance}"
        requests[str(number)] = Request(
            call.operation, x, direction, parameters=parameters, instance=who, turn=number
        )  # fmt: skip
    return requests


def _judge(case: Case, play: Play, seen: Seen) -> Outcome:
    requests = _observe(case, play)
    for number, call in enumerate(play.calls):
        request, answer = requests[str(number)], observed(seen[str(number)])
        if told := _wrong(case, request, answer):
            index, measured, allowed, severity, kind = told
            who = ", ".join(f"{name}={value:g}" for name, value in play.instances[call.instance])
            earlier = tuple(requests[str(n)] for n in range(number))
            return Failed(
                given=f"call {number + 1} of {_told(play)}: {call.operation} of the instance with "
                f"{who or 'no parameters'} at x = {shown(case, request.x[index])}",
                measured=measured,
                allowed=allowed,
                severity=severity,
                witness=Witness(request, index, earlier),
                kind=kind,
            )
    return Passed({"instances": len(play.instances), "calls": len(play.calls)})


def _told(play: Play) -> str:
    calls = len(play.calls)
    return f"{calls} call{'s' * (calls > 1)} to {len(play.instances)} instance{'s' * (len(play.instances) > 1)}"


def _wrong(
    case: Case, request: Request, answer: Observation
) -> tuple[int, str, str, float | None, Literal["defect", "weakness"]] | None:
    """(index, measured, allowed, severity, kind) of the simplest input with a wrong answer."""
    parameters, exact = request.parameters or (), wide(request.x)
    spikes = forward(case.spec, parameters, exact)
    missed = wide(answer.value) != spikes
    if missed.any():
        at = simplest(request.x, missed)
        due = f"exactly {in_format(spikes[at], case.format)}"
        return at, f"spike {shown(case, answer.value[at])}", due, None, "defect"
    if answer.derivative is None or request.direction is None:
        return None
    expected, weight = expect(case.spec, parameters, case.format, exact), wide(request.direction)
    # The gradient may be off by its bound; times the cotangent it is rounded once more, or flushed.
    slack = np.where(expected.flushed, expected.floor, 0.0) + expected.slack
    promised = weight * expected.gradient
    allowed = np.abs(weight) * slack + case.format.unit_roundoff * np.abs(promised) + case.format.smallest_normal
    allowed = np.where(weight == 0, 0.0, allowed)
    error = np.abs(wide(answer.derivative) - promised)
    wrong = ~(error <= allowed)
    if not wrong.any():
        return None
    # A large cotangent makes large errors: the severity is the gradient's.
    share = np.where(np.isnan(error), np.inf, error) / np.maximum(np.abs(weight), 1.0) / (expected.peak or 1.0)
    severity = float(share[wrong].max())
    grave = wrong & (share > negligible(expected))
    at = simplest(request.x, grave if grave.any() else wrong)
    return (
        at,
        shown(case, answer.derivative[at]),
        f"{plus_minus(promised[at], allowed[at])} for a cotangent of {weight[at]:g}",
        severity,
        "weakness" if severity <= negligible(expected) else "defect",
    )


INSTANCES = Search(
    id="state.instances",
    promise="Instances with any parameters, called in any order and repeatedly, keep to their own formula.",
    examples=_examples,
    observe=_observe,
    judge=_judge,
    effort={"quick": 3, "standard": 14, "thorough": 200},
    restored=_restored,
    scope="once",
    shrinks=250,
    simpler=_simpler,
)
