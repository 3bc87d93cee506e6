"""The spec's formula, its bound and the judgement of one float32 pattern, as XLA programs in float64.

XLA on CPU reads subnormal numbers as zero, so whatever may be one is taken from its bits by integer arithmetic.
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

from surrogate_core.drivers.tally import ULP_EDGES, Mark, NoOracle, breakpoints, floor
from surrogate_core.spec.bound import formulas, moved, swings
from surrogate_core.spec.cases import cases
from surrogate_core.spec.flushing import has_several_tails
from surrogate_core.spec.formats import FORMATS
from surrogate_core.spec.limits import limits
from surrogate_core.spec.model import Parameters, Spec, x
from surrogate_core.spec.oracle import SOUND, expect, float64_is_sound, forward

__all__ = [
    "FLOAT32",
    "INFINITY",
    "NORMAL",
    "SIGN",
    "Constants",
    "bits_of",
    "constants",
    "formula",
    "inspection",
    "per_ulp",
    "step",
]

FLOAT32 = FORMATS["float32"]
SIGN = np.uint32(1 << 31)
INFINITY = np.uint32(0x7F80_0000)
NORMAL = np.uint32(0x0080_0000)
"""The bits of the smallest normal number: below it lie the subnormals."""


class Constants(NamedTuple):
    """Numbers that a spec derives from its parameters; arguments, so that no value of them compiles anew.

    Attributes:
        parameters: in the order of the spec.
        floor: the flush-to-zero threshold f.
        low, high: the limits of g' at -inf and inf.
        around_low, around_high: how far from them an answer may be.
        at_zero: g' at 0, which subnormal input may give; NaN where that is not tolerated.
        spike_at_zero: likewise the spike.
        breakpoints, reaches: places in x, and how near to each is left out; both of shape (places,).
    """

    parameters: tuple[Any, ...]
    floor: Any
    low: Any
    high: Any
    around_low: Any
    around_high: Any
    at_zero: Any
    spike_at_zero: Any
    breakpoints: Any
    reaches: Any


def constants(spec: Spec, parameters: Parameters, device: Any) -> Constants:
    """The constants, on a device.

    Raises:
        NoOracle: float64, or XLA's evaluation in float64, is not good enough to judge float32 by this formula; or
            several of its terms may be flushed.
    """
    if not float64_is_sound(spec, parameters):
        raise NoOracle(f"float64 loses the formula {spec.gradient} to cancellation and cannot judge float32 by it")
    if has_several_tails(spec):
        raise NoOracle(f"each of several tails of {spec.gradient} may be flushed by itself, which is not judged here")
    near = breakpoints(spec, parameters, FLOAT32)
    tolerated = spec.flushing_tolerated and all(at for at, _ in near)
    zero = np.zeros(1)
    around_low, around_high = expect(spec, parameters, FLOAT32, np.array([-np.inf, np.inf])).bound
    found = Constants(
        tuple(v for _, v in parameters),
        floor(spec, parameters, FLOAT32),
        *limits(spec, parameters),
        around_low,
        around_high,
        expect(spec, parameters, FLOAT32, zero).gradient[0] if tolerated else np.nan,
        forward(spec, parameters, zero)[0] if spec.flushing_tolerated else np.nan,
        np.array([at for at, _ in near], np.float64),
        np.array([reach for _, reach in near], np.float64),
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
    return jax.jit(formula(spec))


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


def formula(spec: Spec) -> Callable[[Any, tuple[Any, ...]], tuple[Any, Any]]:
    """(points, parameters) -> (g', the bound B), as in the spec's oracle."""
    symbols = [x, *(p.symbol for p in spec.parameters)]
    swinging = swings(spec)
    slopes = swinging or [*(sympy.diff(spec.gradient, s) for s in symbols), *formulas(spec)[1 + len(symbols) :]]
    function = _lambdified(spec, (spec.gradient, *slopes))

    def evaluated(points: Any, parameters: tuple[Any, ...]) -> tuple[Any, Any]:
        gradient, *slopes = (jnp.broadcast_to(v, points.shape) for v in function(points, *parameters))
        if swinging:
            swung = moved(slopes, FLOAT32.unit_roundoff, jnp.fmin)
            return gradient, 4 * FLOAT32.unit_roundoff * jnp.abs(gradient) + swung
        terms = 4 * jnp.abs(gradient)
        values = [points, *parameters]
        for value, slope in zip(values + [1.0] * (len(slopes) - len(values)), slopes, strict=True):
            by_one = jnp.abs(value * slope)
            terms = terms + 2 * jnp.where(jnp.isnan(by_one), 0.0, by_one)
        return gradient, FLOAT32.unit_roundoff * terms

    return evaluated


def step(spec: Spec, points: Any, parameters: tuple[Any, ...]) -> Any:
    """The forward formula, in the dtype of ``points``."""
    (values,) = _lambdified(spec, (spec.step,))(points, *(p.astype(points.dtype) for p in parameters))
    return jnp.broadcast_to(values, points.shape).astype(points.dtype)


def bits_of(values: Any, dtype: Any) -> Any:
    """The same bits, read as another type of the same width."""
    return lax.bitcast_convert_type(values, dtype)


def _exact(bits: Any) -> Any:
    """The float64 value of float32 bits, subnormal ones included."""
    magnitude = bits & ~SIGN
    subnormal = magnitude.astype(jnp.float64) * FLOAT32.smallest_subnormal
    size = jnp.where(magnitude < NORMAL, subnormal, bits_of(magnitude, jnp.float32).astype(jnp.float64))
    return jnp.where(bits >= SIGN, -size, size)


_EXPONENT = np.int64(0x7FF0_0000_0000_0000)
_LARGEST = np.int64((1023 + FLOAT32.max_exponent) << 52)
_INVERSE = np.uint64((2046 + FLOAT32.precision - 1) << 52).astype(np.int64)


def per_ulp(gradient: Any) -> Any:
    """1 / ulp of float32 at each float64 gradient of normal size."""
    # Bits of a power of two are its exponent alone, so that subtracting them divides.
    exponent = jnp.minimum(bits_of(gradient, jnp.int64) & _EXPONENT, _LARGEST)
    return bits_of(_INVERSE - exponent, jnp.float64)


def inspection(spec: Spec) -> Callable[..., tuple[Any, Any, Any, Any]]:
    """A program that marks patterns of any kind, shape (2, count).

    Returns:
        (bits, constants, spikes, gradients) -> (marks, errors in ulp, errors of spikes, errors of gradients), all of
        one shape. An error in ulp is -1 where there is none; the absolute ones mean nothing where nothing is wrong.
    """
    evaluated = formula(spec)
    has_constant_case = any(x not in case.free_symbols for case in cases(spec.gradient))

    def program(bits: Any, constants: Constants, spikes: Any, gradients: Any) -> tuple[Any, ...]:
        magnitude = bits & ~SIGN
        finite, subnormal = magnitude < INFINITY, (magnitude < NORMAL) & (magnitude > 0)
        points = _exact(bits)
        inside = jnp.where(finite, points, 0.0)
        value, measured = (_exact(bits_of(a, jnp.uint32)) for a in (spikes, gradients))
        places, reaches = (a.reshape(-1, 1, 1) for a in (constants.breakpoints, constants.reaches))
        near = finite & (jnp.abs(inside - places) <= reaches).any(axis=0)

        promised = step(spec, points, constants.parameters)
        at_nan = np.nan if spec.at_nan is None else spec.at_nan
        promised = jnp.where(magnitude > INFINITY, at_nan, promised)
        wrong = (value != promised) & ~jnp.isnan(promised) & ~(near & (magnitude > 0))
        flushed = wrong & subnormal & (value == constants.spike_at_zero)

        gradient, bound = evaluated(inside, constants.parameters)
        tolerance = jnp.where(subnormal, jnp.abs(gradient - constants.at_zero), 0.0)
        bound = bound + jnp.where(jnp.isnan(tolerance), 0.0, tolerance)
        limit = jnp.where(magnitude > INFINITY, np.nan, jnp.where(points > 0, constants.high, constants.low))
        around = jnp.where(points > 0, constants.around_high, constants.around_low)
        gradient, bound = jnp.where(finite, gradient, limit), jnp.where(finite, bound, around)
        accepted = _within(gradient, bound, measured, constants.floor)
        # Nothing is promised where a case without x may answer at NaN, or where the formula has no limit.
        unpromised = ((magnitude > INFINITY) & has_constant_case) | ((magnitude == INFINITY) & jnp.isnan(limit))

        size, judged = jnp.abs(gradient), finite & ~near
        zeroed = (measured == 0) & (size - bound <= constants.floor)
        normal = judged & (size >= FLOAT32.smallest_normal) & ~zeroed
        tiny = judged & ~normal & (size > FLOAT32.smallest_subnormal / 2)
        graded = normal & ~jnp.isnan(measured)
        ulps = jnp.where(graded, jnp.abs(measured - gradient) * per_ulp(gradient), -1.0)
        bins = (jnp.array(ULP_EDGES[1:-1])[:, None, None] <= ulps).sum(axis=0, dtype=jnp.int32)
        marks = jnp.where(graded, bins, int(Mark.BIN))
        for mark, where in (
            (Mark.CORRECT, graded & (ulps <= 0.5)),
            (Mark.NORMAL, normal),
            (Mark.SPIKE, wrong & ~flushed),
            (Mark.FLUSHED, flushed),
            (Mark.GRADIENT, ~accepted & ~near & ~unpromised),
            (Mark.NONFINITE, ~finite),
            (Mark.NEAR, near),
            (Mark.ZEROED, tiny & (measured == 0)),
            (Mark.KEPT, tiny & (measured != 0)),
        ):
            marks |= jnp.where(where, np.int32(mark), np.int32(0))
        return marks, ulps, value - promised, measured - gradient

    return program


def _within(gradient: Any, bound: Any, measured: Any, smallest: Any) -> Any:
    """Whether each value is acceptable: :meth:`surrogate_core.spec.oracle.Expectation.within`."""
    near = jnp.abs(measured - gradient) <= bound
    same_side = jnp.where(gradient < 0, -measured, measured) >= 0
    tiny = (jnp.abs(gradient) - bound <= smallest) & same_side & (jnp.abs(measured) <= smallest + bound)
    return near | tiny | (measured == gradient) | (jnp.isnan(measured) & jnp.isnan(gradient))
