"""Two evaluations of one thing, compared element by element."""

from __future__ import annotations

import numpy as np

from surrogate_core.drivers.base import Observation, Request
from surrogate_core.properties.base import Case, agreement, wide
from surrogate_core.properties.outcome import Failed, Witness
from surrogate_core.spec.digits import in_format, plus_minus
from surrogate_core.spec.expectation import Expectation

__all__ = ["SMALL", "bounds_off", "cotangents", "distance", "graded", "slack", "unlike"]

SMALL = 25
"""Inputs of an eager call, which has one length in all properties: in JAX another one is another program for every
operation. Odd, and more than one SIMD block."""

SCRIPTED = 256
"""Inputs beyond which a script would be a wall of numbers."""


def cotangents(case: Case, shape: tuple[int, ...]) -> np.ndarray:
    """Exact numbers of both signs, no two neighbours alike."""
    return np.resize(np.array([1.0, -2.0, 0.5, 3.0]), shape).astype(case.format.dtype)


def distance(other: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """Absolute differences; 0 between equal infinities and between NaNs, infinite where only one is NaN."""
    with np.errstate(invalid="ignore"):
        error = np.abs(other - plain)
    same = (other == plain) | (np.isnan(other) & np.isnan(plain))
    return np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))


def slack(case: Case, x: np.ndarray, cotangent: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """How far two evaluations of cotangent * g'(x) may be apart, of which ``gradient`` is one.

    Each g' may be off by its bound B or be flushed; each product rounds once more, or is flushed.
    """
    tolerance, _ = agreement(case, x)
    size = np.nan_to_num(np.abs(wide(gradient)), nan=0.0, posinf=0.0)
    weight = np.abs(wide(cotangent))
    flushed = np.where((weight > 0) & (weight < 1), case.format.smallest_normal, 0.0)
    return tolerance * weight + 2 * case.format.unit_roundoff * size + flushed


def graded(case: Case, expected: Expectation, measured: np.ndarray) -> np.ndarray:
    """Where the gradient is a normal number at a finite input, and was neither NaN nor flushed."""
    normal = np.isfinite(case.sweep.exact) & (np.abs(expected.gradient) >= case.format.smallest_normal)
    return normal & ~np.isnan(measured) & ~(expected.flushed & (measured == 0))


def bounds_off(case: Case, gradient: np.ndarray) -> float:
    """The largest error over the sweep, in bounds, where the gradient is a normal number that was not flushed."""
    measured = wide(gradient)
    expected = case.sweep.expected.nearest(measured)
    counted = graded(case, expected, measured) & (expected.bound > 0)
    return float(np.max(np.abs(expected.error(measured))[counted] / expected.bound[counted], initial=0.0))


def unlike(
    case: Case, given: str, request: Request, got: Observation, plain: Observation, allowed: np.ndarray
) -> Failed | None:
    """The first way in which an answer is not the plain one; ``None`` where it is.

    Args:
        case: where both were observed.
        given: what was done, in words.
        request: what gave ``got``, a vjp or the spikes alone.
        got: the answer; its spikes are compared exactly, its gradient within ``allowed``.
        plain: the answer of the plain call, laid out alike; its derivative may be ``None``, and is then ignored.
        allowed: of the gradient's shape.
    """
    pairs = [("spikes", got.value, plain.value, np.zeros(plain.value.shape))]
    if plain.derivative is not None:
        pairs.append(("gradient", got.gradient, plain.derivative, allowed))
    witness = Witness(request) if request.x.size <= SCRIPTED else None
    largest = 1.0 if request.direction is None else max(1.0, float(np.abs(wide(request.direction)).max(initial=0)))
    scales = {"spikes": 1.0, "gradient": (case.sweep.expected.peak or 1.0) * largest}
    for what, other, expected, limit in pairs:
        if other.shape != expected.shape:
            return Failed(given, f"{what} of shape {other.shape}", f"{what} of shape {expected.shape}", witness=witness)
        if other.dtype != expected.dtype:
            return Failed(given, f"{what} of {other.dtype.name}", f"{what} of {expected.dtype.name}", witness=witness)
        error = distance(wide(other), wide(expected))
        if not (error <= limit).all():
            at = tuple(int(i) for i in np.unravel_index(np.argmax(error - limit), error.shape))
            return Failed(
                given,
                f"{what}{list(at) if at else ''} = {in_format(float(other[at]), case.format)}",
                f"the plain call's {plus_minus(float(expected[at]), limit[at], case.format)}",
                severity=float(error.max()) / scales[what],
                witness=witness,
            )
    return None
