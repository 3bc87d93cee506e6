"""Linearity in the cotangent: the backward pass multiplies it by g', whatever it is."""

from __future__ import annotations

import functools

import numpy as np

from surrogate_core.drivers.base import Request
from surrogate_core.properties.base import (
    Case,
    Property,
    Requests,
    Seen,
    agreement,
    breach,
    gravest,
    observed,
    swept,
    whole_sweep,
    wide,
)
from surrogate_core.properties.outcome import Outcome, Passed
from surrogate_core.spec.digits import in_format
from surrogate_core.spec.formats import FORMATS, Format
from surrogate_core.spec.sweep import simplest

__all__ = ["COTANGENT"]


def _poisoned(case: Case) -> int:
    """An input with an ordinary gradient, whose cotangent becomes NaN."""
    rungs = case.sweep.ladder(case.format, 1)
    return int(rungs[rungs.size // 8]) if rungs.size else 0


@functools.lru_cache(maxsize=1)
def _cotangents(case: Case) -> dict[str, np.ndarray]:
    size, fmt = case.sweep.x.size, case.format
    huge, tiny = 2.0 ** (fmt.max_exponent // 2), 2.0 ** (fmt.min_exponent // 2)
    # A prime number of them, so that every input of a pattern meets every one.
    mixed = [1.0, -2.0, 0.5, 3.0, -0.75, 0.0, huge, 1.25, -huge, tiny, -1.0]
    poisoned = np.ones(size)
    poisoned[_poisoned(case)] = np.nan
    plain = {
        "zero": np.zeros(size),
        "mixed": np.tile(mixed, -(-size // len(mixed)))[:size],
        "NaN in one place": poisoned,
    }
    return {name: values.astype(fmt.dtype) for name, values in plain.items()}


@functools.lru_cache(maxsize=1)
def _observe(case: Case) -> Requests:
    directions = _cotangents(case)
    return {"ones": whole_sweep(case)} | {n: Request("vjp", case.sweep.x, direction=c) for n, c in directions.items()}


def _carried(cotangent: np.ndarray, spikes: np.dtype) -> np.ndarray:
    """The cotangent as spikes of a narrower dtype carry it back; infinite where they cannot.

    That such spikes have another dtype than the input is what forward.dtype says; here it is no news.
    """
    if spikes.itemsize < cotangent.dtype.itemsize and spikes.name in FORMATS:
        with np.errstate(over="ignore"):
            return wide(cotangent.astype(spikes))
    return wide(cotangent)


def _excused(fmt: Format, pulled: np.ndarray, expected: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Where a product is NaN that ought to be, or infinite where the format may not hold it."""
    with np.errstate(invalid="ignore", over="ignore"):
        overflowing = np.isinf(pulled) & (np.sign(pulled) == np.sign(expected))
        overflowing &= ~(np.abs(expected) + allowed <= fmt.largest)
    return overflowing | (np.isnan(expected) & np.isnan(pulled))


def _judge(case: Case, seen: Seen) -> Outcome:
    fmt, finite = case.format, np.isfinite(case.sweep.exact)
    unit = wide(observed(seen["ones"]).gradient)
    tolerance, _ = agreement(case, case.sweep.exact)
    # Where the gradient is another one than promised, it has roundings of its own size: 4u each, as in the bound.
    with np.errstate(invalid="ignore"):
        tolerance = np.fmax(tolerance, 8 * fmt.unit_roundoff * np.abs(unit))
    requests, judged = _observe(case), finite & np.isfinite(unit)
    for name, cotangent in _cotangents(case).items():
        answer = observed(seen[name])
        pulled, weight = answer.gradient, _carried(cotangent, answer.value.dtype)
        # Both gradients may be off by B; their product rounds once more, or is flushed.
        with np.errstate(invalid="ignore", over="ignore"):
            expected = weight * unit
            allowed = np.abs(weight) * tolerance + fmt.unit_roundoff * np.abs(expected) + fmt.smallest_normal
            allowed = np.where(weight == 0, 0.0, allowed)
            error = np.abs(wide(pulled) - expected)
            wrong = judged & ~np.isinf(weight) & ~(error <= allowed)
        odd = np.flatnonzero(wrong)
        wrong[odd] = ~_excused(fmt, wide(pulled[odd]), expected[odd], allowed[odd])
        if wrong.any():
            # The simplest of those with a cotangent that a person has in mind.
            grave = gravest(case, requests[name], wrong, error)
            plain = grave & (np.abs(weight) == 1)
            index = simplest(case.sweep.x, plain if plain.any() else grave)
            return breach(
                case,
                requests[name],
                index,
                pulled[index],
                _told(case, name, weight[index], unit[index], allowed[index]),
                error[wrong],
                {"cotangents": name, "wrong": int(wrong.sum())},
            )
    return Passed(swept(case) | {"cotangents": list(_cotangents(case))})


def _told(case: Case, name: str, weight: float, unit: float, allowed: float) -> str:
    """What is allowed, for a person to read."""
    gradient = f"the gradient {in_format(unit, case.format)} for a cotangent of 1 (cotangents: {name})"
    if np.isnan(weight):
        return f"NaN, as a cotangent of NaN times {gradient} is"
    return f"cotangent {in_format(weight, case.format)} times {gradient}, ± {allowed:.3g}"


COTANGENT = Property(
    id="gradient.cotangent",
    promise="The backward pass is linear in the cotangent: zero, of mixed signs and sizes, NaN in one place.",
    observe=_observe,
    judge=_judge,
)
