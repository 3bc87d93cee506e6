"""A few million bit patterns, judged by the definition in NumPy: XLA is faster, but compiles for a second first."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from surrogate_core.drivers.base import digest
from surrogate_core.drivers.tally import FLOAT32, NoOracle, Span, Tally, tally
from surrogate_core.spec.model import Parameters, Spec
from surrogate_core.spec.oracle import float64_is_sound

__all__ = ["FEW", "PIECE", "judge_few"]

Answers = Callable[[Span], tuple[np.ndarray, np.ndarray]]
"""A span -> spikes and gradients there, float32 of the shape of its patterns, in arrays that nobody writes to later."""

FEW = 1 << 22
"""Patterns up to which this is the faster way."""

PIECE = 1 << 15
"""Magnitudes in one answer: with both signs as many numbers as a sweep of `standard` has, for which an eager JAX
function has been compiled already."""

KEPT = 64
"""Tallies of pieces that are kept: those of two implementations in `standard`."""

_kept: dict[tuple[object, ...], Tally] = {}
"""By all that it depends on. A library's class and its function come one after the other and mostly answer alike, bit
for bit; what has been judged is then not judged again."""

AT_ONCE = 1 << 13
"""Magnitudes judged at a time: the arrays of both signs, 128 KiB each, stay in the cache."""


def judge_few(answers: Answers, spec: Spec, parameters: Parameters, span: Span) -> Tally:
    """The tally of a span, judged in other threads while ``answers`` goes on answering in this one.

    Args:
        answers: called for consecutive parts of the span, of :data:`PIECE` magnitudes at most.
        spec: what is promised.
        parameters: at which values of its parameters.
        span: where.

    Raises:
        NoOracle: float64 is not good enough to judge float32 by this formula.
        Exception: whatever ``answers`` raises.
    """
    if not float64_is_sound(spec, parameters):
        raise NoOracle(f"float64 loses the formula {spec.gradient} to cancellation and cannot judge float32 by it")

    def judged(piece: Span, spikes: np.ndarray, gradients: np.ndarray) -> Tally:
        key = (spec, parameters, piece, digest(spikes), digest(gradients))
        if (known := _kept.pop(key, None)) is not None:
            return _keep(key, known)
        parts = ((part, slice(i * AT_ONCE, (i + 1) * AT_ONCE)) for i, part in enumerate(piece.cut(AT_ONCE)))
        found = (
            tally(spec, parameters, FLOAT32, part.patterns(), spikes[:, at], gradients[:, at]) for part, at in parts
        )
        return _keep(key, sum(found, Tally()))

    pieces = [*span.cut(PIECE)]
    with _started(min(os.cpu_count() or 1, max(len(pieces), 1))) as pool:
        pending = [pool.submit(judged, piece, *answers(piece)) for piece in pieces]
        return sum((done.result() for done in pending), Tally())


def _started(threads: int) -> ThreadPoolExecutor:
    """A pool whose threads run already.

    A thread takes over the floating-point mode of the one that starts it, which the implementation may change, as
    ``torch.set_flush_denormal`` does.
    """
    pool, together = ThreadPoolExecutor(threads), threading.Barrier(threads)
    try:
        for _ in range(threads):
            pool.submit(together.wait)
    except BaseException:
        # Those that wait for one that cannot be started would keep the process from ending.
        together.abort()
        pool.shutdown(cancel_futures=True)
        raise
    return pool


def _keep(key: tuple[object, ...], tally: Tally) -> Tally:
    """Keep the tally as the latest; the oldest go. Each step is safe beside those of other threads."""
    _kept[key] = tally
    for oldest in list(_kept)[:-KEPT]:
        _kept.pop(oldest, None)
    return tally
