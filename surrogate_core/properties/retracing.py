"""Retracing: JAX compiles once for a shape and dtype, unless an implementation makes it compile for every call."""

from __future__ import annotations

from surrogate_core.drivers.base import Request, Transform, describe
from surrogate_core.properties.base import Case, Property, Requests, Seen, observed
from surrogate_core.properties.compare import SMALL, cotangents
from surrogate_core.properties.outcome import Failed, Outcome, Passed

__all__ = ["RETRACING"]

SHAPE = (SMALL,)


def _observe(case: Case) -> Requests:
    x, directions = case.sample(SHAPE), cotangents(case, SHAPE)
    # Ordinary values again, none in its place and the largest another one, which nothing has been called with
    # yet. Both zeros and both signs remain: code that looks at its input has no reason to go another way.
    others = [(x[::-1] * x.dtype.type(factor)).astype(x.dtype) for factor in (0.5, 0.625, 0.75)]
    requests = (
        Request("value", others[0], warm=x),
        Request("vjp", others[1], direction=directions, warm=x),
        Request("vjp", others[2], direction=directions, warm=x, outer=(Transform("jit"),)),
    )
    return {describe(request.operation, (), request.outer): request for request in requests}


def _judge(case: Case, seen: Seen) -> Outcome:
    compiled = {name: observed(answer).compiled for name, answer in seen.items()}
    for name, programs in compiled.items():
        if programs:
            return Failed(
                f"a second call of {name}, with other values of the same shape and dtype",
                f"{programs} program{'s' if programs > 1 else ''} compiled",
                "none: the first call compiled what it needs",
                figures={"compiled": compiled},
            )
    return Passed({"calls": list(compiled)})


RETRACING = Property(
    id="cost.retracing",
    promise="A second call with other values of the same shape and dtype compiles nothing.",
    observe=_observe,
    judge=_judge,
    scope="once",
    frameworks=("jax",),
)
