"""Judging bit patterns of float32 by XLA: two programs that find what :func:`..tally.tally` defines, fast.

A *survey* counts the errors of very many patterns and decides whether anything among them needs a closer look,
by conditions that are sufficient and cheap. An *inspection* marks every pattern as the definition does.

Two things about XLA on CPU shape the code. It reads subnormal numbers as zero, so whatever may be one is
taken from its bits by integer arithmetic. And it fuses what feeds two loops into both of them: :func:`_stage`
puts an array in memory, without which the formula would be evaluated several times over.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jax import lax

from surrogate_core.drivers.base import BrokenContract
from surrogate_core.drivers.tally import BREADTH, ULP_EDGES, Mark, NoOracle, breakpoints, floor
from surrogate_core.spec.formats import FORMATS
from surrogate_core.spec.model import Parameters, Spec, x
from surrogate_core.spec.oracle import SOUND, expect, float64_is_sound, forward, limits

__all__ = ["CLASSES", "ROUNDS", "Constants", "Evaluate", "constants", "inspection", "survey"]

Evaluate = Callable[[Any], tuple[Any, Any]]
"""x (a flat float32 array) -> (spikes, gradients)."""

FLOAT32 = FORMATS["float32"]
SIGN = np.uint32(1 << 31)
INFINITY = np.uint32(0x7F80_0000)
NORMAL = np.uint32(0x0080_0000)
"""The bits of the smallest normal number: below it lie the subnormals."""

ROUNDS = 128
"""Chunks in one survey; in the end a lane's counters are bytes and hold 255."""

FEW = 15
"""Chunks that are counted in four bits."""

CLASSES = 16
"""Counters of a survey: 13 bins of the error in ulp, then the classes below."""

ZEROED, HALF, VANISHED = 13, 14, 15
"""Expected subnormal and zero came back; an error of exactly half an ulp; expected to round to zero."""

FLAGGED = -(2.0**14)
"""What needs a closer look. As the others, an error of -2^(k-2) falls into class k; there is no class 16."""


class Constants(NamedTuple):
    """Numbers that a spec derives from its parameters; arguments, so that no value of them compiles anew.

    Attributes:
        parameters: in the order of the spec.
        floor: the flush-to-zero threshold f.
        low, high: the limits of g' at -inf and inf.
        at_zero: g' at 0, which subnormal input may give; NaN where that is not tolerated.
        spike_at_zero: likewise the spike.
        breakpoints: places in x, shape (places,).
    """

    parameters: tuple[Any, ...]
    floor: Any
    low: Any
    high: Any
    at_zero: Any
    spike_at_zero: Any
    breakpoints: Any


def constants(spec: Spec, parameters: Parameters, device: Any) -> Constants:
    """The constants, on a device.

    Raises:
        NoOracle: float64, or XLA's evaluation in float64, is not good enough to judge float32 by this formula.
    """
    if not float64_is_sound(spec, parameters):
        raise NoOracle(f"float64 loses the formula {spec.gradient} to cancellation and cannot judge float32 by it")
    places = breakpoints(spec, parameters)
    tolerated = spec.flushing_tolerated and 0.0 not in places
    zero = np.zeros(1)
    found = Constants(
        tuple(v for _, v in parameters),
        floor(spec, parameters, FLOAT32),
        *limits(spec, parameters),
        expect(spec, parameters, FLOAT32, zero).gradient[0] if tolerated else np.nan,
        forward(spec, parameters, zero)[0] if spec.flushing_tolerated else np.nan,
        np.array(places, np.float64),
    )
    _verify(spec, parameters)
    with jax.enable_x64(True):
        return jax.tree.map(lambda value: jax.device_put(np.float64(value), device), found)


@functools.cache
def _verify(spec: Spec, parameters: Parameters) -> None:
    """Raise :class:`NoOracle` unless XLA's formula and bound are those of the spec's oracle."""
    distances = 2.0 ** np.arange(-30, 12, 0.37)
    points = np.concatenate([distances, -distances]).astype(np.float32).astype(np.float64)
    expected = expect(spec, parameters, FLOAT32, points)
    terms = expected.bound / FLOAT32.unit_roundoff
    try:
        with jax.enable_x64(True):
            evaluated = _compiled_formula(spec)(points, tuple(v for _, v in parameters))
            gradient, bound = map(np.asarray, evaluated)
    except (TypeError, ValueError, NameError, AttributeError, NotImplementedError) as error:
        raise NoOracle(f"the formula {spec.gradient} or its slope is not known to XLA: {error}") from error
    # 2^-160 is below every number of float32; float64 itself has been compared with mpmath.
    wrong = ~(np.abs(gradient - expected.gradient) <= 2 * SOUND * terms + 2.0**-160)
    wrong |= ~(np.abs(bound - expected.bound) <= 2 * SOUND * expected.bound + 2.0**-160)
    if wrong.any():
        at = points[np.flatnonzero(wrong)[0]]
        raise NoOracle(f"XLA evaluates the formula {spec.gradient} in float64 badly: at x={at:.9g}, for one")


@functools.cache
def _compiled_formula(spec: Spec) -> Callable[..., tuple[Any, Any]]:
    return jax.jit(_formula(spec))


@functools.cache
def _lambdified(spec: Spec, expressions: tuple[Any, ...]) -> Callable[..., list[Any]]:
    # Dirac's delta is what a jump adds to a slope; what is near a jump is judged elsewhere.
    smooth = [sympy.sympify(e).replace(sympy.DiracDelta, lambda *_: sympy.S.Zero) for e in expressions]
    modules: Any = [
        {"select": _select, "sign": _sign, "erf": jax.scipy.special.erf, "erfc": jax.scipy.special.erfc},
        "jax",
    ]
    # Common parts are computed once: exp serves the value and every slope.
    return sympy.lambdify((x, *(p.symbol for p in spec.parameters)), smooth, modules, cse=True)


def _sign(value: Any) -> Any:
    """The sign, of numbers. ``jnp.sign`` sees to NaN and -0.0 too, which takes three times as long."""
    return jnp.where(value > 0, 1.0, jnp.where(value < 0, -1.0, 0.0))


def _select(conditions: list[Any], values: list[Any], default: Any) -> Any:
    """The value of the first condition that holds. ``jnp.select`` reduces over them, which is slow."""
    for condition, value in zip(conditions[::-1], values[::-1], strict=True):
        default = jnp.where(condition, value, default)
    return default


def _formula(spec: Spec) -> Callable[[Any, tuple[Any, ...]], tuple[Any, Any]]:
    """(points, parameters) -> (g', the bound B), as in the spec's oracle."""
    symbols = [x, *(p.symbol for p in spec.parameters)]
    function = _lambdified(spec, (spec.gradient, *(sympy.diff(spec.gradient, s) for s in symbols)))

    def formula(points: Any, parameters: tuple[Any, ...]) -> tuple[Any, Any]:
        gradient, *slopes = (jnp.broadcast_to(v, points.shape) for v in function(points, *parameters))
        terms = 4 * jnp.abs(gradient)
        for value, slope in zip((points, *parameters), slopes, strict=True):
            moved = jnp.abs(value * slope)
            terms = terms + 2 * jnp.where(jnp.isnan(moved), 0.0, moved)
        return gradient, FLOAT32.unit_roundoff * terms

    return formula


def _step(spec: Spec, points: Any, parameters: tuple[Any, ...]) -> Any:
    """The forward formula, in the dtype of ``points``."""
    (values,) = _lambdified(spec, (spec.step,))(points, *(p.astype(points.dtype) for p in parameters))
    return jnp.broadcast_to(values, points.shape).astype(points.dtype)


def _bits(values: Any, dtype: Any) -> Any:
    return lax.bitcast_convert_type(values, dtype)


def _exact(bits: Any) -> Any:
    """The float64 value of float32 bits, subnormal ones included."""
    magnitude = bits & ~SIGN
    subnormal = magnitude.astype(jnp.float64) * FLOAT32.smallest_subnormal
    size = jnp.where(magnitude < NORMAL, subnormal, _bits(magnitude, jnp.float32).astype(jnp.float64))
    return jnp.where(bits >= SIGN, -size, size)


_EXPONENT = np.int64(0x7FF0_0000_0000_0000)
_LARGEST = np.int64((1023 + FLOAT32.max_exponent) << 52)
_INVERSE = np.uint64((2046 + FLOAT32.precision - 1) << 52).astype(np.int64)


def _per_ulp(gradient: Any) -> Any:
    """1 / ulp of float32 at each float64 gradient of normal size."""
    # Bits of a power of two are its exponent alone, so that subtracting them divides.
    exponent = jnp.minimum(_bits(gradient, jnp.int64) & _EXPONENT, _LARGEST)
    return _bits(_INVERSE - exponent, jnp.float64)


def _stage(once: Any, function: Callable[..., Any], *operands: Any) -> Any:
    """``function(*operands)``, what it takes and what it returns held in memory.

    XLA fuses no branch with what is around it. That the branch is taken is an argument, ``once``, which
    XLA cannot see through as it does through an optimization barrier.
    """
    shapes = jax.eval_shape(function, *operands)
    return lax.cond(
        once > 0, function, lambda *_: jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes), *operands
    )


def _classify(gradient: Any, bound: Any, measured: Any, smallest: Any) -> Any:
    """The error in ulp where it is graded; elsewhere -2^(k-2) for class k, ``FLAGGED`` where not acceptable."""
    size = jnp.abs(gradient)
    error = jnp.abs(measured - gradient)
    zeroed = measured == 0
    accepted = (error <= bound) | (zeroed & (size - bound <= smallest))
    ulps = error * _per_ulp(gradient)
    ulps = jnp.where(ulps < 2 * ULP_EDGES[-2], ulps, FLAGGED)
    vanishing = size <= FLOAT32.smallest_subnormal / 2
    beneath = jnp.where(zeroed, jnp.where(vanishing, -(2.0 ** (VANISHED - 2)), -(2.0 ** (ZEROED - 2))), FLAGGED)
    return jnp.where(accepted, jnp.where(size >= FLOAT32.smallest_normal, ulps, beneath), FLAGGED)


def _counted(ulps: Any) -> Any:
    """One in the four bits of its class, of 64."""
    ulps = jnp.where(ulps == 0.5, 2.0 ** (HALF - 2), ulps)
    exponent = (_bits(ulps, jnp.int64) >> 52) & 0x7FF
    shift = jnp.maximum(exponent - (1023 - 2), 0) << 2
    # Shifting by 64 leaves nothing.
    return lax.shift_left(jnp.ones(ulps.shape, jnp.int64), shift)


def _larger(ulps: Any, worst: Any) -> Any:
    # As integers, since XLA on CPU takes four times as long for the larger of two floats. The order is that of
    # the numbers from 0 on, above all of those below 0.
    return jnp.maximum(_bits(ulps, jnp.int64), worst)


def _bytes(counters: Any) -> Any:
    """Counters of four bits as counters of eight: the classes 0, 2, ... in the first row, 1, 3, ... in the second."""
    shift = jnp.array([0, 4]).reshape(2, *(1 for _ in counters.shape))
    return (counters[None] >> shift) & 0x0F0F_0F0F_0F0F_0F0F


def _totals(counters: Any) -> Any:
    """Counters of eight bits, summed over all lanes; shape (classes,)."""
    shift = (8 * jnp.arange(CLASSES // 2)).reshape(-1, *(1 for _ in counters.shape))
    totals = ((counters[None] >> shift) & 0xFF).sum(axis=tuple(range(2, shift.ndim)))
    return totals.reshape(CLASSES)


def survey(spec: Spec, *, mirrored: bool, chunk: int, evaluate: Evaluate | None) -> Callable[..., tuple[Any, Any, Any]]:
    """A program over ``rounds * chunk`` consecutive magnitudes, all of them normal numbers, far from breakpoints.

    Args:
        spec: what is promised.
        mirrored: the formula is even: it is evaluated once for both signs, whose gradients should be equal.
        chunk: magnitudes at a time; their arrays should fit the cache.
        evaluate: the implementation, or ``None`` where its answers are given.

    Returns:
        (start, stride, rounds, once, constants, answers) -> (flaws, counts, worst). ``answers`` are spikes
        and gradients in float32 of shape (2, rounds * chunk), one row a sign, or empty. ``flaws`` has bit 1
        where some spike or gradient is wrong or odd, bit 2 where a gradient is not mirrored. ``counts`` are by
        class; they fall short of all where a gradient is flagged. ``worst`` are the largest errors in ulp by
        sign (one of both if ``mirrored``), below 0 where there is none.
    """
    formula = _formula(spec)
    rows = 1 if mirrored else 2

    def answered(bits: Any) -> tuple[Any, Any]:
        assert evaluate
        # The implementation sees what its users see, and float64 is not what they have.
        with jax.enable_x64(False):
            found = evaluate(_bits(bits.reshape(-1), jnp.float32))
        spikes, gradients = (_float32(f, (bits.size,)).reshape(bits.shape) for f in found)
        return spikes, gradients

    def program(
        start: Any, stride: Any, rounds: Any, once: Any, constants: Constants, answers: tuple[Any, ...]
    ) -> tuple[Any, Any, Any]:
        def judged(bits: Any, spikes: Any, gradients: Any) -> tuple[Any, Any]:
            points, measured = (a[:rows].astype(jnp.float64) for a in (_bits(bits, jnp.float32), gradients))
            gradient, bound = _stage(once, lambda at: formula(at, constants.parameters), points)
            flaws = _flaws(spec, bits, spikes, gradients, constants.parameters, mirrored)
            return flaws, _classify(gradient, bound, measured, constants.floor)

        def step(i: Any, state: Any) -> Any:
            flaws, counters, worst = state
            magnitude = start + stride * (i.astype(jnp.uint32) * np.uint32(chunk) + lax.iota(jnp.uint32, chunk))
            bits = jnp.stack([magnitude, magnitude | SIGN])
            if evaluate:
                spikes, gradients = _stage(once, answered, bits)
            else:
                spikes, gradients = (lax.dynamic_slice(a, (jnp.zeros_like(i), i * chunk), (2, chunk)) for a in answers)
            more, ulps = _stage(once, judged, bits, spikes, gradients)
            return flaws | more, counters + _counted(ulps), _larger(ulps, worst)

        def few(j: Any, state: Any) -> Any:
            flaws, counters, worst = state
            first, empty = j * FEW, jnp.zeros((rows, chunk), jnp.int64)
            last = jnp.minimum(first + FEW, rounds)
            flaws, more, worst = lax.fori_loop(first, last, step, (flaws, empty, worst))
            return flaws, counters + _bytes(more), worst

        counters = jnp.zeros((2, rows, chunk), jnp.int64)
        state = jnp.zeros(chunk, jnp.uint32), counters, _bits(jnp.full((rows, chunk), FLAGGED), jnp.int64)
        flaws, counters, worst = lax.fori_loop(0, (rounds + FEW - 1) // FEW, few, state)
        return (
            lax.reduce(flaws, np.uint32(0), lax.bitwise_or, (0,)),
            _totals(counters),
            _bits(worst.max(axis=1), jnp.float64),
        )

    return program


def _float32(answer: Any, shape: tuple[int, ...]) -> Any:
    if answer.shape != shape:
        raise BrokenContract(f"the spike function returned the shape {answer.shape}; expected {shape}")
    return answer.astype(jnp.float32)


def _flaws(spec: Spec, bits: Any, spikes: Any, gradients: Any, parameters: tuple[Any, ...], mirrored: bool) -> Any:
    """Bit 1 where a spike differs or a gradient is subnormal or not finite; bit 2 where it is not mirrored."""
    promised = _step(spec, _bits(bits, jnp.float32), parameters)
    found = _bits(gradients, jnp.uint32)
    magnitude = found & ~SIGN
    odd = (magnitude - np.uint32(1) < NORMAL - np.uint32(1)) | (magnitude >= INFINITY)
    odd |= _bits(spikes, jnp.uint32) != _bits(promised, jnp.uint32)
    flaws = (odd[0] | odd[1]).astype(jnp.uint32)
    return flaws | jnp.where(found[0] != found[1], np.uint32(2), np.uint32(0)) if mirrored else flaws


def inspection(spec: Spec) -> Callable[..., tuple[Any, Any]]:
    """A program that marks patterns of any kind.

    Returns:
        (bits, constants, spikes, gradients) -> (marks, errors in ulp), all of one shape; an error is -1
        where there is none.
    """
    formula = _formula(spec)

    def program(bits: Any, constants: Constants, spikes: Any, gradients: Any) -> tuple[Any, Any]:
        magnitude = bits & ~SIGN
        finite, subnormal = magnitude < INFINITY, (magnitude < NORMAL) & (magnitude > 0)
        points = _exact(bits)
        inside = jnp.where(finite, points, 0.0)
        value, measured = (_exact(_bits(a, jnp.uint32)) for a in (spikes, gradients))
        places = constants.breakpoints.reshape(-1, *(1 for _ in bits.shape))
        reach = BREADTH * FLOAT32.unit_roundoff * jnp.abs(places)
        near = finite & (jnp.abs(inside - places) <= reach).any(axis=0)

        promised = _step(spec, points, constants.parameters)
        at_nan = np.nan if spec.at_nan is None else spec.at_nan
        promised = jnp.where(magnitude > INFINITY, at_nan, promised)
        wrong = (value != promised) & ~jnp.isnan(promised) & ~(near & (magnitude > 0))
        flushed = wrong & subnormal & (value == constants.spike_at_zero)

        gradient, bound = formula(inside, constants.parameters)
        tolerance = jnp.where(subnormal, jnp.abs(gradient - constants.at_zero), 0.0)
        bound = bound + jnp.where(jnp.isnan(tolerance), 0.0, tolerance)
        limit = jnp.where(magnitude > INFINITY, np.nan, jnp.where(points > 0, constants.high, constants.low))
        gradient, bound = jnp.where(finite, gradient, limit), jnp.where(finite, bound, 0.0)
        accepted = _within(gradient, bound, measured, constants.floor)

        size, judged = jnp.abs(gradient), finite & ~near
        normal = judged & (size >= FLOAT32.smallest_normal)
        tiny = judged & ~normal & (size > FLOAT32.smallest_subnormal / 2)
        graded = normal & ~jnp.isnan(measured)
        ulps = jnp.where(graded, jnp.abs(measured - gradient) * _per_ulp(gradient), -1.0)
        bins = (jnp.array(ULP_EDGES[1:-1])[:, None, None] <= ulps).sum(axis=0, dtype=jnp.int32)
        marks = jnp.where(graded, bins, int(Mark.BIN))
        for mark, where in (
            (Mark.CORRECT, graded & (ulps <= 0.5)),
            (Mark.NORMAL, normal),
            (Mark.SPIKE, wrong & ~flushed),
            (Mark.FLUSHED, flushed),
            (Mark.GRADIENT, ~accepted & ~near),
            (Mark.NONFINITE, ~finite),
            (Mark.NEAR, near),
            (Mark.ZEROED, tiny & (measured == 0)),
            (Mark.KEPT, tiny & (measured != 0)),
        ):
            marks |= jnp.where(where, np.int32(mark), np.int32(0))
        return marks, ulps

    return program


def _within(gradient: Any, bound: Any, measured: Any, smallest: Any) -> Any:
    """Whether each value is acceptable: :meth:`surrogate_core.spec.oracle.Expectation.within`."""
    near = jnp.abs(measured - gradient) <= bound
    same_side = jnp.where(gradient < 0, -measured, measured) >= 0
    tiny = (jnp.abs(gradient) - bound <= smallest) & same_side & (jnp.abs(measured) <= smallest + bound)
    return near | tiny | (measured == gradient) | (jnp.isnan(measured) & jnp.isnan(gradient))
