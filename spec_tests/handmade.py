"""Surrogates on paper: implementations in NumPy, so that judges are tested without a framework.

``ask`` plays the driver: it answers a request from a forward function and a derivative, both of float64 arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from hypothesis import HealthCheck, find, settings

from surrogate_core.drivers.base import Observation, Request, Unsupported
from surrogate_core.properties import Case, Property, Search, Statement
from surrogate_core.properties.base import Requests, Seen
from surrogate_core.properties.outcome import Failed, Outcome, Passed
from surrogate_core.spec import Spec, get_spec

SLAYER = get_spec("slayer")
DTYPES = ("float16", "bfloat16", "float32", "float64")
ALPHA = 0.7
"""Neither 1 nor a power of two, so that products round."""

Function = Callable[[np.ndarray], Any]


def case(dtype: str = "float32", alpha: float = ALPHA, spec: Spec = SLAYER, **changes: Any) -> Case:
    """A case of the quick profile on a device that nobody asks for."""
    return Case(spec, dtype, (("alpha", alpha),), "cpu:0", **{"profile": "quick", **changes})


def step(x: np.ndarray) -> np.ndarray:
    """The forward of SLAYER: 1 from the threshold on, 0 below it and at NaN."""
    return np.where(x >= 0, 1.0, 0.0)


def slayer(alpha: float = ALPHA) -> Function:
    """The pseudo-derivative, in float64."""
    return lambda x: np.exp(-alpha * np.abs(x))


def rounded(values: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """``values`` rounded once to a format."""
    with np.errstate(all="ignore"):
        return np.asarray(values, np.float64).astype(dtype)


def ask(request: Request, forward: Function = step, derivative: Function | None = None) -> Observation:
    """What the implementation answers; every operation and transformation, its results rounded once."""
    dtype, x = request.x.dtype, rounded(request.x, np.dtype(np.float64))
    with np.errstate(all="ignore"):
        spikes, slope = np.asarray(forward(x)), np.asarray((derivative or slayer())(x))
    for t in request.inner:
        spikes = spikes if t.name == "jit" else np.moveaxis(spikes, t.in_axis, t.out_axis)
    if request.operation == "value":
        return Observation(rounded(spikes, dtype))
    direction = np.ones_like(spikes) if request.direction is None else rounded(request.direction, np.dtype(np.float64))
    if request.operation == "vjp":
        for t in reversed(request.inner):
            direction = direction if t.name == "jit" else np.moveaxis(direction, t.out_axis, t.in_axis)
    with np.errstate(all="ignore"):
        derived = np.diag(slope) if request.operation in ("jacrev", "jacfwd") else slope * direction
    for t in request.outer:
        if t.name == "vmap":
            spikes, derived = (np.moveaxis(a, t.in_axis, t.out_axis) for a in (spikes, derived))
    return Observation(rounded(spikes, dtype), rounded(derived, dtype))


def judge(
    judged: Statement,
    where: Case,
    forward: Function = step,
    derivative: Function | None = None,
    instead: Mapping[str, Observation | Unsupported] | None = None,
    example: Any = None,
) -> Outcome:
    """The judgement of an implementation; ``instead`` replaces answers by the names of their requests.

    Of a search, ``example`` is judged, or else its simplest one.
    """
    derivative = derivative or slayer(dict(where.parameters)["alpha"])
    requests, verdict = bound(judged, where, example)
    seen = {name: ask(request, forward, derivative) for name, request in requests.items()}
    assert set(instead or {}) <= set(seen)
    return verdict({**seen, **(instead or {})})


def bound(judged: Statement, where: Case, example: Any = None) -> tuple[Requests, Callable[[Seen], Outcome]]:
    """What a property asks for in a case, and its judge there; of a search, for one example."""
    if isinstance(judged, Search):
        drawn = simplest_example(judged, where) if example is None else example
        return judged.observe(where, drawn), partial(judged.judge, where, drawn)
    assert isinstance(judged, Property)
    return judged.observe(where), partial(judged.judge, where)


def simplest_example(judged: Search, where: Case) -> Any:
    """What Hypothesis tries first."""
    quiet = settings(database=None, suppress_health_check=list(HealthCheck), derandomize=True)
    return find(judged.examples(where), lambda _: True, settings=quiet)


def failed(outcome: Outcome) -> Failed:
    """The outcome, once it is a failure."""
    assert isinstance(outcome, Failed), outcome
    return outcome


def passed(outcome: Outcome) -> Passed:
    """The outcome, once it is a pass."""
    assert isinstance(outcome, Passed), outcome
    return outcome


def finite(x: np.ndarray) -> np.ndarray:
    """``x`` with infinities replaced by 0, for a defect that is to show at finite inputs only."""
    return np.where(np.isinf(x), 0.0, x)
