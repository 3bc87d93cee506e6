"""A triangle of area 1: the derivative of a piecewise quadratic function."""

from __future__ import annotations

from sympy import Abs, Interval, Max, Symbol, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["PIECEWISE_QUADRATIC"]

alpha = Symbol("alpha", positive=True)

PIECEWISE_QUADRATIC = Spec(
    name="piecewise_quadratic",
    title="Piecewise quadratic",
    source="Esser et al., PNAS 113, 2016; documentation of SpikingJelly's and braintools' PiecewiseQuadratic",
    gradient=Max(0, alpha - alpha**2 * Abs(x)),
    parameters=(Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=alpha), Even(), NonIncreasing(), Area(1)),
)
