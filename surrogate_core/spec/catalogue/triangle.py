"""A triangle around the threshold, by its half width and its slope."""

from __future__ import annotations

from sympy import Abs, Interval, Max, Symbol, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["TRIANGLE"]

alpha = Symbol("alpha", positive=True)
width = Symbol("width", positive=True)

TRIANGLE = Spec(
    name="triangle",
    title="Triangle",
    source="Neftci, Mostafa & Zenke, IEEE Signal Processing Magazine 36, 2019; documentation of braintools' ReluGrad",
    gradient=Max(0, alpha * (width - Abs(x))),
    parameters=(
        Parameter(alpha, default=0.3, domain=Interval.open(0, oo), typical=(0.1, 2)),
        Parameter(width, default=1.0, domain=Interval.open(0, oo), typical=(0.25, 4)),
    ),
    claims=(Peak(value=alpha * width), Even(), NonIncreasing(), Area(alpha * width**2)),
)
