"""A normal density less two wide ones beside it: positive at the threshold, negative away from it."""

from __future__ import annotations

from typing import Any

from sympy import Interval, Symbol, exp, oo, pi, sqrt

from surrogate_core.spec.claims import Area, Even
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["MULTI_GAUSSIAN"]

h = Symbol("h", positive=True)
s = Symbol("s", positive=True)
sigma = Symbol("sigma", positive=True)
scale = Symbol("scale", positive=True)


def _density(mean: Any, deviation: Any) -> Any:
    return exp(-((x - mean) ** 2) / (2 * deviation**2)) / (deviation * sqrt(2 * pi))


MULTI_GAUSSIAN = Spec(
    name="multi_gaussian",
    title="Multi-Gaussian",
    source="Yin, Corradi & Bohté, Nature Machine Intelligence 3, 2021; documentation of braintools' MultiGaussianGrad",
    gradient=scale * ((1 + h) * _density(0, sigma) - h * _density(sigma, s * sigma) - h * _density(-sigma, s * sigma)),
    parameters=(
        Parameter(h, default=0.15, domain=Interval.open(0, oo), typical=(0.05, 0.5)),
        Parameter(s, default=6.0, domain=Interval.open(0, oo), typical=(2, 10)),
        Parameter(sigma, default=0.5, domain=Interval.open(0, oo), typical=(0.1, 2)),
        Parameter(scale, default=0.5, domain=Interval.open(0, oo), typical=(0.1, 2)),
    ),
    claims=(Even(), Area(scale * (1 - h))),
)
