"""The derivative of the arc tangent, of area 1."""

from __future__ import annotations

from sympy import Interval, Symbol, oo, pi

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["ARCTAN"]

alpha = Symbol("alpha", positive=True)

ARCTAN = Spec(
    name="arctan",
    title="Arc tangent",
    source="Fang et al., Incorporating Learnable Membrane Time Constant, ICCV 2021; documentation of SpikingJelly's "
    "ATan and braintools' Arctan",
    gradient=alpha / (2 * (1 + (pi / 2 * alpha * x) ** 2)),
    parameters=(Parameter(alpha, default=2.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=alpha / 2), Even(), NonIncreasing(), Area(1)),
)
