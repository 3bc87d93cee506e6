"""Copies of a spike function answer as it does: a network is deep-copied, stored, and sent to other processes."""

from __future__ import annotations

from surrogate_core.drivers.base import Request, Transform, TransformName, Unsupported
from surrogate_core.drivers.copies import Uncopied
from surrogate_core.properties.base import Case, Property, Requests, Seen, observed, staged
from surrogate_core.properties.compare import SMALL, cotangents, slack, unlike
from surrogate_core.properties.outcome import Outcome, Passed
from surrogate_core.properties.outcome import Unsupported as UnsupportedOutcome

__all__ = ["COPIES"]

NAMES: tuple[TransformName, ...] = ("deepcopy", "pickle")
SHAPE = (SMALL,)


def _observe(case: Case) -> Requests:
    x, directions = case.sample(SHAPE), cotangents(case, SHAPE)
    plain = {"plain": Request("vjp", x, direction=directions, outer=staged(case))}
    return plain | {
        name: Request("vjp", x, direction=directions, inner=(Transform(name),), outer=staged(case)) for name in NAMES
    }


def _judge(case: Case, seen: Seen) -> Outcome:
    requests, plain = _observe(case), observed(seen["plain"])
    allowed = slack(case, requests["plain"].x, cotangents(case, SHAPE), plain.gradient)
    refused: dict[str, Unsupported] = {}
    for name in NAMES:
        answer = seen[name]
        if isinstance(answer, Unsupported):
            refused[name] = answer
        elif failure := unlike(case, f"a {name} of the spike function", requests[name], answer, plain, allowed):
            return failure
    if len(refused) == len(NAMES):
        return UnsupportedOutcome("; ".join(map(str, refused.values())))
    # Closures are not expected to be pickled; an object with a state of its own, such as a module, is.
    remarks = tuple(str(answer) for answer in refused.values() if isinstance(answer, Uncopied) and answer.instance)
    return Passed({name: name not in refused for name in NAMES}, remarks)


COPIES = Property(
    id="state.copies",
    promise="A deepcopy of the spike function, and one that was pickled, give its spikes and its gradient.",
    observe=_observe,
    judge=_judge,
    scope="once",
)
