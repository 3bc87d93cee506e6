"""Shapes: a surrogate is elementwise, so neither the layout nor the number of its inputs changes an answer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from surrogate_core.drivers.base import Observation, Request
from surrogate_core.properties.base import Case, Requests, Search, Seen, agreement, observed, staged, wide
from surrogate_core.properties.compare import SMALL
from surrogate_core.properties.examples import decode
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Witness
from surrogate_core.spec.digits import in_format, plus_minus
from surrogate_core.spec.formats import Format

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["SHAPE"]

Shape = tuple[int, ...]

SHAPES: tuple[Shape, ...] = ((), (0,), (1,), (7,), (3, 4), (2, 1, 3))
"""Judged always: a scalar, nothing, one, odd, matrices."""

FURTHER: tuple[Shape, ...] = (
    (131,), (4099,), (66_001,),
    (1, 9), (9, 1), (4, 6), (257, 259), (320, 640), (1030, 64),
    (2, 0, 3), (2, 3, 128),
    (2, 3, 8, 8), (3, 2, 1, 5, 7), (1, 2, 1, 3, 1, 2),
)  # fmt: skip
"""Judged beyond ``quick``. An implementation takes another way by rank, by size, or by what an axis can be divided by,
so that every such way has a shape here; what is drawn besides is small, and at most seeds it misses most of them.

Vectors over a SIMD block and a page with a remainder, and over 65,536 elements. Matrices: a row, a column, even by
even, and three of a layer's size, which is over 65,536 elements, too: odd by odd, wide in whole tiles of 8 by 128, and
tall. Rank 3 with nothing in it, and in whole lanes of 128. Images, rank 4; images through time, rank 5; and rank 6.
"""

MEANT = {(): "a scalar", (0,): "an empty array", (1,): "length 1"}

FLAT = "flat"
"""The request that the others are compared with."""


def _examples(case: Case) -> SearchStrategy[list[Shape]]:
    from hypothesis import strategies as st

    extent = st.one_of(st.integers(0, 3), st.sampled_from([4, 5, 8, 9, 17, 128]))
    shape = st.lists(extent, max_size=RANK).map(tuple).filter(lambda s: math.prod(s) < SIZE)
    # Always as many: they share a program. The first list that is tried is the simplest, of scalars alone.
    return st.lists(shape, min_size=COUNT, max_size=COUNT)


RANK, SIZE, COUNT = 6, 5000, 4
"""Of drawn shapes: the highest rank, fewer elements than that, and how many at a time."""


def _restored(case: Case, stored: str) -> list[Shape]:
    shapes: list[Shape] = decode(list[Shape], stored)
    drawn = all(len(s) <= RANK and min(s, default=0) >= 0 and math.prod(s) < SIZE for s in shapes)
    if len(shapes) > COUNT or not drawn:
        raise ValueError(f"shapes {stored}, beyond those that are drawn")
    return shapes


def _pool(case: Case) -> np.ndarray:
    return case.sample((SMALL,))


def _observe(case: Case, shapes: list[Shape]) -> Requests:
    flat = _pool(case)
    # Its zeros stay behind: an answer that depends on what else is in the array is seen without them.
    nonzero = flat[flat != 0]
    fixed = SHAPES if case.profile == "quick" else SHAPES + FURTHER
    # A shape is static in a trace, so that all of them may share one program.
    arrays = {str(shape): _repeated(nonzero, shape) for shape in dict.fromkeys((*fixed, *shapes))}
    arrays[FLAT] = flat
    return {name: Request("vjp", x, outer=staged(case)) for name, x in arrays.items()}


def _judge(case: Case, shapes: list[Shape], seen: Seen) -> Outcome:
    requests = _observe(case, shapes)
    flat, pool = observed(seen[FLAT]), _pool(case)
    ordered = sorted(requests.items(), key=lambda item: (max(item[1].x.size, 1), item[1].x.ndim))
    for name, request in ordered:
        if told := _misplaced(request.x.shape, observed(seen[name])):
            return _failed(request, *told)
    kept = pool != 0
    spikes, gradient = wide(flat.value[kept]), wide(flat.gradient[kept])
    tolerance, _ = agreement(case, pool[kept])
    for name, request in ordered:
        answer = observed(seen[name])
        for what, array, plain, allowed in (
            ("spikes", answer.value, spikes, np.zeros(spikes.shape)),
            ("gradient", answer.gradient, gradient, tolerance),
        ):
            if name != FLAT and (told := _differing(case.format, wide(array).reshape(-1), plain, allowed)):
                return _failed(request, f"{what} {told[0]}", told[1])
    return Passed({"shapes": len(requests) - 1})


def _repeated(values: np.ndarray, shape: Shape) -> np.ndarray:
    """The values over and over, as np.resize has them, which takes twenty times as long for a large array."""
    size = math.prod(shape)
    return np.tile(values, -(-size // values.size))[:size].reshape(shape)


def _misplaced(shape: Shape, answer: Observation) -> tuple[str, str] | None:
    for what, array in (("spikes", answer.value), ("gradient", answer.gradient)):
        if array.shape != shape:
            return f"{what} of shape {array.shape}", f"{what} of shape {shape}"
    return None


def _differing(fmt: Format, got: np.ndarray, plain: np.ndarray, allowed: np.ndarray) -> tuple[str, str] | None:
    """(measured, allowed) at the first element that is not what the flat array gives for the same input."""
    expected, slack = _repeated(plain, got.shape), _repeated(allowed, got.shape)
    with np.errstate(invalid="ignore"):
        same = (np.abs(got - expected) <= slack) | (got == expected) | (np.isnan(got) & np.isnan(expected))
    if same.all():
        return None
    at = int(np.flatnonzero(~same)[0])
    where = f" (element {at})" if got.size > 1 else ""
    plainly = plus_minus(expected[at], slack[at], fmt)
    return f"{in_format(got[at], fmt)}{where}", f"what the same x gives in a flat array of {SMALL}: {plainly}"


def _failed(request: Request, measured: str, allowed: str) -> Failed:
    shape = request.x.shape
    given = f"{MEANT.get(shape, f'rank {len(shape)}')}: x of shape {shape}"
    # A script with thousands of numbers helps nobody; the shape says how to make them.
    return Failed(given, measured, allowed, witness=Witness(request) if request.x.size <= 256 else None)


SHAPE = Search(
    id="forward.shape",
    promise="Spikes and gradient have the shape of the input, and do not depend on it: a scalar, empty, odd, large, "
    "of any rank.",
    examples=_examples,
    observe=_observe,
    judge=_judge,
    effort={"quick": 1, "standard": 2, "thorough": 40},
    restored=_restored,
    scope="once",
    any_shape=True,
)
