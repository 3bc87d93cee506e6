"""A triangle of height 1."""

from __future__ import annotations

from sympy import Abs, Interval, Max, Symbol, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak, ScalesWith
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["UNIT_TRIANGLE"]

alpha = Symbol("alpha", positive=True)

UNIT_TRIANGLE = Spec(
    name="unit_triangle",
    title="Triangle of height 1",
    source="Esser et al., PNAS 113, 2016, equation 3; documentation of spyx.axn.triangular: max(0, 1 - |k*x|)",
    gradient=Max(0, 1 - alpha * Abs(x)),
    parameters=(Parameter(alpha, default=2.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=1), Even(), NonIncreasing(), Area(1 / alpha), ScalesWith(alpha)),
)
