"""What is counted where an implementation is judged at very many bit patterns, and the definition of each count.

:func:`tally` is the definition, in NumPy. A faster way to the same numbers gives every pattern its
:class:`Mark` and its error, as :func:`tally` does, and leaves the counting to :func:`collect`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import IntFlag
from typing import Any

import numpy as np
from jaxtyping import Float64, Int

from surrogate_core.spec.cases import at_nan
from surrogate_core.spec.flushing import flush_floor
from surrogate_core.spec.formats import FORMATS, Format
from surrogate_core.spec.model import Parameters, Spec
from surrogate_core.spec.oracle import expect, forward
from surrogate_core.spec.sides import breakpoints as places
from surrogate_core.spec.sweep import sweep

__all__ = [
    "ULP_EDGES",
    "Finding",
    "Mark",
    "NoOracle",
    "Span",
    "Tally",
    "breakpoints",
    "collect",
    "floor",
    "spans",
    "tally",
]

MAGNITUDES = 1 << 31
"""Bit patterns of float32 without their sign."""

SIGN = np.uint32(1 << 31)

ULP_EDGES = (0.0, 0.5, 1.0, *(2.0**k for k in range(1, 11)), math.inf)
"""Edges of the histogram of errors in ulp: 13 bins, closed on the left, the last one on both sides."""

BREADTH = 4
"""Half-width of the neighbourhood of a breakpoint that is left out at least, in units of relative roundoff."""


class NoOracle(Exception):
    """The formula cannot be evaluated fast and well enough to judge float32. The message says why."""


@dataclass(frozen=True)
class Span:
    """Bit patterns of float32: magnitudes ``start, start + stride, ... < stop``, each with both signs.

    The magnitude is the pattern without its sign: 0 is zero, from 2^23 on the number is normal, 0x7f800000
    is infinity, and what is above is NaN. ``Span()`` is all of the 2^32 patterns.

    Raises:
        ValueError: not ``0 <= start <= stop <= 2^31``, or a stride below 1.
    """

    start: int = 0
    stop: int = MAGNITUDES
    stride: int = 1

    def __post_init__(self) -> None:
        if not (0 <= self.start <= self.stop <= MAGNITUDES and self.stride >= 1):
            raise ValueError(f"{self}: expected 0 <= start <= stop <= 2^31 and a stride of at least 1")

    @property
    def count(self) -> int:
        """How many magnitudes."""
        return len(range(self.start, self.stop, self.stride))

    @property
    def size(self) -> int:
        """How many patterns: each magnitude has two signs."""
        return 2 * self.count

    def patterns(self) -> Int[np.ndarray, "2 count"]:
        """The patterns as uint32: the first row without a sign, the second with it."""
        patterns = np.empty((2, self.count), np.uint32)
        patterns[0] = np.arange(self.start, self.stop, self.stride, dtype=np.uint32)
        np.bitwise_or(patterns[0], SIGN, out=patterns[1])
        return patterns

    def stands_for(self, patterns: np.ndarray) -> np.ndarray:
        """Which patterns lie in the part of float32 that the span stands for: what its stride leaves out as well."""
        magnitudes = patterns & ~SIGN
        return (magnitudes >= self.start - self.start % self.stride) & (magnitudes < self.stop)

    def cut(self, count: int) -> Iterator[Span]:
        """Consecutive pieces of ``count`` magnitudes; the last one may have fewer."""
        for start in range(self.start, self.stop, count * self.stride):
            yield replace(self, start=start, stop=min(start + count * self.stride, self.stop))


def spans(parts: int) -> tuple[Span, ...]:
    """All 2^32 patterns, cut into ``parts`` spans of about the same size."""
    ends = [MAGNITUDES * i // parts for i in range(parts + 1)]
    return tuple(Span(start, stop) for start, stop in itertools.pairwise(ends))


@dataclass(frozen=True)
class Finding:
    """What was found at some patterns.

    Attributes:
        count: how many they are.
        pattern: the one of smallest magnitude (the positive one of two).
        worst: the largest absolute error at any of them, infinite where an answer is NaN; 0 of what is no error.
    """

    count: int = 0
    pattern: int | None = None
    worst: float = 0.0

    def __add__(self, other: Finding) -> Finding:
        found = [f.pattern for f in (self, other) if f.pattern is not None]
        nearest = min(found, key=_nearness, default=None)
        return Finding(self.count + other.count, nearest, max(self.worst, other.worst))


def _nearness(pattern: int) -> tuple[int, int]:
    return pattern & ~int(SIGN), pattern


@dataclass(frozen=True)
class Tally:
    """What was counted. Tallies of disjoint patterns add up, in any order, to the tally of all of them.

    Attributes:
        inputs: finite patterns judged.
        near_breakpoint: finite patterns left out, within a few roundings of where the formula jumps or has a kink.
        nonfinite: infinities and NaNs judged.
        spikes: wrong spikes at finite patterns.
        flushed: spikes that are wrong only because subnormal input is taken for zero, where the spec tolerates it.
        gradients: gradients out of bound at finite patterns.
        nonfinite_spikes, nonfinite_gradients: wrong ones at infinities and NaNs.
        normal: inputs where the expected gradient is a normal number, and was not flushed; the errors in ulp are
            theirs.
        out_of_bound: of these, gradients out of bound.
        max_ulp: the largest error in ulp (0 where there is none); a gradient that is NaN has no error in ulp.
        max_ulp_at: the smallest pattern that gives it.
        correctly_rounded: errors of at most half an ulp.
        ulp_counts: the errors by ``ULP_EDGES``.
        zeroed, kept: the other inputs whose expected gradient does not round to zero, and what came back was zero,
            or was not: a subnormal number for the most part.
    """

    inputs: int = 0
    near_breakpoint: int = 0
    nonfinite: int = 0
    spikes: Finding = Finding()
    flushed: Finding = Finding()
    gradients: Finding = Finding()
    nonfinite_spikes: Finding = Finding()
    nonfinite_gradients: Finding = Finding()
    normal: int = 0
    out_of_bound: int = 0
    max_ulp: float = 0.0
    max_ulp_at: int | None = None
    correctly_rounded: int = 0
    ulp_counts: tuple[int, ...] = (0,) * (len(ULP_EDGES) - 1)
    zeroed: int = 0
    kept: int = 0

    @property
    def faithful(self) -> int:
        """Errors below one ulp."""
        return self.ulp_counts[0] + self.ulp_counts[1]

    @property
    def size(self) -> int:
        """How many patterns were seen."""
        return self.inputs + self.near_breakpoint + self.nonfinite

    def __add__(self, other: Tally) -> Tally:
        worst = [(-t.max_ulp, t.max_ulp_at) for t in (self, other) if t.max_ulp_at is not None]
        low, at = min(worst, default=(-0.0, None))
        summed: dict[str, Any] = {
            f.name: getattr(self, f.name) + getattr(other, f.name)
            for f in fields(self)
            if f.name not in ("max_ulp", "max_ulp_at", "ulp_counts")
        }
        counts = tuple(a + b for a, b in zip(self.ulp_counts, other.ulp_counts, strict=True))
        return Tally(**summed, max_ulp=-low, max_ulp_at=at, ulp_counts=counts)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and dicts, which :meth:`from_dict` reads."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        findings = {k: asdict(v) for k, v in plain.items() if isinstance(v, Finding)}
        return plain | findings | {"ulp_counts": list(self.ulp_counts)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Tally:
        """The tally that :meth:`to_dict` wrote; raises :class:`TypeError` on unknown names."""
        findings = {k: Finding(**v) for k, v in plain.items() if isinstance(v, Mapping)}
        return cls(**{**plain, **findings, "ulp_counts": tuple(plain["ulp_counts"])})


class Mark(IntFlag):
    """What is the case at one pattern. The lowest four bits are the bin of its error in ulp, 15 where it has none."""

    BIN = 15
    CORRECT = 1 << 4
    NORMAL = 1 << 5
    SPIKE = 1 << 6
    FLUSHED = 1 << 7
    GRADIENT = 1 << 8
    NONFINITE = 1 << 9
    NEAR = 1 << 10
    ZEROED = 1 << 11
    KEPT = 1 << 12


Errors = Callable[[], tuple[np.ndarray, np.ndarray]]
"""Absolute errors of spikes and gradients at some patterns; asked for only where one is wrong."""


def collect(patterns: np.ndarray, marks: np.ndarray, ulps: Float64[np.ndarray, ...], errors: Errors) -> Tally:
    """Count the marks.

    Args:
        patterns: the bit patterns, unsigned; any shape, in ascending order.
        marks: a :class:`Mark` each, as integers of the same shape.
        ulps: the error in ulp of each that has one, below zero or NaN elsewhere; the same shape.
        errors: how far off what is marked as wrong is; arrays of the same shape.
    """
    patterns, marks, ulps = patterns.reshape(-1), marks.reshape(-1), ulps.reshape(-1)
    by_mark = np.bincount(marks)
    found = np.flatnonzero(by_mark)  # a few dozen, of thousands that there may be
    numbers = by_mark[found]

    def having(mark: int, without: int = 0) -> int:
        return int(numbers[(found & (mark | without)) == mark].sum())

    def finding(mark: int, without: int = 0, of: int | None = None) -> Finding:
        if not (count := having(mark, without)):
            return Finding()
        here = (marks & (mark | without)) == mark
        those = patterns[here]
        top = patterns.dtype.type(1 << (8 * patterns.itemsize - 1))
        worst = 0.0 if of is None else float(_size(errors()[of].reshape(-1)[here]).max())
        return Finding(count, int(those[np.argmin(those & ~top)]), worst)

    bins = np.bincount(found & Mark.BIN, weights=numbers, minlength=Mark.BIN).astype(np.int64)
    worst = int(np.argmax(np.where(np.isnan(ulps), -1.0, ulps))) if ulps.size else 0
    measured = ulps.size > 0 and ulps[worst] >= 0
    return Tally(
        inputs=having(0, Mark.NONFINITE | Mark.NEAR),
        near_breakpoint=having(Mark.NEAR),
        nonfinite=having(Mark.NONFINITE),
        spikes=finding(Mark.SPIKE, Mark.NONFINITE, of=0),
        flushed=finding(Mark.FLUSHED),
        gradients=finding(Mark.GRADIENT, Mark.NONFINITE, of=1),
        nonfinite_spikes=finding(Mark.SPIKE | Mark.NONFINITE, of=0),
        nonfinite_gradients=finding(Mark.GRADIENT | Mark.NONFINITE, of=1),
        normal=having(Mark.NORMAL),
        out_of_bound=having(Mark.GRADIENT | Mark.NORMAL),
        max_ulp=float(ulps[worst]) if measured else 0.0,
        max_ulp_at=int(patterns[worst]) if measured else None,
        correctly_rounded=having(Mark.CORRECT),
        ulp_counts=tuple(bins[: len(ULP_EDGES) - 1].tolist()),
        zeroed=having(Mark.ZEROED),
        kept=having(Mark.KEPT),
    )


def _size(errors: np.ndarray) -> np.ndarray:
    """How large errors are; of a NaN that is infinite."""
    return np.where(np.isnan(errors), np.inf, np.abs(errors))


def breakpoints(spec: Spec, parameters: Parameters, fmt: Format) -> tuple[tuple[float, float], ...]:
    """Where the formula jumps or has a kink, declared or found, and how near to each is left out."""
    return tuple((float(p.at), _reach(float(p.at), p.sensitivity, fmt)) for p in places(spec, parameters))


def _reach(at: float, sensitivity: float, fmt: Format) -> float:
    # Not less than where the oracle accepts the value of either side; x = 0 is exact.
    size = max(abs(at), fmt.smallest_normal) if at else 0.0
    rounded = 2 * (size + sensitivity) * (1 + 4 * fmt.unit_roundoff)
    return fmt.unit_roundoff * max(BREADTH * abs(at), rounded)


def floor(spec: Spec, parameters: Parameters, fmt: Format) -> float:
    """The flush-to-zero threshold f of the whole format, whichever of its patterns are judged together."""
    return flush_floor(spec, parameters, fmt, sweep(spec, parameters, fmt, "quick", 0).expected.peak)


def tally(
    spec: Spec,
    parameters: Parameters,
    fmt: Format,
    patterns: np.ndarray,
    spikes: np.ndarray,
    gradients: np.ndarray,
) -> Tally:
    """Judge spikes and gradients at bit patterns.

    Args:
        spec: what is promised.
        parameters: at which values of its parameters.
        fmt: the format of the inputs.
        patterns: their bits, of dtype ``fmt.bits_dtype``; any shape, in ascending order.
        spikes: the forward values, in any dtype that NumPy converts to float64; the same shape.
        gradients: the pseudo-derivatives, likewise.
    """
    patterns, spikes, gradients = (np.asarray(a).reshape(-1) for a in (patterns, spikes, gradients))
    with np.errstate(invalid="ignore"):
        # The product makes signalling NaNs quiet, which would warn at every later step.
        points, value, measured = (a.astype(np.float64) * 1.0 for a in (patterns.view(fmt.dtype), spikes, gradients))
    finite = np.isfinite(points)
    near = np.zeros(points.shape, bool)
    for at, reach in breakpoints(spec, parameters, fmt):
        near |= finite & (np.abs(points - at) <= reach)
    subnormal = (np.abs(points) < fmt.smallest_normal) & (points != 0)

    promised = forward(spec, parameters, points)
    wrong = (value != promised) & ~np.isnan(promised) & ~(near & (points != 0))
    at_zero = forward(spec, parameters, np.zeros(1))[0]
    flushed = wrong & subnormal & (value == at_zero) & spec.flushing_tolerated

    expected = replace(expect(spec, parameters, fmt, points), floor=floor(spec, parameters, fmt))
    # Nothing is promised where a case without x may answer at NaN, or where the formula has no limit.
    unpromised = (np.isnan(points) & bool(at_nan(spec, parameters))) | (np.isinf(points) & np.isnan(expected.gradient))
    zeroed = expected.flushed & (measured == 0)
    normal = finite & ~near & (np.abs(expected.gradient) >= fmt.smallest_normal) & ~zeroed
    tiny = (np.abs(expected.gradient) > fmt.smallest_subnormal / 2) & finite & ~near & ~normal
    graded = normal & ~np.isnan(measured)
    nearest = expected.nearest(measured)
    with np.errstate(invalid="ignore"):
        error = nearest.error(measured)
        ulps = np.where(graded, np.abs(error) / fmt.ulp(expected.gradient), -1.0)
    marks = np.where(graded, _bins(ulps), np.int16(Mark.BIN))
    for mark, where in (
        (Mark.CORRECT, graded & (ulps <= 0.5)),
        (Mark.NORMAL, normal),
        (Mark.SPIKE, wrong & ~flushed),
        (Mark.FLUSHED, flushed),
        (Mark.GRADIENT, ~nearest.within(measured) & ~near & ~unpromised),
        (Mark.NONFINITE, ~finite),
        (Mark.NEAR, near),
        (Mark.ZEROED, tiny & (measured == 0)),
        (Mark.KEPT, tiny & (measured != 0)),
    ):
        if where.any():
            marks |= where * np.int16(mark)

    def errors() -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(invalid="ignore"):
            return value - promised, error

    return collect(patterns, marks, ulps, errors)


def _bins(ulps: np.ndarray) -> np.ndarray:
    """The bin of each error by :data:`ULP_EDGES`, which are powers of two, in a third of the time of a search."""
    exponent = np.frexp(np.minimum(ulps, ULP_EDGES[-2]))[1]
    return np.where(ulps < ULP_EDGES[1], 0, exponent + 1).astype(np.int16)


FLOAT32 = FORMATS["float32"]
