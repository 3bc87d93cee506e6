"""A triangle of width 1 whose height is the parameter: the damped pseudo-derivative of e-prop and of TrueNorth."""

from __future__ import annotations

from sympy import Abs, Interval, Max, Symbol, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["DAMPED_TRIANGLE"]

alpha = Symbol("alpha", positive=True)

DAMPED_TRIANGLE = Spec(
    name="damped_triangle",
    title="Damped triangle",
    source="Bellec et al., Nature Communications 11, 3625, 2020: gamma * max(0, 1 - |x|), threshold 1",
    gradient=alpha * Max(0, 1 - Abs(x)),
    parameters=(Parameter(alpha, default=0.3, domain=Interval.open(0, oo), typical=(0.1, 2)),),
    claims=(Peak(value=alpha), Even(), NonIncreasing(), Area(alpha)),
)
