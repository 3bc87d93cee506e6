"""Random stacks of transformations, compared with the pointwise answer and shrunk to the shortest that differs.

Every transformation leaves the mathematics of an elementwise function alone, so what a stack of them ought to
give follows from the plain call by moving axes about: that is what :func:`expected` does, in NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import TYPE_CHECKING

import numpy as np

from surrogate_core.drivers.base import ROWS, Observation, Operation, Request, Transform, Unsupported, describe
from surrogate_core.drivers.base import TransformName as Name
from surrogate_core.properties.base import Case, Requests, Search, Seen, agreement, observed, staged, wide
from surrogate_core.properties.compare import cotangents, slack
from surrogate_core.properties.examples import decode
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Witness
from surrogate_core.spec.digits import in_format, plus_minus
from surrogate_core.spec.sweep import simplest

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["STACKS", "Layer", "Stack", "expected"]

SHAPE = (3, 2, 3)
DEPTH = 4

INNER: dict[str, tuple[Name, ...]] = {
    "jax": ("jit", "vmap", "checkpoint", "scan", "map", "cond", "custom_vmap"),
    "torch": ("vmap", "checkpoint", "transposed", "sliced"),
}
"""Transformations of the spike function; a loop whose length is data, as `while`, has no reverse mode."""

PARTLY: dict[tuple[str, Name], tuple[Operation, ...]] = {
    ("jax", "custom_vmap"): ("value", "jvp"),
    ("torch", "checkpoint"): ("value", "vjp"),
}
"""Transformations of the spike function that only some operations can be had of.

JAX pushes a tangent through what has a batching rule of its own, but neither linearises it nor batches the tangent
alone. Recomputing is what ``torch.utils.checkpoint`` does for the plain backward pass.
"""

OUTER: dict[str, tuple[Name, ...]] = {
    "jax": ("jit", "vmap", "custom_vmap", "checkpoint", "scan", "map", "cond", "while"),
    "torch": ("vmap",),
}
"""Transformations of the whole operation."""

BATCHED: tuple[Name, ...] = ("custom_vmap", "vmap")
"""Drawn together, too: a batching rule of its own is at work below a vmap alone."""

OPERATIONS: dict[str, tuple[Operation, ...]] = {
    "jax": ("grad", "vjp", "jvp", "linearize", "jacrev", "jacfwd", "value"),
    "torch": ("grad", "vjp", "jvp", "jacrev", "jacfwd", "value"),
}


@dataclass(frozen=True)
class Layer:
    """One transformation, before it is known how many axes are left for it."""

    name: Name
    inside: bool
    in_axis: int = 0
    out_axis: int = 0


@dataclass(frozen=True)
class Stack:
    """An operation, and the transformations around and inside it, the innermost first.

    ``weighted`` is whether its cotangent or tangent is of many numbers, and not of ones.
    """

    operation: Operation
    layers: tuple[Layer, ...] = ()
    weighted: bool = False


def _examples(case: Case) -> SearchStrategy[list[Stack]]:
    from hypothesis import strategies as st

    layers = {operation: _layers(case.framework, operation) for operation in OPERATIONS[case.framework]}
    stack = st.sampled_from([*layers]).flatmap(
        lambda operation: st.builds(Stack, st.just(operation), layers[operation], st.booleans())
    )
    # Several at a time: they share a program. Shrinking makes all but the failing one trivial. So is every one of the
    # first batch that is tried, the simplest: with it SINGLES are judged, and what fails there is shrunk already.
    return st.lists(stack, min_size=BATCH, max_size=BATCH)


def _layers(framework: str, operation: Operation) -> SearchStrategy[tuple[Layer, ...]]:
    """Layers for an operation, each drawn by itself but for those of :data:`BATCHED`."""
    from hypothesis import strategies as st

    axes = {"in_axis": st.integers(0, 2), "out_axis": st.integers(0, 2)}
    inner: tuple[Name, ...] = tuple(name for name in INNER[framework] if _possible(framework, operation, name))
    kinds: list[tuple[bool, tuple[Name, ...]]] = [(True, ())]
    for inside, names in ((True, inner), (False, OUTER[framework])):
        runs: list[tuple[Name, ...]] = [(name,) for name in names]
        runs += [BATCHED] if "custom_vmap" in names else []
        kinds += [(inside, run) for run in 3 * runs]

    def build(kind: tuple[bool, tuple[Name, ...]]) -> SearchStrategy[tuple[Layer, ...]]:
        inside, names = kind
        return st.tuples(*(st.builds(Layer, st.just(n), st.just(inside), **axes if n == "vmap" else {}) for n in names))

    # None at all is what shrinking ends with, and seldom drawn: of lists that may be empty, a quarter are.
    drawn = st.sampled_from(kinds).flatmap(build)
    return st.lists(drawn, min_size=1, max_size=DEPTH).map(lambda found: tuple(chain(*found))[:DEPTH])


def _possible(framework: str, operation: Operation, name: Name) -> bool:
    """Whether the operation can be had of a spike function so transformed."""
    return operation in PARTLY.get((framework, name), (operation,))


BATCH = 5


def _simpler(stacks: list[Stack]) -> Iterator[list[Stack]]:
    """Each of several stacks alone; of one, all that is left of it without some layers, which share a program."""
    if len(stacks) > 1:
        yield from ([stack] for stack in sorted(dict.fromkeys(stacks), key=lambda stack: len(stack.layers)))
        return
    layers = stacks[0].layers
    parts = chain.from_iterable(combinations(layers, count) for count in range(len(layers)))
    if found := [replace(stacks[0], layers=part) for part in dict.fromkeys(parts)]:
        yield found


def _restored(case: Case, stored: str) -> list[Stack]:
    stacks: list[Stack] = decode(list[Stack], stored)
    inner, outer = INNER[case.framework], OUTER[case.framework]
    known = all(layer.name in (inner if layer.inside else outer) for stack in stacks for layer in stack.layers)
    drawn = all(s.operation in OPERATIONS[case.framework] and len(s.layers) <= DEPTH for s in stacks)
    if len(stacks) > BATCH or not known or not drawn:
        raise ValueError(f"stacks {stored}, beyond those that are drawn")
    return stacks


def _singles(framework: str) -> tuple[Stack, ...]:
    own = ("jit", "vmap", "custom_vmap")
    twice = (Layer("vmap", False, 1), Layer("vmap", False, 2, 1))
    batching = (Layer("custom_vmap", False), Layer("vmap", False, 1))
    return (
        *(Stack("vjp", (Layer(name, True),), True) for name in INNER[framework] if name not in own),
        *(Stack("grad", (Layer(name, False),)) for name in OUTER[framework] if name not in own),
        *([Stack("grad", batching)] if "custom_vmap" in OUTER[framework] else []),
        Stack("vjp", twice, True),
    )


SINGLES: dict[str, tuple[Stack, ...]] = {framework: _singles(framework) for framework in INNER}
"""Judged always, whatever is drawn; jit and vmap alone have properties of their own. A custom_vmap means something
below a vmap only, and a batching rule may have another one of its own."""


def _request(case: Case, stack: Stack) -> Request:
    """The stack with every axis within the rank that is left; loops and batches beyond the last axis drop out."""
    rank = len(SHAPE)
    inner: list[Transform] = []
    outer: list[Transform] = []
    for inside, kept in ((False, outer), (True, inner)):
        for layer in reversed([a for a in stack.layers if a.inside is inside]):
            if layer.name in ROWS:
                if rank <= 1:
                    continue
                kept.append(
                    Transform(layer.name, layer.in_axis % rank, layer.out_axis % rank)
                    if layer.name == "vmap"
                    else Transform(layer.name)
                )
                rank -= 1
            else:
                kept.append(Transform(layer.name))
    inner = _had(case.framework, stack.operation, inner, outer)
    x, within, around = case.sample(SHAPE), tuple(reversed(inner)), tuple(reversed(outer))
    # A direction lies as the spikes do: as x, unless the function itself moves axes.
    weighted = stack.weighted and stack.operation in DIRECTED and all(t.in_axis == t.out_axis for t in within)
    direction = cotangents(case, SHAPE) if weighted else None
    return Request(stack.operation, x, direction=direction, inner=within, outer=around + staged(case))


def _had(framework: str, operation: Operation, inner: list[Transform], outer: list[Transform]) -> list[Transform]:
    """Transformations of the spike function without those that cannot be had there."""
    gone = {name for name in _names(inner) if not _possible(framework, operation, name)}
    if framework == "torch" and (outer or "vmap" in _names(inner)):
        gone.add("checkpoint")
    if operation == "jvp" and "vmap" in _names(outer):
        gone.add("custom_vmap")  # that vmap batches x, and not a tangent of ones
    return [t for t in inner if t.name not in gone]


DIRECTED = ("vjp", "jvp", "linearize")
"""Operations that are given a cotangent or a tangent."""


def _names(transforms: Sequence[Transform]) -> set[Name]:
    return {t.name for t in transforms}


def _observe(case: Case, stacks: list[Stack]) -> Requests:
    requests: dict[str, Request] = {"plain": Request("vjp", case.sample(SHAPE), outer=staged(case))}
    for stack in (*SINGLES[case.framework], *stacks):
        request = _request(case, stack)
        requests[_name(request)] = request
    return requests


def _name(request: Request) -> str:
    weighted = "" if request.direction is None else ", weighted"
    return describe(request.operation, request.inner, request.outer) + weighted


def expected(request: Request, spikes: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """(value, derivative) of a request, from the spikes and gradients at its inputs, in their layout."""
    flat = spikes.reshape(-1), gradient.reshape(-1)
    places = np.arange(request.x.size).reshape(request.x.shape)
    return _around(request.outer, request.inner, request.operation, places, *flat)


def _around(
    outer: tuple[Transform, ...], inner: tuple[Transform, ...], operation: Operation,
    places: np.ndarray, spikes: np.ndarray, gradient: np.ndarray,
) -> tuple[np.ndarray, np.ndarray | None]:  # fmt: skip
    if not outer:
        out = _within(inner, places)
        if operation in ("jacrev", "jacfwd"):
            # d out[i] / d in[j] is the gradient where both are one place, and 0 elsewhere.
            jacobian = np.where(out.reshape(-1, 1) == places.reshape(1, -1), gradient[places].reshape(1, -1), 0.0)
            return spikes[out], jacobian.reshape(out.shape + places.shape)
        if operation == "value":
            return spikes[out], None
        # What is pulled back lies as the inputs do, what is pushed forward as the outputs.
        return spikes[out], gradient[out if operation in ("jvp", "linearize") else places]
    t, rest = outer[-1], outer[:-1]
    if t.name not in ROWS:
        return _around(rest, inner, operation, places, spikes, gradient)
    rows = [_around(rest, inner, operation, row, spikes, gradient) for row in np.moveaxis(places, t.in_axis, 0)]
    values = np.stack([value for value, _ in rows], t.out_axis)
    derivatives = [derivative for _, derivative in rows if derivative is not None]
    return values, np.stack(derivatives, t.out_axis) if derivatives else None


def _within(inner: tuple[Transform, ...], places: np.ndarray) -> np.ndarray:
    if not inner:
        return places
    t, rest = inner[-1], inner[:-1]
    if t.name not in ROWS:
        return _within(rest, places)
    return np.stack([_within(rest, row) for row in np.moveaxis(places, t.in_axis, 0)], t.out_axis)


def _judge(case: Case, stacks: list[Stack], seen: Seen) -> Outcome:
    requests = _observe(case, stacks)
    plain = observed(seen["plain"])
    tolerance, _ = agreement(case, requests["plain"].x)
    lacking: dict[str, None] = {}
    for name, request in sorted(requests.items(), key=lambda item: len(item[1].inner + item[1].outer)):
        answer = seen[name]
        if isinstance(answer, Unsupported):
            lacking[str(answer)] = None
        elif name != "plain" and (failure := _differing(case, name, request, answer, plain, tolerance)):
            return failure
    judged = len(requests) - 1 - len([name for name in requests if isinstance(seen[name], Unsupported)])
    remarks = tuple(f"stacks that need it were left out: {what}" for what in lacking)
    return Passed({"stacks": judged, "left_out": len(requests) - 1 - judged}, remarks)


def _differing(
    case: Case, name: str, request: Request, answer: Observation, plain: Observation, tolerance: np.ndarray
) -> Failed | None:
    gradient = wide(plain.gradient)
    if request.direction is not None:
        tolerance = slack(case, request.x, request.direction, gradient * wide(request.direction))
        gradient = gradient * wide(request.direction)
    value, derivative = expected(request, wide(plain.value), gradient)
    _, within = expected(request, wide(plain.value), tolerance)
    pairs = [("spikes", answer.value, value, np.zeros(value.shape))]
    if derivative is not None and within is not None:
        pairs.append(("derivative", answer.gradient, derivative, within))
    for what, got, promised, allowed in pairs:
        if got.shape != promised.shape:
            measured, wanted = f"{what} of shape {got.shape}", f"shape {promised.shape}"
        elif got.dtype != request.x.dtype:
            measured, wanted = f"{what} of dtype {got.dtype.name}", f"dtype {request.x.dtype.name}"
        elif (wrong := _apart(wide(got), promised, allowed)).any():
            at = _simplest(request, what, wrong)
            measured = f"{what}{list(at)} = {in_format(float(got[at]), case.format)}"
            wanted = f"the plain call's {plus_minus(promised[at], allowed[at], case.format)}"
        else:
            continue
        return Failed(f"{name}, x of shape {request.x.shape}", measured, wanted, witness=Witness(request))
    return None


def _simplest(request: Request, what: str, wrong: np.ndarray) -> tuple[int, ...]:
    """Which of the wrong elements is of the simplest input; one that a Jacobian has of none counts as 0."""
    value, derivative = expected(request, wide(request.x), wide(request.x))
    inputs = value if what == "spikes" or derivative is None else derivative
    index = simplest(inputs.reshape(-1).astype(request.x.dtype), wrong.reshape(-1))
    return tuple(int(i) for i in np.unravel_index(index, wrong.shape))


def _apart(got: np.ndarray, promised: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return ~((np.abs(got - promised) <= allowed) | (got == promised) | (np.isnan(got) & np.isnan(promised)))


STACKS = Search(
    id="transform.stacks",
    promise="Under any stack of transformations of the function and of its derivative, the answer is the plain call's.",
    examples=_examples,
    observe=_observe,
    judge=_judge,
    effort={"quick": 0, "standard": 3, "thorough": 60},
    restored=_restored,
    scope="once",
    any_shape=True,
    simpler=_simpler,
)
