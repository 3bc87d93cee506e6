"""A normal density around the threshold, by its deviation and its area."""

from __future__ import annotations

from sympy import Interval, Symbol, exp, oo, pi, sqrt

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["GAUSSIAN"]

alpha = Symbol("alpha", positive=True)
sigma = Symbol("sigma", positive=True)

GAUSSIAN = Spec(
    name="gaussian",
    title="Gaussian",
    source="Yin, Corradi & Bohté, Nature Machine Intelligence 3, 2021; documentation of braintools' GaussianGrad",
    gradient=alpha / (sigma * sqrt(2 * pi)) * exp(-(x**2) / (2 * sigma**2)),
    parameters=(
        Parameter(sigma, default=0.5, domain=Interval.open(0, oo), typical=(0.1, 2)),
        Parameter(alpha, default=0.5, domain=Interval.open(0, oo), typical=(0.1, 2)),
    ),
    claims=(Peak(value=alpha / (sigma * sqrt(2 * pi))), Even(), NonIncreasing(), Area(alpha)),
)
