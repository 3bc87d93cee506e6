"""A window around the threshold of area 1, by its height."""

from __future__ import annotations

from sympy import Abs, Interval, Piecewise, Symbol, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["RECTANGLE"]

alpha = Symbol("alpha", positive=True)

RECTANGLE = Spec(
    name="rectangle",
    title="Rectangle",
    source="Wu et al., STBP, Frontiers in Neuroscience 12, 2018; documentation of SpikingJelly's Rect",
    gradient=Piecewise((alpha, Abs(x) < 1 / (2 * alpha)), (0, True)),
    parameters=(Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    breakpoints=(-1 / (2 * alpha), 1 / (2 * alpha)),
    claims=(Peak(value=alpha), Even(), NonIncreasing(), Area(1)),
)
