"""Independence: a surrogate is elementwise, so no element's answer depends on its neighbours or its place."""

from __future__ import annotations

import numpy as np

from surrogate_core.drivers.base import Observation, Request
from surrogate_core.properties.base import Case, Property, Requests, Seen, observed, staged
from surrogate_core.properties.compare import SMALL, slack, unlike
from surrogate_core.properties.outcome import Outcome, Passed

__all__ = ["INDEPENDENCE"]

EAGER = (SMALL,)
STAGED = (131,)
LARGE = (4099,)
"""Judged in ``thorough``. All are odd: the last elements, which fill no SIMD block, are among those that stay."""

STAYS = slice(0, None, 2)
GOES = slice(1, None, 2)


IN_ANOTHER_ORDER = "in another order"


def _lengths(case: Case) -> tuple[int, ...]:
    return {"quick": EAGER, "standard": EAGER + STAGED, "thorough": EAGER + STAGED + LARGE}[case.profile]


def _plain(length: int) -> str:
    return f"{length} elements"


def _neighbours(case: Case) -> dict[str, float]:
    return {
        "NaN": np.nan,
        "+inf": np.inf,
        "-inf": -np.inf,
        "the largest number": case.format.largest,
        "0": 0.0,
    }


def _order(length: int) -> np.ndarray:
    """Where the elements of a permuted array come from. One step of 52 on: no length is a multiple of 2 or 13."""
    return (np.arange(length) * 52 + 17) % length


def _inputs(case: Case, length: int) -> dict[str, np.ndarray]:
    """What is evaluated beside the plain array of a length, by what was done to it."""
    plain = case.sample((length,))
    changed = {IN_ANOTHER_ORDER: plain[_order(length)]}
    for what, value in _neighbours(case).items():
        changed[f"every other one {what}"] = other = plain.copy()
        other[GOES] = value
    return changed


def _observe(case: Case) -> Requests:
    requests: dict[str, Request] = {}
    for length in _lengths(case):
        # Eagerly: what remembers values of other calls, or branches on them, cannot do so within a trace. What
        # depends on the size does, and there one program is cheaper than one for every operation.
        outer = () if length in EAGER else staged(case)
        requests[_plain(length)] = Request("vjp", case.sample((length,)), outer=outer)
        for what, x in _inputs(case, length).items():
            requests[f"{length} elements, {what}"] = Request("vjp", x, outer=outer)
    return requests


def _judge(case: Case, seen: Seen) -> Outcome:
    requests = _observe(case)
    for length in _lengths(case):
        plain = observed(seen[_plain(length)])
        x = requests[_plain(length)].x
        allowed = slack(case, x, np.ones_like(x), plain.gradient)
        for what in _inputs(case, length):
            name = f"{length} elements, {what}"
            answer = observed(seen[name])
            place = _order(length) if what == IN_ANOTHER_ORDER else STAYS
            taken = slice(None) if what == IN_ANOTHER_ORDER else STAYS
            got = Observation(
                _put(plain.value, place, answer.value[taken]), _put(plain.gradient, place, answer.gradient[taken])
            )
            if failure := unlike(case, name, requests[name], got, plain, allowed):
                return failure
    return Passed({"arrays": len(requests)})


def _put(plain: np.ndarray, place: slice | np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The answers that are to be compared, each where its input stands in the plain array."""
    found = plain.astype(kept.dtype)
    found[place] = kept
    return found


INDEPENDENCE = Property(
    id="gradient.independence",
    promise="An element's spike and gradient depend neither on the other elements nor on its place among them.",
    observe=_observe,
    judge=_judge,
    scope="once",
)
