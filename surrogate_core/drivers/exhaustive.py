"""All bit patterns of a span judged by XLA, in blocks: surveyed where they may be, inspected where they have to be.

A block is inspected where its survey finds that something is wrong, where it holds the largest error, and where
no survey reaches: at subnormal, infinite and NaN inputs, near breakpoints, and at what is left over.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from surrogate_core.drivers.programs import GIVEN, WIDTH, Course, Programs
from surrogate_core.drivers.survey import ROUNDS, Evaluate
from surrogate_core.drivers.tally import Span, Tally, breakpoints
from surrogate_core.drivers.xla import FLOAT32, INFINITY, NORMAL, constants
from surrogate_core.spec.model import Parameters, Spec

__all__ = ["Answers", "Progress", "judge", "judge_fused"]

Answers = Callable[[Span], tuple[np.ndarray, np.ndarray]]
"""A span -> spikes and gradients there, float32 of the shape of its patterns, in arrays that nobody writes to later."""

Progress = Callable[[int], None]
"""Called with the number of patterns that were judged since the last call."""

AHEAD = 2
"""Answers that may wait to be judged."""


def judge_fused(
    evaluate: Evaluate,
    spec: Spec,
    parameters: Parameters,
    span: Span,
    device: Any,
    progress: Progress | None = None,
    beside: Sequence[Any] = (),
) -> Tally:
    """Judge a JAX implementation, evaluated in the program that judges it, block by block in several threads.

    What may be surveyed is sharded over all devices; what has to be looked at more closely is so on the first.

    Args:
        evaluate: the implementation; the same object again compiles nothing anew.
        spec: what is promised.
        parameters: at which values of its parameters.
        span: where.
        device: the JAX device.
        progress: told how it goes on.
        beside: further devices of its kind.

    Raises:
        NoOracle: the formula cannot be evaluated fast and well enough.
        BrokenContract: the spike function returned an array of another shape.
        Exception: whatever the implementation raises.
    """
    given = constants(spec, parameters, device)
    programs = Programs(spec, device, evaluate, tuple(beside))
    course = Course()

    def inspected(piece: Span) -> Tally:
        parts = piece.cut(WIDTH)
        return sum((programs.inspected(part, given, programs.evaluated(part)) for part in parts), Tally())

    def judged(piece: Span, plain: bool) -> Tally:
        whole = piece.count - piece.count % programs.chunk if plain else 0
        if not whole:
            return inspected(piece)
        part, *rest = piece.cut(whole)
        found = programs.surveyed(part, given, (), course)
        return sum(map(inspected, rest), inspected(part) if found is None else found)

    def together(pieces: Sequence[tuple[Span, bool]]) -> Tally:
        if len(pieces) == 1:
            return judged(*pieces[0])
        spans = [piece for piece, _ in pieces]
        found = programs.surveyed_together(spans, given, course)
        return sum((inspected(p) if f is None else f for p, f in zip(spans, found, strict=True)), Tally())

    whole = ROUNDS * programs.chunk
    pieces = [(piece, plain) for region, plain in _regions(span, spec, parameters) for piece in region.cut(whole)]
    batches = _batches(pieces, whole, 1 + len(beside))
    if any(len(batch) == 1 for batch in batches):
        programs.prepare()
    total = Tally()
    with ThreadPoolExecutor(1 if beside else _workers(device)) as pool:
        try:
            for batch, found in zip(batches, pool.map(together, batches), strict=True):
                total += found
                if progress:
                    progress(sum(piece.size for piece, _ in batch))
        finally:
            pool.shutdown(cancel_futures=True)
    return total + course.settled(inspected)


def judge(
    answers: Answers,
    spec: Spec,
    parameters: Parameters,
    span: Span,
    progress: Progress | None = None,
) -> Tally:
    """Judge an implementation of any framework by its answers, while it goes on answering.

    Args:
        answers: called from this thread, for consecutive parts of the span.
        spec: what is promised.
        parameters: at which values of its parameters.
        span: where.
        progress: told how it goes on.

    Raises:
        NoOracle: the formula cannot be evaluated fast and well enough.
        Exception: whatever ``answers`` raises.
    """
    device = jax.local_devices(backend="cpu")[0]
    given = constants(spec, parameters, device)
    programs = Programs(spec, device, None)
    course = Course()

    def inspected(piece: Span, answered: _Answered) -> Tally:
        parts = ((part, slice(i * WIDTH, (i + 1) * WIDTH)) for i, part in enumerate(piece.cut(WIDTH)))
        return sum((programs.inspected(part, given, tuple(a[:, at] for a in answered)) for part, at in parts), Tally())

    def judged(piece: Span, plain: bool, answered: _Answered) -> Tally:
        found = programs.surveyed(piece, given, answered, course) if plain and piece.count == GIVEN else None
        return inspected(piece, answered) if found is None else found

    programs.prepare()
    total = Tally()
    pending: deque[tuple[int, Future[Tally]]] = deque()

    def settle() -> Tally:
        size, done = pending.popleft()
        found = done.result()
        if progress:
            progress(size)
        return found

    with ThreadPoolExecutor(_workers(device)) as pool:
        for region, plain in _regions(span, spec, parameters):
            for piece in region.cut(GIVEN):
                pending.append((piece.size, pool.submit(judged, piece, plain, answers(piece))))
                if len(pending) > AHEAD:
                    total += settle()
        while pending:
            total += settle()
    return total + course.settled(lambda part: inspected(part, answers(part)))


_Answered = tuple[np.ndarray, np.ndarray]


def _batches(pieces: Sequence[tuple[Span, bool]], whole: int, devices: int) -> list[list[tuple[Span, bool]]]:
    """As many plain pieces of full size together as there are devices; the others alone."""
    alike = [one for one in pieces if one[1] and one[0].count == whole]
    full = len(alike) - len(alike) % devices if devices > 1 else 0
    batches = [alike[i : i + devices] for i in range(0, full, devices)]
    there = {one[0].start for batch in batches for one in batch}
    return batches + [[one] for one in pieces if one[0].start not in there]


def _workers(device: Any) -> int:
    """How many threads keep a device busy."""
    if device.platform != "cpu":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _regions(span: Span, spec: Spec, parameters: Parameters) -> Iterator[tuple[Span, bool]]:
    """Parts of a span, in order, and whether a survey may look at them."""
    holes = [(0, int(NORMAL)), (int(INFINITY), span.stop), *_holes(spec, parameters)]
    ends = sorted({span.start, span.stop, *(min(max(e, span.start), span.stop) for hole in holes for e in hole)})
    for low, high in itertools.pairwise(ends):
        start = low + (span.start - low) % span.stride
        if start < high:
            yield replace(span, start=start, stop=high), not any(a < high and low < b for a, b in holes)


def _holes(spec: Spec, parameters: Parameters) -> Iterator[tuple[int, int]]:
    """Magnitudes around each breakpoint, from the first on to before the last."""
    for at, reach in breakpoints(spec, parameters, FLOAT32):
        with np.errstate(over="ignore"):
            ends = np.array([max(abs(at) - reach, 0.0), abs(at) + reach]).astype(np.float32).view(np.uint32)
        # One more on either side for the rounding of the ends.
        yield int(ends[0]) - 1, int(ends[1]) + 2
