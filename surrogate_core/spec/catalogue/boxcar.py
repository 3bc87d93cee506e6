"""A window around the threshold, by its width and its height, and by its half width alone."""

from __future__ import annotations

from sympy import Abs, Interval, Piecewise, Symbol, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["BOXCAR", "UNIT_WINDOW"]

width = Symbol("width", positive=True)
height = Symbol("height", positive=True)
beta = Symbol("beta", positive=True)

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

UNIT_WINDOW = Spec(
    name="unit_window",
    title="Window of height 1",
    source="source of snnax.functional.surrogate.piecewise_surrogate: 1 where -beta < x < beta",
    gradient=Piecewise((1, Abs(x) < beta), (0, True)),
    parameters=(Parameter(beta, default=0.5, domain=Interval.open(0, oo), typical=(0.1, 4)),),
    breakpoints=(-beta, beta),
    claims=(Peak(value=1), Even(), NonIncreasing(), Area(2 * beta)),
)
