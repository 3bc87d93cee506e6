"""The derivative of the error function, of area 1: a normal density by its steepness."""

from __future__ import annotations

from sympy import Interval, Symbol, exp, oo, pi, sqrt

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["ERF"]

alpha = Symbol("alpha", positive=True)

ERF = Spec(
    name="erf",
    title="Error function",
    source="Esser et al., NeurIPS 2015; documentation of SpikingJelly's Erf and braintools' ERF",
    gradient=alpha / sqrt(pi) * exp(-((alpha * x) ** 2)),
    parameters=(Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=alpha / sqrt(pi)), Even(), NonIncreasing(), Area(1)),
)
