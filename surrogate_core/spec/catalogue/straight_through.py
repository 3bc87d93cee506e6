"""The straight-through estimator: the cotangent passes as it is, whatever the forward pass does."""

from __future__ import annotations

from sympy import Abs, Integer, Max, Min, Piecewise, Rational, ceiling, floor

from surrogate_core.spec.claims import Even, NonIncreasing, Peak
from surrogate_core.spec.model import Spec, x

__all__ = [
    "SPIKE_COUNT",
    "STRAIGHT_THROUGH",
    "STRAIGHT_THROUGH_CEIL",
    "STRAIGHT_THROUGH_FLOOR",
    "STRAIGHT_THROUGH_ROUND",
]

STRAIGHT_THROUGH = Spec(
    name="straight_through",
    title="Straight-through estimator",
    source="Bengio, Léonard & Courville, arXiv:1308.3432, section 4",
    gradient=Integer(1),
    claims=(Peak(value=1), Even(), NonIncreasing()),
)

STRAIGHT_THROUGH_FLOOR = STRAIGHT_THROUGH.replace(
    name="straight_through_floor", title="Floor with a straight-through gradient", forward=floor(x), at_nan=None
)

STRAIGHT_THROUGH_CEIL = STRAIGHT_THROUGH_FLOOR.replace(
    name="straight_through_ceil", title="Ceiling with a straight-through gradient", forward=ceiling(x)
)

STRAIGHT_THROUGH_ROUND = STRAIGHT_THROUGH_FLOOR.replace(
    name="straight_through_round",
    title="Nearest integer with a straight-through gradient",
    # Halves are rounded to even numbers, as in IEEE 754; from 2**52 on every number of float64 is an integer.
    forward=Piecewise((x, Abs(x) >= 2**52), (floor(x / 2 + Rational(1, 4)) + ceiling(x / 2 - Rational(1, 4)), True)),
)

MOST = 4

_clipped = Max(0, Min(x, MOST))

SPIKE_COUNT = Spec(
    name="spike_count",
    title="Rounded spike count of at most 4 with a straight-through window",
    source="docstring of spikingjelly.activation_based.surrogate.MultiLevelSpikeCount, for max_spike_count=4",
    gradient=Piecewise((1, (x >= 0) & (x <= MOST)), (0, True)),
    # Halves are rounded to even numbers, as in IEEE 754.
    forward=floor((2 * _clipped + 1) / 4) + ceiling((2 * _clipped - 1) / 4),
    at_nan=None,
    breakpoints=(0, MOST),
)
