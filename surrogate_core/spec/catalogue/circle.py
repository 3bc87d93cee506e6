"""The derivative of u/sqrt(1 + u**2), which runs along a circle, by its argument."""

from __future__ import annotations

from sympy import Interval, Rational, Symbol, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["CIRCLE"]

alpha = Symbol("alpha", positive=True)

CIRCLE = Spec(
    name="circle",
    title="Circle (x over its distance from alpha)",
    source="documentation of norse.torch.functional.threshold.HeaviCirc: x/sqrt(x^2 + alpha^2), by u = x/alpha",
    gradient=(1 + (x / alpha) ** 2) ** Rational(-3, 2),
    parameters=(Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=1), Even(), NonIncreasing(), Area(2 * alpha)),
)
