"""An exponential of the distance to the threshold, of area 1."""

from __future__ import annotations

from sympy import Abs, Interval, Symbol, exp, oo

from surrogate_core.spec.claims import Area, Even, LogLinearDecay, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["PIECEWISE_EXPONENTIAL"]

alpha = Symbol("alpha", positive=True)

PIECEWISE_EXPONENTIAL = Spec(
    name="piecewise_exponential",
    title="Piecewise exponential",
    source="Shrestha & Orchard, NeurIPS 2018, normalised to area 1; documentation of SpikingJelly's and braintools' "
    "PiecewiseExp",
    gradient=alpha / 2 * exp(-alpha * Abs(x)),
    parameters=(Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=alpha / 2), Even(), LogLinearDecay(slope=-alpha), NonIncreasing(), Area(1)),
)
