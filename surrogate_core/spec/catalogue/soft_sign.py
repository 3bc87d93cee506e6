"""The derivative of the soft sign: the shape of SuperSpike, of area 1."""

from __future__ import annotations

from sympy import Abs, Interval, Symbol, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["SOFT_SIGN"]

alpha = Symbol("alpha", positive=True)

SOFT_SIGN = Spec(
    name="soft_sign",
    title="Soft sign",
    source="Zenke & Ganguli, Neural Computation 30, 2018, normalised to area 1; documentation of SpikingJelly's and "
    "braintools' SoftSign",
    gradient=alpha / (2 * (1 + alpha * Abs(x)) ** 2),
    parameters=(Parameter(alpha, default=2.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=alpha / 2), Even(), NonIncreasing(), Area(1)),
)
