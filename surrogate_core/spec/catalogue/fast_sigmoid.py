"""The fast sigmoid of SuperSpike: the derivative of x/(1 + alpha*|x|), and a form that scales its height instead."""

from __future__ import annotations

from sympy import Abs, Interval, Symbol, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak, ScalesWith
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["FAST_SIGMOID", "SCALED_SUPER_SPIKE"]

alpha = Symbol("alpha", positive=True)

FAST_SIGMOID = Spec(
    name="fast_sigmoid",
    title="Fast sigmoid (SuperSpike)",
    source="Zenke & Ganguli, SuperSpike, Neural Computation 30, 2018, section 3.3.2: (1 + |beta*(U - threshold)|)^-2",
    gradient=1 / (1 + alpha * Abs(x)) ** 2,
    parameters=(Parameter(alpha, default=25.0, domain=Interval.open(0, oo), typical=(1, 100)),),
    claims=(Peak(value=1), Even(), NonIncreasing(), Area(2 / alpha), ScalesWith(alpha)),
)

SCALED_SUPER_SPIKE = Spec(
    name="scaled_super_spike",
    title="SuperSpike of width 1 and height alpha",
    source="documentation of spikingjelly.activation_based.surrogate.SuperSpike: alpha/(1 + |x|)^2",
    gradient=alpha / (1 + Abs(x)) ** 2,
    parameters=(Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=alpha), Even(), NonIncreasing(), Area(2 * alpha)),
)
