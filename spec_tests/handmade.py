"""Surrogates on paper: implementations in NumPy, so that judges are tested without a framework.

``ask`` plays the driver: it answers a request from a forward function and a derivative, both of float64 arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np
from hypothesis import Phase, given, settings

from surrogate_core.drivers.base import Observation, Request, Unsupported
from surrogate_core.engine import search
from surrogate_core.engine.bench import Bench
from surrogate_core.properties import Case, Property, Search, Statement
from surrogate_core.properties.base import Requests, Seen
from surrogate_core.properties.outcome import Failed, Outcome, Passed
from surrogate_core.spec import Spec, get_spec

SLAYER = get_spec("slayer")
DTYPES = ("float16", "bfloat16", "float32", "float64")
ALPHA = 0.7
"""Neither 1 nor a power of two, so that products round."""
ROUNDED = (4 + 4 * 6.3 + 2) * 2.0**-24
"""How far a right answer in float32 may be from the formula, as a share of it, where alpha * abs(x) is at most 6.3.

The bound of SLAYER is u * (4 + 4 * alpha * abs(x)) of the gradient; times a cotangent it is rounded once more, and so
is what it is compared with.
"""

Function = Callable[[np.ndarray], Any]


def case(dtype: str = "float32", alpha: float = ALPHA, spec: Spec = SLAYER, **changes: Any) -> Case:
    """A case of the quick profile on a device that nobody asks for."""
    return Case(spec, dtype, (("alpha", alpha),), "cpu:0", **{"profile": "quick", **changes})


def step(x: np.ndarray) -> np.ndarray:
    """The forward of SLAYER: 1 from the threshold on, 0 below it and at NaN."""
    return np.where(x >= 0, 1.0, 0.0)


@dataclass(frozen=True)
class Slayer:
    """The pseudo-derivative in float64, with what is derived from it."""

    alpha: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.exp(-self.alpha * np.abs(x))

    def second(self, x: np.ndarray) -> np.ndarray:
        """Its derivative by x."""
        return -self.alpha * np.sign(x) * self(x)

    def smooth(self, x: np.ndarray) -> np.ndarray:
        """Its antiderivative."""
        return -np.sign(x) * np.expm1(-self.alpha * np.abs(x)) / self.alpha


def slayer(alpha: float = ALPHA) -> Slayer:
    """The pseudo-derivative, in float64."""
    return Slayer(alpha)


def rounded(values: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """``values`` rounded once to a format."""
    with np.errstate(all="ignore"):
        return np.asarray(values, np.float64).astype(dtype)


def ask(request: Request, forward: Function = step, derivative: Function | None = None) -> Observation:
    """What the implementation answers; every operation and transformation, its results rounded once."""
    if request.operation in BEYOND:
        with np.errstate(all="ignore"):
            return BEYOND[request.operation](request, forward, derivative or slayer())
    dtype, x = request.x.dtype, rounded(request.x, np.dtype(np.float64))
    with np.errstate(all="ignore"):
        spikes, slope = np.asarray(forward(x)), np.asarray((derivative or slayer())(x))
    for t in request.inner:
        spikes = np.moveaxis(spikes, t.in_axis, t.out_axis) if t.name == "vmap" else spikes
    if request.operation == "value":
        return Observation(rounded(spikes, dtype))
    direction = np.ones_like(spikes) if request.direction is None else rounded(request.direction, np.dtype(np.float64))
    if request.operation == "vjp":
        for t in reversed(request.inner):
            direction = np.moveaxis(direction, t.out_axis, t.in_axis) if t.name == "vmap" else direction
    with np.errstate(all="ignore"):
        derived = np.diag(slope) if request.operation in ("jacrev", "jacfwd") else slope * direction
    for t in request.outer:
        if t.name == "vmap":
            spikes, derived = (np.moveaxis(a, t.in_axis, t.out_axis) for a in (spikes, derived))
    return Observation(rounded(spikes, dtype), rounded(derived, dtype))


def exact(array: np.ndarray | None, like: np.ndarray) -> np.ndarray:
    """``array`` in float64, ones like the other where there is none."""
    return np.ones_like(like) if array is None else rounded(array, np.dtype(np.float64))


def _affine(request: Request, forward: Function, derivative: Function) -> Observation:
    w, b, x = (exact(a, request.x) for a in (*request.weights, request.x))
    z = w @ x + b
    arriving = exact(request.direction, z) * np.asarray(derivative(z))
    pulled = np.concatenate([np.outer(arriving, x).ravel(), arriving, w.T @ arriving])
    return Observation(rounded(forward(z), request.x.dtype), rounded(pulled, request.x.dtype))


def _recurrent(request: Request, forward: Function, derivative: Function) -> Observation:
    x, decay = exact(request.x, request.x), float(request.weights[0])
    u, potentials, spikes = np.zeros(x.shape[1:]), [], []
    for current in x:
        u = decay * u + current
        potentials.append(u)
        spikes.append(np.asarray(forward(u)))
        u = u - spikes[-1]
    pulled, later = np.zeros(x.shape), np.zeros(x.shape[1:])
    for t in reversed(range(x.shape[0])):
        through = (exact(request.direction, x)[t] - later) * np.asarray(derivative(potentials[t]))
        pulled[t] = later + through
        later = decay * pulled[t]
    return Observation(rounded(np.stack(spikes), request.x.dtype), rounded(pulled, request.x.dtype))


def _second(request: Request, forward: Function, derivative: Function) -> Observation:
    x = exact(request.x, request.x)
    second = derivative.second(x) if isinstance(derivative, Slayer) else np.zeros_like(x)
    return Observation(rounded(forward(x), request.x.dtype), rounded(second, request.x.dtype))


def _parameter(request: Request, forward: Function, derivative: Function) -> Observation:
    return Observation(rounded(forward(exact(request.x, request.x)), request.x.dtype), np.zeros((), request.x.dtype))


def _residuals(request: Request, forward: Function, derivative: Function) -> Observation:
    spikes = rounded(forward(exact(request.x, request.x)), request.x.dtype)
    return Observation(spikes, np.array(float(request.x.nbytes)))


def _smooth(request: Request, forward: Function, derivative: Function) -> Observation:
    x = exact(request.x, request.x)
    return Observation((derivative.smooth if isinstance(derivative, Slayer) else derivative)(x))


BEYOND: Mapping[str, Callable[[Request, Function, Function], Observation]] = {
    "affine": _affine,
    "recurrent": _recurrent,
    "second": _second,
    "parameter": _parameter,
    "residuals": _residuals,
    "smooth": _smooth,
}
"""Operations that are more than the spikes and their pseudo-derivative."""


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
    requests, verdict = bound(judged, where, example)
    seen = {
        name: ask(request, forward, derivative or slayer(dict(request.parameters or where.parameters)["alpha"]))
        for name, request in requests.items()
    }
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
    tried: list[Any] = []
    once = settings(max_examples=1, phases=[Phase.generate], database=None, deadline=None, derandomize=True)

    def keep(example: Any) -> None:
        tried.append(example)

    once(given(judged.examples(where))(keep))()
    return tried[0]


@dataclass
class Paper:
    """Plays the bench: evaluates nothing, and knows what it was asked."""

    case: Case
    evaluated: list[Any] = field(default_factory=list)
    forgotten: list[set[str]] = field(default_factory=list)
    seen: set[Any] = field(default_factory=set)

    def known(self, requests: Iterable[Request]) -> bool:
        return all(request.key in self.seen for request in requests)

    def forget(self, instances: set[str]) -> None:
        self.forgotten.append(instances)


def found_on_paper(judged: Search, where: Case, settle: search.Settle, first: Any = None) -> tuple[Outcome, Paper]:
    """The outcome of a search whose examples ``settle`` answers and judges, and the bench it was done on."""
    bench = Paper(where)

    def noted(example: Any, requests: Requests) -> Outcome:
        keys = {request.key for request in requests.values()}
        if not keys <= bench.seen:
            bench.evaluated.append(example)
        bench.seen |= keys
        return settle(example, requests)

    return search.run(judged, cast("Bench", bench), noted, first), bench


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
