"""What belongs to the caller, the arguments of a call and earlier answers, stays bit for bit as it was."""

from __future__ import annotations

from surrogate_core.drivers.base import Request
from surrogate_core.properties.base import Case, Property, Requests, Seen, observed, spikes_alone, whole_sweep
from surrogate_core.properties.compare import SMALL, cotangents
from surrogate_core.properties.outcome import Failed, Outcome, Passed

__all__ = ["ARGUMENTS"]

SHAPES: tuple[tuple[int, ...], ...] = ((SMALL,),)
EAGER_SHAPES: tuple[tuple[int, ...], ...] = (*SHAPES, (), (3, 4, 5), (4099,))
"""Where nothing is compiled for a shape; a rule that works in place may do so for some sizes or ranks only."""


def _observe(case: Case) -> Requests:
    # Never staged: a traced rule gets no memory that it could write to or donate.
    requests = {"the spikes alone": spikes_alone(case), "forward and backward": whole_sweep(case)}
    for shape in SHAPES if case.framework == "jax" else EAGER_SHAPES:
        x = case.sample(shape)
        requests[f"the spikes alone, x of shape {shape}"] = Request("value", x)
        requests[f"forward and backward, x of shape {shape}"] = Request("vjp", x, direction=cotangents(case, shape))
    first, second = case.sample((2, SMALL))
    direction = cotangents(case, second.shape)
    # Who keeps memory for the answers may do so where nothing asks for a gradient, and there alone.
    requests["the spikes alone, once more"] = Request("value", second, warm=first)
    requests["forward and backward, once more"] = Request("vjp", second, direction=direction, warm=first)
    return requests


def _judge(case: Case, seen: Seen) -> Outcome:
    for name, _ in sorted(_observe(case).items(), key=lambda named: max(named[1].x.size, 2)):
        if touched := observed(seen[name]).touched:
            return Failed(name, ", ".join(touched), "x, the cotangent and earlier answers bit for bit as they were")
    return Passed({"calls": len(seen)})


ARGUMENTS = Property(
    id="state.arguments",
    promise="Forward and backward leave the input, the cotangent and the answers to earlier calls as they were.",
    observe=_observe,
    judge=_judge,
    scope="once",
)
