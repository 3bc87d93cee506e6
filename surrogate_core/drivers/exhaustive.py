"""All bit patterns of a span judged by XLA, in blocks: surveyed where they may be, inspected where they have to be.

A block is inspected where its survey finds that something is wrong, where it holds the largest error, and where
no survey reaches: at subnormal, infinite and NaN inputs, near breakpoints, and at what is left over.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from surrogate_core.drivers.survey import HALF, LOPSIDED, ROUNDS, ZEROED, Evaluate, survey
from surrogate_core.drivers.tally import Span, Tally, breakpoints, collect
from surrogate_core.drivers.xla import FLOAT32, INFINITY, NORMAL, SIGN, Constants, constants, inspection
from surrogate_core.spec.claims import Even
from surrogate_core.spec.model import Parameters, Spec

__all__ = ["Answers", "Progress", "judge", "judge_fused"]

Answers = Callable[[Span], tuple[np.ndarray, np.ndarray]]
"""A span -> spikes and gradients there, float32 of the shape of its patterns."""

Progress = Callable[[int], None]
"""Called with the number of patterns that were judged since the last call."""

CHUNK = {"cpu": 1 << 13}
"""Magnitudes at a time in a survey: on a CPU its dozen arrays of 64 KiB stay in the second-level cache."""

WIDE = 1 << 20
"""Magnitudes at a time where the device is no CPU."""

WIDTH = 1 << 16
"""Magnitudes at a time in an inspection."""

GIVEN = 1 << 18
"""Magnitudes at a time where another framework answers: PyTorch takes least for half a million numbers."""

AHEAD = 2
"""Answers that may wait to be judged."""


def judge_fused(
    evaluate: Evaluate,
    spec: Spec,
    parameters: Parameters,
    span: Span,
    device: Any,
    progress: Progress | None = None,
) -> Tally:
    """Judge a JAX implementation, evaluated in the program that judges it, block by block in several threads.

    Args:
        evaluate: the implementation; the same object again compiles nothing anew.
        spec: what is promised.
        parameters: at which values of its parameters.
        span: where.
        device: the JAX device.
        progress: told how it goes on.

    Raises:
        NoOracle: the formula cannot be evaluated fast and well enough.
        BrokenContract: the spike function returned an array of another shape.
        Exception: whatever the implementation raises.
    """
    given = constants(spec, parameters, device)
    programs = _Programs(spec, device, evaluate)
    course = _Course()

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

    programs.prepare()
    pieces = [
        (piece, plain)
        for region, plain in _regions(span, spec, parameters)
        for piece in region.cut(ROUNDS * programs.chunk)
    ]
    total = Tally()
    with ThreadPoolExecutor(_workers(device)) as pool:
        try:
            for (piece, _), found in zip(pieces, pool.map(lambda job: judged(*job), pieces), strict=True):
                total += found
                if progress:
                    progress(piece.size)
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
    programs = _Programs(spec, device, None)
    course = _Course()

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


@dataclass
class _Course:
    """What the pieces of one judgement tell each other.

    Attributes:
        piece: where the largest error of all surveys is: it remains to be inspected.
        key: what that goes by; of equal errors the smaller pattern counts.
        lopsided: whether some gradient was not mirrored, as it may well be within the bound.
    """

    piece: Span | None = None
    key: tuple[float, bool, int] = (0.0, False, 0)
    lopsided: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, piece: Span, worst: np.ndarray) -> None:
        """Take note of the largest errors in a piece, by sign and lane."""
        largest = worst.max(axis=1)
        row = int(largest.argmax())
        key = float(largest[row]), row == 0, -piece.start
        with self.lock:
            if key[0] >= 0 and (self.piece is None or key > self.key):
                self.piece, self.key = _lane(piece, worst[row] == largest[row]), key

    def settled(self, inspected: Callable[[Span], Tally]) -> Tally:
        """The largest error alone, and the pattern that gives it, of patterns that have been counted."""
        settled = Tally()
        for part in self.piece.cut(WIDTH) if self.piece else ():
            found = inspected(part)
            settled += Tally(max_ulp=found.max_ulp, max_ulp_at=found.max_ulp_at)
            # An inspection may round otherwise; of equal errors the first one is the smallest pattern.
            reached = found.max_ulp >= self.key[0] * (1 - 2.0**-20)
            if reached and found.max_ulp_at is not None and (found.max_ulp_at < SIGN) == self.key[1]:
                break
        return settled


def _lane(piece: Span, largest: np.ndarray) -> Span:
    """The magnitudes of the one lane where an error is the largest; of several, all of the piece."""
    (lanes,) = largest.nonzero()
    if lanes.size > 1:
        return piece
    start = piece.start + piece.stride * int(lanes[0])
    return replace(piece, start=start, stride=piece.stride * largest.size)


@dataclass(frozen=True)
class _Programs:
    """The compiled programs for one spec on one device, and one implementation where it is fused."""

    spec: Spec
    device: Any
    evaluate: Evaluate | None

    @property
    def chunk(self) -> int:
        return CHUNK.get(self.device.platform, WIDE)

    def prepare(self) -> None:
        """Compile what will surely be needed, before several threads want it at once."""
        self._survey(mirrored=self.spec.claim(Even) is not None)

    def surveyed(self, piece: Span, given: Constants, answers: tuple[Any, ...], course: _Course) -> Tally | None:
        """The tally of whole chunks, or ``None`` where they have to be inspected."""
        mirrored = self.spec.claim(Even) is not None and not course.lopsided
        numbers = np.uint32(piece.start), np.uint32(piece.stride), np.int32(piece.count // self.chunk), np.int32(1)
        program = self._survey(mirrored=mirrored)
        # JAX takes long to copy what is not contiguous.
        rows = tuple(map(np.ascontiguousarray, answers))
        flaws, counts, worst = map(np.asarray, program(*numbers, given.parameters, given.floor, rows))
        if flaws == LOPSIDED:
            # Nothing else is amiss: from here on each sign is looked at by itself.
            course.lopsided = True
            return self.surveyed(piece, given, answers, course)
        signs = 2 if mirrored else 1
        if flaws or counts.sum() != piece.size // signs:
            return None
        course.note(piece, worst)
        return _counted(counts * signs)

    def _survey(self, *, mirrored: bool) -> Any:
        return _survey(self.spec, mirrored, self.chunk, self.device, self.evaluate)

    def inspected(self, piece: Span, given: Constants, answers: tuple[Any, ...]) -> Tally:
        """The tally of at most ``WIDTH`` magnitudes of any kind."""
        patterns = piece.patterns()
        program = _inspection(self.spec, given.breakpoints.size, self.device)
        found = program(_padded(patterns), given, *map(_padded, answers))
        marks, ulps = (np.asarray(a)[:, : piece.count] for a in found)
        return collect(patterns, marks, ulps)

    def evaluated(self, piece: Span) -> tuple[Any, Any]:
        """The fused implementation's answers at as many magnitudes."""
        return _evaluation(self.evaluate, self.device)(_padded(piece.patterns()))


def _counted(counts: np.ndarray) -> Tally:
    """The tally of a survey in which nothing was flagged; the largest error is elsewhere."""
    bins = counts[:ZEROED].copy()
    correct = int(bins[0] + counts[HALF])
    bins[1] += counts[HALF]
    return Tally(
        inputs=int(counts.sum()),
        normal=int(bins.sum()),
        correctly_rounded=correct,
        ulp_counts=tuple(bins.tolist()),
        zeroed=int(counts[ZEROED]),
    )


def _padded(array: Any) -> Any:
    """An array of ``WIDTH`` columns, the last one repeated; compiled programs have one shape."""
    missing = WIDTH - array.shape[1]
    return np.pad(array, ((0, 0), (0, missing)), mode="edge") if missing else array


@functools.lru_cache(maxsize=16)
def _survey(spec: Spec, mirrored: bool, chunk: int, device: Any, evaluate: Evaluate | None) -> Any:
    program = survey(spec, mirrored=mirrored, chunk=chunk, evaluate=evaluate)
    answers = () if evaluate else (jax.ShapeDtypeStruct((2, GIVEN), np.float32),) * 2
    numbers = [jax.ShapeDtypeStruct((), dtype) for dtype in (np.uint32, np.uint32, np.int32, np.int32)]
    given = _shapes(spec, 0)
    return _compiled(program, device, *numbers, given.parameters, given.floor, answers)


@functools.lru_cache(maxsize=8)
def _inspection(spec: Spec, places: int, device: Any) -> Any:
    bits, answer = (jax.ShapeDtypeStruct((2, WIDTH), dtype) for dtype in (np.uint32, np.float32))
    return _compiled(inspection(spec), device, bits, _shapes(spec, places), answer, answer)


@functools.lru_cache(maxsize=8)
def _evaluation(evaluate: Evaluate, device: Any) -> Any:
    def answers(bits: Any) -> tuple[Any, ...]:
        x = jax.lax.bitcast_convert_type(bits.reshape(-1), jnp.float32)
        return tuple(a.reshape(bits.shape).astype(jnp.float32) for a in evaluate(x))

    bits = jax.ShapeDtypeStruct((2, WIDTH), np.uint32)
    return _compiled(answers, device, bits, wide=False)


def _shapes(spec: Spec, places: int) -> Constants:
    number, points = (jax.ShapeDtypeStruct(shape, np.float64) for shape in ((), (places,)))
    # All of them numbers but for the first and the last two.
    numbers = dict.fromkeys(Constants._fields[1:-2], number)
    return Constants((number,) * len(spec.parameters), **numbers, breakpoints=points, reaches=points)


def _compiled(function: Callable[..., Any], device: Any, *shapes: Any, wide: bool = True) -> Any:
    with jax.enable_x64(wide), jax.default_device(device):
        return jax.jit(function).lower(*shapes).compile()
