"""Specs whose formula jumps or has kinks, and right implementations of them in the arithmetic of one format.

Every technique is written as people write it: each operation rounds to the format, the parameter too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sympy import Abs, Heaviside, Interval, Max, Piecewise, Symbol, exp, oo, sign

from surrogate_core.spec import FORMATS, Area, Even, NonIncreasing, Parameter, Peak, ScalesWith, Spec, x

alpha = Symbol("alpha", positive=True)
ALPHA = Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10))
EDGE = 1 / (2 * alpha)
ONE: Any = 1
STEP = Heaviside(x, ONE)
"""The step that is 1 at its place."""


def _spec(name: str, gradient: Any, *claims: Any, at: tuple[Any, ...] = ()) -> Spec:
    return Spec(name, name, "nowhere", gradient, (ALPHA,), claims=claims, breakpoints=at)


BOXCAR = _spec(
    "boxcar",
    Piecewise((alpha, Abs(x) < EDGE), (0, True)),
    Peak(alpha),
    Even(),
    NonIncreasing(),
    Area(1),
    at=(-EDGE, EDGE),
)
HALF_EDGED = _spec(
    "half-edged boxcar",
    alpha * Heaviside(EDGE - Abs(x)),
    Peak(alpha),
    Even(),
    NonIncreasing(),
    Area(1),
    at=(-EDGE, EDGE),
)
TRIANGLE = _spec(
    "triangle", Max(0, 1 - alpha * Abs(x)), Peak(1), Even(), NonIncreasing(), Area(1 / alpha), ScalesWith(alpha)
)
QUADRATIC = _spec(
    "piecewise quadratic",
    Piecewise((alpha - alpha**2 * Abs(x), Abs(x) < 1 / alpha), (0, True)),
    Peak(alpha),
    Even(),
    NonIncreasing(),
    Area(1),
)
SMOOTH = _spec("square of a triangle", Max(0, 1 - alpha * Abs(x)) ** 2, Peak(1), Even(), NonIncreasing())
ONE_SIDED = _spec("one-sided exponential", STEP * exp(-alpha * x), Peak(1), NonIncreasing(), Area(1 / alpha), at=(0,))
LEAKY = _spec(
    "leaky window", Piecewise((1, Abs(x) <= EDGE), (0.1, True)), Peak(1), Even(), NonIncreasing(), at=(EDGE, -EDGE)
)
ASYMMETRIC = _spec(
    "asymmetric window", Heaviside(x + alpha) - Heaviside(x - 2 * alpha), NonIncreasing(), at=(-alpha, 2 * alpha)
)
SIGNED = _spec("signed", sign(x) * exp(-alpha * Abs(x)), at=(0,))
SPECS = (BOXCAR, HALF_EDGED, TRIANGLE, QUADRATIC, SMOOTH, ONE_SIDED, LEAKY, ASYMMETRIC, SIGNED)

Technique = Callable[[Any, Any], Any]
"""(x, alpha), both of the format, -> the pseudo-derivative in the format."""


def _relu(v: Any) -> Any:
    return np.maximum(v, v.dtype.type(0))


def _step(v: Any) -> Any:
    return (v >= 0).astype(v.dtype)


def _half(v: Any) -> Any:
    return np.where(v > 0, 1.0, np.where(v < 0, 0.0, 0.5)).astype(v.dtype)


RIGHT: dict[str, dict[str, Technique]] = {
    "boxcar": {
        "divided edge": lambda x, a: np.where(np.abs(x) < 1 / (2 * a), a, 0 * a),
        "closed edge": lambda x, a: np.where(np.abs(x) <= 1 / (2 * a), a, 0 * a),
        "scaled input": lambda x, a: np.where(np.abs(a * x) < 0.5, a, 0 * a),
        "half width": lambda x, a: a * (np.abs(x) <= (1 / a) / 2).astype(x.dtype),
        "half open": lambda x, a: np.where((x >= -1 / (2 * a)) & (x < 1 / (2 * a)), a, 0 * a),
        "difference of steps": lambda x, a: a * (_step(x + 1 / (2 * a)) - _step(x - 1 / (2 * a))),
        "squared": lambda x, a: np.where((2 * a * x) * (2 * a * x) < 1, a, 0 * a),
    },
    "half-edged boxcar": {
        "scaled": lambda x, a: a * _half(0.5 - a * np.abs(x)),
        "divided": lambda x, a: a * _half(1 / (2 * a) - np.abs(x)),
        "difference": lambda x, a: a * (_half(x + 1 / (2 * a)) - _half(x - 1 / (2 * a))),
        "closed": lambda x, a: np.where(np.abs(x) <= 1 / (2 * a), a, 0 * a),
    },
    "triangle": {
        "maximum": lambda x, a: _relu(1 - a * np.abs(x)),
        "minimum of two": lambda x, a: np.minimum(_relu(1 + a * x), _relu(1 - a * x)),
        "over the width": lambda x, a: _relu(1 - np.abs(x) / (1 / a)),
        "masked": lambda x, a: np.where(np.abs(x) < 1 / a, 1 - a * np.abs(x), 0 * a),
    },
    "piecewise quadratic": {
        "masked": lambda x, a: np.where(np.abs(x) < 1 / a, a - a * a * np.abs(x), 0 * a),
        "masked by the product": lambda x, a: np.where(np.abs(a * x) < 1, -a * a * np.abs(x) + a, 0 * a),
        "maximum": lambda x, a: _relu(a - a * a * np.abs(x)),
        "scaled": lambda x, a: a * _relu(1 - np.abs(a * x)),
    },
    "square of a triangle": {
        "maximum": lambda x, a: _relu(1 - a * np.abs(x)) * _relu(1 - a * np.abs(x)),
        "masked": lambda x, a: np.where(np.abs(x) < 1 / a, (1 - a * np.abs(x)) * (1 - a * np.abs(x)), 0 * a),
    },
    "one-sided exponential": {
        "closed": lambda x, a: np.where(x >= 0, np.exp(-a * x), 0 * a),
        "open": lambda x, a: np.where(x > 0, np.exp(-a * x), 0 * a),
        "at plus zero only": lambda x, a: np.where(np.signbit(x), 0 * a, np.exp(-a * x)),
        "half": lambda x, a: np.where(x > 0, np.exp(-a * np.abs(x)), 0 * a),
    },
    "leaky window": {
        "closed": lambda x, a: np.where(np.abs(x) <= 1 / (2 * a), 1.0, 0.1).astype(x.dtype),
        "open": lambda x, a: np.where(np.abs(2 * a * x) < 1, 1.0, 0.1).astype(x.dtype),
        "half open": lambda x, a: np.where((x > -1 / (2 * a)) & (x <= 1 / (2 * a)), 1.0, 0.1).astype(x.dtype),
    },
    "asymmetric window": {
        "half open": lambda x, a: ((x >= -a) & (x < 2 * a)).astype(x.dtype),
        "closed": lambda x, a: ((x >= -a) & (x <= 2 * a)).astype(x.dtype),
        "halves": lambda x, a: _half(x + a) - _half(x - 2 * a),
        "divided": lambda x, a: ((x / a > -1) & (x / a < 2)).astype(x.dtype),
    },
    "signed": {
        "sign": lambda x, a: np.sign(x) * np.exp(-a * np.abs(x)),
        "plus at zero": lambda x, a: np.where(x >= 0, 1, -1).astype(x.dtype) * np.exp(-a * np.abs(x)),
        "copysign": lambda x, a: np.copysign(np.exp(-a * np.abs(x)), x),
    },
}
"""Spec -> name of the technique -> the technique."""


def computed(technique: Technique, dtype: str, rate: float) -> Callable[[np.ndarray], np.ndarray]:
    """The technique as a derivative of float64 arrays, every operation in the format."""
    kind = FORMATS[dtype].dtype

    def derivative(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            here = x.astype(kind)
            return np.where(np.isnan(x), np.nan, np.asarray(technique(here, kind.type(rate)), kind).astype(np.float64))

    return derivative
