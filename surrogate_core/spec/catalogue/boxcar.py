"""A window around the threshold, by its width and its height."""

from __future__ import annotations

from sympy import Abs, Interval, Piecewise, Symbol, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["BOXCAR"]

width = Symbol("width", positive=True)
height = Symbol("height", positive=True)

BOXCAR = Spec(
    name="boxcar",
    title="Boxcar",
    source="Hubara et al., Binarized Neural Networks, NeurIPS 2016; documentation of spyx.axn.boxcar",
    gradient=Piecewise((height, Abs(x) <= width / 2), (0, True)),
    parameters=(
        Parameter(width, default=2.0, domain=Interval.open(0, oo), typical=(0.25, 4)),
        Parameter(height, default=0.5, domain=Interval.open(0, oo), typical=(0.1, 2)),
    ),
    breakpoints=(-width / 2, width / 2),
    claims=(Peak(value=height), Even(), NonIncreasing(), Area(width * height)),
)
