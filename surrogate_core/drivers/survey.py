"""Surveying float32 bit patterns by XLA: their errors counted, and whether any of them needs a closer look.

The conditions are sufficient and cheap; what they flag is for :func:`surrogate_core.drivers.xla.inspection`.
How XLA on CPU works shapes the code: what feeds two loops it fuses into both of them, unless :func:`_stage` puts
it in memory; a reduction it does not put into vectors, so every lane counts for itself until the end; and more
than eight operations in a row it hands out to threads, which are busy with other blocks.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from surrogate_core.drivers.base import BrokenContract
from surrogate_core.drivers.tally import ULP_EDGES
from surrogate_core.drivers.xla import FLOAT32, INFINITY, NORMAL, SIGN, bits_of, formula, per_ulp, step
from surrogate_core.spec.model import Spec

__all__ = ["CLASSES", "HALF", "LOPSIDED", "ODD", "ROUNDS", "VANISHED", "ZEROED", "Evaluate", "survey"]

Evaluate = Callable[[Any], tuple[Any, Any]]
"""x (a flat float32 array) -> (spikes, gradients)."""

ROUNDS = 128
"""Chunks in one survey; in the end a lane's counters are bytes and hold 255."""

FEW = 15
"""Chunks that are counted in four bits."""

FOLD = 32
"""Lanes that are summed at once; XLA on CPU takes its time for sums of more."""

CLASSES = 16
"""Counters of a survey: 13 bins of the error in ulp, then the classes below."""

ZEROED, HALF, VANISHED = 13, 14, 15
"""Expected subnormal, or flushed on the way, and zero came back; an error of exactly half an ulp; expected to round to
zero."""

FLAGGED = -(2.0**14)
"""What needs a closer look. As the others, an error of -2^(k-2) falls into class k; there is no class 16."""

ODD, LOPSIDED = 1, 2
"""Bits of the flaws that a survey finds."""


def _stage(once: Any, function: Callable[..., Any], *operands: Any) -> Any:
    """``function(*operands)``, what it takes and what it returns held in memory.

    XLA fuses no branch with what is around it. That the branch is taken is an argument, ``once``, which
    XLA cannot see through as it does through an optimization barrier.
    """
    shapes = jax.eval_shape(function, *operands)

    def never(*_: Any) -> Any:
        return jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)

    return lax.cond(once > 0, function, never, *operands)


def _classify(gradient: Any, bound: Any, measured: Any, smallest: Any) -> Any:
    """The error in ulp where it is graded; elsewhere -2^(k-2) for class k, ``FLAGGED`` where not acceptable."""
    size = jnp.abs(gradient)
    error = jnp.abs(measured - gradient)
    zeroed = measured == 0
    flushed = zeroed & (size - bound <= smallest)
    accepted = (error <= bound) | flushed
    ulps = error * per_ulp(gradient)
    ulps = jnp.where(ulps < 2 * ULP_EDGES[-2], ulps, FLAGGED)
    vanishing = size <= FLOAT32.smallest_subnormal / 2
    beneath = jnp.where(zeroed, jnp.where(vanishing, -(2.0 ** (VANISHED - 2)), -(2.0 ** (ZEROED - 2))), FLAGGED)
    graded = (size >= FLOAT32.smallest_normal) & ~flushed
    return jnp.where(accepted, jnp.where(graded, ulps, beneath), FLAGGED)


def _counted(ulps: Any) -> Any:
    """One in the four bits of its class, of 64."""
    ulps = jnp.where(ulps == 0.5, 2.0 ** (HALF - 2), ulps)
    exponent = (bits_of(ulps, jnp.int64) >> 52) & 0x7FF
    shift = jnp.maximum(exponent - (1023 - 2), 0) << 2
    # Shifting by 64 leaves nothing.
    return lax.shift_left(jnp.ones(ulps.shape, jnp.int64), shift)


def _larger(ulps: Any, worst: Any) -> Any:
    # As integers, since XLA on CPU takes four times as long for the larger of two floats. The order is that of
    # the numbers from 0 on, above all of those below 0.
    return jnp.maximum(bits_of(ulps, jnp.int64), worst)


def _bytes(counters: Any) -> Any:
    """Counters of four bits as counters of eight: the classes 0, 2, ... in the first row, 1, 3, ... in the second."""
    shift = jnp.array([0, 4]).reshape(2, *(1 for _ in counters.shape))
    return (counters[None] >> shift) & 0x0F0F_0F0F_0F0F_0F0F


def _totals(counters: Any) -> Any:
    """Counters of eight bits, summed over all lanes; shape (classes,)."""
    # First in sixteen bits, four at a time, which hold FOLD times what eight bits do.
    folded = counters.reshape(*counters.shape[:-1], FOLD, -1)
    mask = 0x00FF_00FF_00FF_00FF
    pairs = jnp.stack([folded & mask, (folded >> 8) & mask]).sum(axis=-2)
    fields = (pairs[None] >> (16 * jnp.arange(4)).reshape(4, 1, 1, 1, 1)) & 0xFFFF
    return fields.sum(axis=(3, 4)).reshape(CLASSES)


def survey(spec: Spec, *, mirrored: bool, chunk: int, evaluate: Evaluate | None) -> Callable[..., tuple[Any, Any, Any]]:
    """A program over ``rounds * chunk`` consecutive magnitudes, all of them normal numbers, far from breakpoints.

    Args:
        spec: what is promised.
        mirrored: the formula is even: it is evaluated once for both signs, whose gradients should be equal.
        chunk: magnitudes at a time; their arrays should fit the cache.
        evaluate: the implementation, or ``None`` where its answers are given.

    Returns:
        (start, stride, rounds, once, parameters, floor, answers) -> (flaws, counts, worst). ``once`` is 1.
        ``answers`` are spikes and gradients in float32 of shape (2, rounds * chunk), one row a sign, or empty.
        ``flaws`` has the bit ``ODD`` where some spike or gradient is wrong or odd, ``LOPSIDED`` where a gradient
        is not mirrored. ``counts`` are by class; they fall short of all where a gradient is flagged. ``worst``
        are the largest errors in ulp of every lane by sign (one of both if ``mirrored``), below 0 where there is
        none; lane k looked at the magnitudes k, k + chunk, k + 2*chunk, ...
    """
    evaluated = formula(spec)
    rows = 1 if mirrored else 2

    def answered(bits: Any) -> tuple[Any, Any]:
        assert evaluate
        # The implementation sees what its users see, and float64 is not what they have.
        with jax.enable_x64(False):
            found = evaluate(bits_of(bits.reshape(-1), jnp.float32))
        spikes, gradients = (_float32(f, (bits.size,)).reshape(bits.shape) for f in found)
        return spikes, gradients

    def part(i: Any, answers: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(lax.dynamic_slice_in_dim(a, i * chunk, chunk, axis=1) for a in answers)

    def program(
        start: Any, stride: Any, rounds: Any, once: Any, parameters: Any, floor: Any, answers: tuple[Any, ...]
    ) -> tuple[Any, Any, Any]:
        def judged(i: Any) -> tuple[Any, Any]:
            magnitude = start + stride * (i.astype(jnp.uint32) * np.uint32(chunk) + lax.iota(jnp.uint32, chunk))
            bits = jnp.stack([magnitude, magnitude | SIGN])
            if evaluate:
                spikes, gradients = _stage(once, answered, bits)
            else:
                spikes, gradients = _stage(once, part, i, answers)
            points, measured = (a[:rows].astype(jnp.float64) for a in (bits_of(bits, jnp.float32), gradients))
            gradient, bound = _stage(once, lambda at: evaluated(at, parameters), points)
            flaws = _flaws(spec, bits, spikes, gradients, parameters, mirrored)
            return flaws, _classify(gradient, bound, measured, floor)

        def one(i: Any, state: Any) -> Any:
            flaws, counters, worst = state
            more, ulps = _stage(once, judged, i)
            return flaws | more, counters + _counted(ulps), _larger(ulps, worst)

        def few(j: Any, state: Any) -> Any:
            flaws, counters, worst = state
            first, empty = j * FEW, jnp.zeros((rows, chunk), jnp.int64)
            last = jnp.minimum(first + FEW, rounds)
            flaws, more, worst = lax.fori_loop(first, last, one, (flaws, empty, worst))
            return flaws, counters + _bytes(more), worst

        counters = jnp.zeros((2, rows, chunk), jnp.int64)
        state = jnp.zeros(chunk, jnp.uint32), counters, bits_of(jnp.full((rows, chunk), FLAGGED), jnp.int64)
        flaws, counters, worst = lax.fori_loop(0, (rounds + FEW - 1) // FEW, few, state)
        return (
            lax.reduce(flaws, np.uint32(0), lax.bitwise_or, (0,)),
            _totals(counters),
            bits_of(worst, jnp.float64),
        )

    return program


def _float32(answer: Any, shape: tuple[int, ...]) -> Any:
    if answer.shape != shape:
        raise BrokenContract(f"the spike function returned the shape {answer.shape}; expected {shape}")
    return answer.astype(jnp.float32)


def _flaws(spec: Spec, bits: Any, spikes: Any, gradients: Any, parameters: tuple[Any, ...], mirrored: bool) -> Any:
    """``ODD`` where a spike differs or a gradient is subnormal or not finite; ``LOPSIDED`` where it is not mirrored."""
    points, found = bits_of(bits, jnp.float32), bits_of(gradients, jnp.uint32)
    if spec.forward is None:
        # Whether x is above 0 takes no float64.
        different = bits_of(spikes, jnp.uint32) != bits_of(step(spec, points, parameters), jnp.uint32)
    else:
        # A formula may have thresholds that float32 does not hold, and values.
        different = spikes.astype(jnp.float64) != step(spec, points.astype(jnp.float64), parameters)
        different |= _subnormal(bits_of(spikes, jnp.uint32))
    kept = found[:1] if mirrored else found
    strange = _subnormal(kept) | (kept & ~SIGN >= INFINITY)
    # Row by row: XLA on CPU takes a reduction over two rows for one, and not in vectors.
    flaws = functools.reduce(operator.or_, (*different, *strange)).astype(jnp.uint32) * np.uint32(ODD)
    return flaws | jnp.where(found[0] != found[1], np.uint32(LOPSIDED), np.uint32(0)) if mirrored else flaws


def _subnormal(bits: Any) -> Any:
    # From 0 it wraps around to the largest integer.
    return (bits & ~SIGN) - np.uint32(1) < NORMAL - np.uint32(1)
