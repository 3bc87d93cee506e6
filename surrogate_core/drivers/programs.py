"""The compiled programs that judge bit patterns, for one spec and one implementation: surveys, inspections, answers."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from surrogate_core.drivers.jax_devices import compiled_with
from surrogate_core.drivers.survey import HALF, LOPSIDED, ZEROED, Evaluate, survey
from surrogate_core.drivers.tally import Span, Tally, collect
from surrogate_core.drivers.xla import SIGN, Constants, inspection
from surrogate_core.spec.claims import Even
from surrogate_core.spec.model import Spec

__all__ = ["GIVEN", "WIDTH", "Course", "Programs"]

CHUNK = {"cpu": 1 << 13}
"""Magnitudes at a time in a survey: on a CPU its dozen arrays of 64 KiB stay in the second-level cache."""

WIDE = 1 << 20
"""Magnitudes at a time where the device is no CPU."""

WIDTH = 1 << 16
"""Magnitudes at a time in an inspection."""

GIVEN = 1 << 19
"""Magnitudes at a time where another framework answers: a million numbers. PyTorch takes a little less for fewer,
and handing over more pieces takes more."""

WIDEST: dict[str, dict[str, Any]] = {"cpu": {"xla_cpu_prefer_vector_width": 512}}
"""How judging programs are compiled, by platform. By default XLA leaves half of such a vector unused, and a proof takes
half as long again. Every lane computes what it would in a shorter vector."""


@dataclass
class Course:
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
class Programs:
    """The compiled programs for one spec on one device, and one implementation where it is fused.

    Attributes:
        spec: what is promised.
        device: where it is judged.
        evaluate: the implementation, where it is evaluated by the programs that judge it.
        beside: further devices of its kind, over which surveys are sharded.
    """

    spec: Spec
    device: Any
    evaluate: Evaluate | None
    beside: tuple[Any, ...] = ()

    @property
    def chunk(self) -> int:
        return CHUNK.get(self.device.platform, WIDE)

    def prepare(self) -> None:
        """Compile what will surely be needed, before several threads want it at once."""
        self._survey(mirrored=self._even)

    def surveyed(self, piece: Span, given: Constants, answers: tuple[Any, ...], course: Course) -> Tally | None:
        """The tally of whole chunks, or ``None`` where they have to be inspected."""
        mirrored = self._even and not course.lopsided
        numbers = np.uint32(piece.start), np.uint32(piece.stride), np.int32(piece.count // self.chunk), np.int32(1)
        program = self._survey(mirrored=mirrored)
        # JAX takes long to copy what is not contiguous.
        rows = tuple(map(np.ascontiguousarray, answers))
        found = _Surveyed(*map(np.asarray, program(*numbers, given.parameters, given.floor, rows)))
        if found.flaws == LOPSIDED:
            # Nothing else is amiss: from here on each sign is looked at by itself.
            course.lopsided = True
            return self.surveyed(piece, given, answers, course)
        return found.tally(piece, mirrored, course)

    def surveyed_together(self, pieces: Sequence[Span], given: Constants, course: Course) -> list[Tally | None]:
        """Of as many pieces as there are devices, all of one size: what :meth:`surveyed` says of each."""
        mirrored = self._even and not course.lopsided
        first = pieces[0]
        starts = np.array([piece.start for piece in pieces], np.uint32)
        numbers = starts, np.uint32(first.stride), np.int32(first.count // self.chunk), np.int32(1)
        program = _sharded_survey(self.spec, mirrored, self.chunk, (self.device, *self.beside), self.evaluate)
        constants = jax.tree.map(np.asarray, (given.parameters, given.floor))
        with jax.enable_x64(True):
            answers = map(np.asarray, program(*numbers, *constants))
        found = [_Surveyed(*answer) for answer in zip(*answers, strict=True)]
        if any(one.flaws == LOPSIDED for one in found):
            course.lopsided = True
            return self.surveyed_together(pieces, given, course)
        return [one.tally(piece, mirrored, course) for one, piece in zip(found, pieces, strict=True)]

    @property
    def _even(self) -> bool:
        return self.spec.claim(Even) is not None

    def _survey(self, *, mirrored: bool) -> Any:
        return _survey(self.spec, mirrored, self.chunk, self.device, self.evaluate)

    def inspected(self, piece: Span, given: Constants, answers: tuple[Any, ...]) -> Tally:
        """The tally of at most ``WIDTH`` magnitudes of any kind."""
        patterns = piece.patterns()
        seen = _padded(patterns), given, *map(_padded, answers)

        def found(errors: bool) -> tuple[np.ndarray, np.ndarray]:
            program = _inspection(self.spec, given.breakpoints.size, self.device, errors)
            one, other = (np.asarray(a)[:, : piece.count] for a in program(*seen))
            return one, other

        marks, ulps = found(errors=False)
        return collect(patterns, marks, ulps, functools.cache(lambda: found(errors=True)))

    def evaluated(self, piece: Span) -> tuple[Any, Any]:
        """The fused implementation's answers at as many magnitudes."""
        return _evaluation(self.evaluate, self.device)(_padded(piece.patterns()))


@dataclass(frozen=True)
class _Surveyed:
    """What a survey answered; see :func:`surrogate_core.drivers.survey.survey`."""

    flaws: Any
    counts: np.ndarray
    worst: np.ndarray

    def tally(self, piece: Span, mirrored: bool, course: Course) -> Tally | None:
        """The tally, or ``None`` where something is flagged and the piece has to be inspected."""
        signs = 2 if mirrored else 1
        if self.flaws or self.counts.sum() != piece.size // signs:
            return None
        course.note(piece, self.worst)
        return _counted(self.counts * signs)


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


@functools.lru_cache(maxsize=16)
def _sharded_survey(spec: Spec, mirrored: bool, chunk: int, devices: tuple[Any, ...], evaluate: Evaluate | None) -> Any:
    """The survey, of as many pieces as there are devices, each on its own: one program for all of them."""
    program = survey(spec, mirrored=mirrored, chunk=chunk, evaluate=evaluate)

    def one(start: Any, stride: Any, rounds: Any, once: Any, parameters: Any, floor: Any) -> Any:
        return tuple(a[None] for a in program(start[0], stride, rounds, once, parameters, floor, ()))

    mesh = Mesh(np.array(devices), ("device",))
    # Nothing is said between the devices, so that there is nothing to check of what varies over them.
    each = jax.shard_map(one, mesh=mesh, in_specs=(P("device"), *[P()] * 5), out_specs=P("device"), check_vma=False)
    starts = jax.ShapeDtypeStruct((len(devices),), np.uint32)
    numbers = [jax.ShapeDtypeStruct((), dtype) for dtype in (np.uint32, np.int32, np.int32)]
    given = _shapes(spec, 0)
    with jax.enable_x64(True):
        return _widest(jax.jit(each).lower(starts, *numbers, given.parameters, given.floor), devices[0])


@functools.lru_cache(maxsize=8)
def _inspection(spec: Spec, places: int, device: Any, errors: bool) -> Any:
    """The first two of what an inspection gives, or the last two: the errors are seldom asked for, and take memory."""
    program = inspection(spec)

    def part(*seen: Any) -> tuple[Any, ...]:
        return program(*seen)[2:] if errors else program(*seen)[:2]

    bits, answer = (jax.ShapeDtypeStruct((2, WIDTH), dtype) for dtype in (np.uint32, np.float32))
    return _compiled(part, device, bits, _shapes(spec, places), answer, answer)


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
        return _widest(jax.jit(function).lower(*shapes), device)


def _widest(lowered: Any, device: Any) -> Any:
    return compiled_with(lowered, WIDEST.get(device.platform, {}))
