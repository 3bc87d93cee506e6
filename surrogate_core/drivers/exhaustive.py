"""All bit patterns of a span judged by XLA, in blocks: surveyed where they may be, inspected where they have to be.

A block is inspected where its survey finds that something is wrong, or the largest error so far; and where a
survey does not reach: at subnormal, infinite and NaN inputs, near breakpoints, and at what is left over.
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

from surrogate_core.drivers.tally import Span, Tally, breakpoints, collect
from surrogate_core.drivers.xla import (
    HALF,
    INFINITY,
    NORMAL,
    ROUNDS,
    ZEROED,
    Constants,
    Evaluate,
    constants,
    inspection,
    survey,
)
from surrogate_core.spec.claims import Even
from surrogate_core.spec.model import Parameters, Spec

__all__ = ["Answers", "Progress", "judge", "judge_fused"]

Answers = Callable[[Span], tuple[np.ndarray, np.ndarray]]
"""A span -> spikes and gradients there, float32 of the shape of its patterns."""

Progress = Callable[[int], None]
"""Called with the number of patterns that were judged since the last call."""

CHUNK = {"cpu": 1 << 13}
"""Magnitudes at a time in a survey: on a CPU its arrays (64 KiB each) stay in the cache, and no
operation is so large that XLA splits it among threads, which are busy with other blocks."""

WIDE = 1 << 20
"""Magnitudes at a time where the device is no CPU."""

WIDTH = 1 << 16
"""Magnitudes at a time in an inspection."""

GIVEN = 1 << 17
"""Magnitudes at a time where another framework answers."""

NOT_MIRRORED = 2
"""The flaw that a survey of both signs at once may find where each of them is right."""

MARGIN = 16
"""Patterns on either side of a breakpoint that are inspected; 4 roundoffs are at most 8 of them."""


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
    record = _Record()
    block = ROUNDS * programs.chunk

    def judged(piece: Span, plain: bool) -> Tally:
        total = Tally()
        whole = piece.count - piece.count % programs.chunk if plain else 0
        for part in piece.cut(whole) if whole else (piece,):
            found = programs.surveyed(part, given, (), record) if part.count == whole else None
            if found is None:
                for few in part.cut(WIDTH):
                    total += programs.inspected(few, given, programs.evaluated(few))
            else:
                total += found
        return total

    programs.prepare()
    workers = len(os.sched_getaffinity(0)) if device.platform == "cpu" else 1
    pieces = ((piece, plain) for region, plain in _regions(span, spec, parameters) for piece in region.cut(block))
    return _in_turn(((piece.size, judged, (piece, plain)) for piece, plain in pieces), workers, progress)


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
    record = _Record()

    def judged(piece: Span, plain: bool, answered: tuple[np.ndarray, np.ndarray]) -> Tally:
        found = programs.surveyed(piece, given, answered, record) if plain and piece.count == GIVEN else None
        if found is not None:
            return found
        parts = ((few, slice(i * WIDTH, (i + 1) * WIDTH)) for i, few in enumerate(piece.cut(WIDTH)))
        tallies = (programs.inspected(few, given, tuple(a[:, part] for a in answered)) for few, part in parts)
        return sum(tallies, Tally())

    def jobs() -> Iterator[_Job]:
        for region, plain in _regions(span, spec, parameters):
            for piece in region.cut(GIVEN):
                yield piece.size, judged, (piece, plain, answers(piece))

    return _in_turn(jobs(), 1, progress)


_Job = tuple[int, Callable[..., Tally], tuple[Any, ...]]
"""How many patterns, what to do, with what."""


def _in_turn(jobs: Iterator[_Job], workers: int, progress: Progress | None) -> Tally:
    """The sum of all jobs, done in threads of which none waits for another's compiled program."""
    total = Tally()
    pending: deque[tuple[int, Future[Tally]]] = deque()

    def settle() -> Tally:
        size, done = pending.popleft()
        found = done.result()
        if progress:
            progress(size)
        return found

    with ThreadPoolExecutor(workers) as pool:
        try:
            for size, job, arguments in jobs:
                pending.append((size, pool.submit(job, *arguments)))
                if len(pending) > workers + 1:
                    total += settle()
            while pending:
                total += settle()
        finally:
            pool.shutdown(cancel_futures=True)
    return total


def _regions(span: Span, spec: Spec, parameters: Parameters) -> Iterator[tuple[Span, bool]]:
    """Parts of a span, in order, and whether a survey may look at them."""
    near = [int(np.float32(abs(b)).view(np.uint32)) for b in breakpoints(spec, parameters)]
    holes = [(0, int(NORMAL)), (int(INFINITY), span.stop), *((n - MARGIN, n + MARGIN) for n in near)]
    ends = sorted({span.start, span.stop, *(min(max(e, span.start), span.stop) for hole in holes for e in hole)})
    for low, high in itertools.pairwise(ends):
        start = low + (span.start - low) % span.stride
        if start < high:
            yield replace(span, start=start, stop=high), not any(a < high and low < b for a, b in holes)


@dataclass
class _Record:
    """The largest error so far. Only the block that holds it needs to say at which pattern."""

    key: tuple[float, bool, int] = (-1.0, False, 0)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def broken(self, piece: Span, worst: np.ndarray) -> bool:
        """Whether the worst errors by sign set a record; of equal ones the smaller pattern counts."""
        key = max((float(w), row == 0, -piece.start) for row, w in enumerate(worst))
        with self.lock:
            if key[0] < 0 or key < self.key:
                return False
            self.key = key
            return True


@dataclass(frozen=True)
class _Programs:
    """The compiled programs for one spec on one device, and one implementation where it is fused."""

    spec: Spec
    device: Any
    evaluate: Evaluate | None

    @property
    def chunk(self) -> int:
        return CHUNK.get(self.device.platform, WIDE)

    @property
    def mirrored(self) -> bool:
        return self.spec.claim(Even) is not None

    def prepare(self) -> None:
        """Compile what will surely be needed, before several threads want it at once."""
        _survey(self.spec, self.mirrored, self.chunk, self.device, self.evaluate)

    def surveyed(self, piece: Span, given: Constants, answers: tuple[Any, ...], record: _Record) -> Tally | None:
        """The tally of whole chunks, or ``None`` where they have to be inspected."""
        rounds = piece.count // self.chunk
        arguments = np.uint32(piece.start), np.uint32(piece.stride), np.int32(rounds), np.int32(1), given, answers
        mirrored = self.mirrored
        flaws, counts, worst = self._survey(mirrored, arguments)
        if flaws == NOT_MIRRORED:
            # Nothing else is amiss: each sign is looked at by itself.
            mirrored = False
            flaws, counts, worst = self._survey(mirrored, arguments)
        if flaws or counts.sum() != piece.size // (1 + mirrored) or record.broken(piece, worst):
            return None
        return _counted(counts * (1 + mirrored))

    def _survey(self, mirrored: bool, arguments: tuple[Any, ...]) -> tuple[int, np.ndarray, np.ndarray]:
        program = _survey(self.spec, mirrored, self.chunk, self.device, self.evaluate)
        flaws, counts, worst = (np.asarray(found) for found in program(*arguments))
        return int(flaws), counts, worst

    def inspected(self, piece: Span, given: Constants, answers: tuple[Any, ...]) -> Tally:
        """The tally of at most ``WIDTH`` magnitudes of any kind."""
        patterns = piece.patterns()
        bits, *padded = (_padded(a) for a in (patterns, *answers))
        marks, ulps = _inspection(self.spec, self.device)(bits, given, *padded)
        return collect(patterns, *(np.asarray(a)[:, : piece.count] for a in (marks, ulps)))

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
    scalar = [jax.ShapeDtypeStruct((), dtype) for dtype in (np.uint32, np.uint32, np.int32, np.int32)]
    return _compiled(program, device, *scalar, _shapes(spec), answers)


@functools.lru_cache(maxsize=8)
def _inspection(spec: Spec, device: Any) -> Any:
    bits, answer = (jax.ShapeDtypeStruct((2, WIDTH), dtype) for dtype in (np.uint32, np.float32))
    return _compiled(inspection(spec), device, bits, _shapes(spec), answer, answer)


@functools.lru_cache(maxsize=8)
def _evaluation(evaluate: Evaluate, device: Any) -> Any:
    def answers(bits: Any) -> tuple[Any, ...]:
        x = jax.lax.bitcast_convert_type(bits.reshape(-1), jnp.float32)
        return tuple(a.reshape(bits.shape).astype(jnp.float32) for a in evaluate(x))

    bits = jax.ShapeDtypeStruct((2, WIDTH), np.uint32)
    return _compiled(answers, device, bits, wide=False)


def _shapes(spec: Spec) -> Constants:
    number = jax.ShapeDtypeStruct((), np.float64)
    places = jax.ShapeDtypeStruct((len(getattr(spec, "breakpoints", ())),), np.float64)
    return Constants((number,) * len(spec.parameters), *(number,) * 5, breakpoints=places)


def _compiled(function: Callable[..., Any], device: Any, *shapes: Any, wide: bool = True) -> Any:
    with jax.enable_x64(wide), jax.default_device(device):
        return jax.jit(function).lower(*shapes).compile()
