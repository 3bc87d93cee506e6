"""What PyTorch alone has: tensors that are not contiguous, modes without a graph, and autocast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surrogate_core.drivers.base import Observation, Request, Transform, TransformName
from surrogate_core.properties.base import Case, Property, Requests, Seen, observed, wide
from surrogate_core.properties.compare import cotangents, slack, unlike
from surrogate_core.properties.outcome import Outcome, Passed

__all__ = ["AUTOCAST", "GRAD_MODES", "LAYOUT"]

SHAPE = (2, 3, 4, 5)
"""Of rank 4, which channels_last takes; and no two axes are alike."""

LAYOUTS: tuple[TransformName, ...] = ("transposed", "sliced", "expanded", "channels_last")
ARRIVING: dict[TransformName, str] = {
    "transposed cotangent": "a transposed cotangent",
    "sliced cotangent": "a sliced cotangent",
    "expanded cotangent": "a cotangent of stride 0, as sum() sends it back",
    "repeated cotangent": "a cotangent of stride 0 along the first axis, as sum(0) sends it back",
}
"""Layouts of the cotangent, in words."""

MODES: tuple[TransformName, ...] = ("no_grad", "inference_mode")
CAST: tuple[TransformName, ...] = ("autocast",)


def _observe(case: Case, names: tuple[TransformName, ...]) -> Requests:
    """Forward and backward, plain and transformed, with cotangents that are not all alike."""
    x, directions = case.sample(SHAPE), cotangents(case, SHAPE)
    plain = {"plain": Request("vjp", x, direction=directions)}
    return plain | {name: Request("vjp", x, direction=directions, inner=(Transform(name),)) for name in names}


def _judge(case: Case, seen: Seen, names: tuple[TransformName, ...]) -> Outcome:
    requests, plain = _observe(case, names), observed(seen["plain"])
    allowed = slack(case, requests["plain"].x, cotangents(case, SHAPE), plain.gradient)
    for name in names:
        given = f"{name}, x of shape {SHAPE}"
        if name == "expanded":
            # What is expanded gets a sum, of which an infinite gradient times a cotangent of 0 makes a NaN.
            allowed = np.where(np.isfinite(wide(plain.gradient)), allowed, np.inf)
        if failure := unlike(case, given, requests[name], observed(seen[name]), plain, allowed):
            return failure
    return Passed({"under": list(names)})


def _arriving(case: Case) -> dict[TransformName, np.ndarray]:
    """Cotangents that their layout can hold: sum() sends back one number, sum(0) one row, neither need be of ones."""
    mixed = cotangents(case, SHAPE)
    held = {"expanded cotangent": np.full_like(mixed, 3), "repeated cotangent": np.broadcast_to(mixed[0], SHAPE)}
    return {name: held.get(name, mixed) for name in ARRIVING}


CONTIGUOUS = "{name}, contiguous"


def _observe_layouts(case: Case) -> Requests:
    requests = dict(_observe(case, LAYOUTS))
    for name, directions in _arriving(case).items():
        plain = requests[CONTIGUOUS.format(name=name)] = Request("vjp", requests["plain"].x, direction=directions)
        requests[name] = replace(plain, outer=(Transform(name),))
    return requests


def _judge_layouts(case: Case, seen: Seen) -> Outcome:
    outcome = _judge(case, seen, LAYOUTS)
    if not isinstance(outcome, Passed):
        return outcome
    requests = _observe_layouts(case)
    for name, directions in _arriving(case).items():
        plain = observed(seen[CONTIGUOUS.format(name=name)])
        allowed = slack(case, requests[name].x, directions, plain.gradient)
        given = f"{ARRIVING[name]}, x of shape {SHAPE}"
        if failure := unlike(case, given, requests[name], observed(seen[name]), plain, allowed):
            return failure
    return Passed({"under": [*LAYOUTS, *ARRIVING]})


LAYOUT = Property(
    id="torch.layout",
    promise="Whatever the layout of the input and of the cotangent, spikes and gradient are those of contiguous ones.",
    observe=_observe_layouts,
    judge=_judge_layouts,
    scope="once",
    frameworks=("torch",),
)

AUTOCAST = Property(
    id="torch.autocast",
    promise="Under autocast spikes and gradient are those of the plain call, and of its dtype.",
    observe=lambda case: _observe(case, CAST),
    judge=lambda case, seen: _judge(case, seen, CAST),
    scope="once",
    frameworks=("torch",),
)


def _observe_modes(case: Case) -> Requests:
    x = case.sample(SHAPE)
    plain = {"plain": Request("value", x)}
    return plain | {name: Request("value", x, inner=(Transform(name),)) for name in MODES}


def _judge_modes(case: Case, seen: Seen) -> Outcome:
    requests, plain = _observe_modes(case), observed(seen["plain"])
    for name in MODES:
        spikes: Observation = observed(seen[name])
        given = f"{name}, x of shape {SHAPE}"
        if failure := unlike(case, given, requests[name], spikes, plain, np.zeros(SHAPE)):
            return failure
    return Passed({"under": list(MODES)})


GRAD_MODES = Property(
    id="torch.grad_modes",
    promise="Under no_grad and inference_mode the spikes are those of the plain call, and of its dtype.",
    observe=_observe_modes,
    judge=_judge_modes,
    scope="each dtype",
    frameworks=("torch",),
)
