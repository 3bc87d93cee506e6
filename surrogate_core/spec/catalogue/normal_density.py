"""Normal densities around a threshold of 1, in the membrane potential: one, and one less two wide ones beside it."""

from __future__ import annotations

from typing import Any

from sympy import Interval, Piecewise, Reals, Symbol, exp, oo, pi, sqrt

from surrogate_core.spec.claims import Area, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["MULTI_NORMAL_DENSITY", "NORMAL_DENSITY"]

mu = Symbol("mu", real=True)
sigma = Symbol("sigma", positive=True)
scale = Symbol("scale", positive=True)
h = Symbol("h", positive=True)
s = Symbol("s", positive=True)

SIGMA = Parameter(sigma, default=0.5, domain=Interval.open(0, oo), typical=(0.1, 2))
SCALE = Parameter(scale, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10))


def _density(mean: Any, deviation: Any) -> Any:
    return exp(-((x - 1 - mean) ** 2) / (2 * deviation**2)) / (deviation * sqrt(2 * pi))


NORMAL_DENSITY = Spec(
    name="normal_density",
    title="Normal density around a threshold of 1",
    source="docstring of sinabs.activation.Gaussian",
    gradient=scale * _density(mu, sigma),
    parameters=(Parameter(mu, default=0.0, domain=Reals, typical=(-0.5, 0.5)), SIGMA, SCALE),
    forward=Piecewise((1, x >= 1), (0, True)),
    claims=(Peak(value=scale / (sigma * sqrt(2 * pi)), at=1 + mu), Area(scale)),
)

MULTI_NORMAL_DENSITY = Spec(
    name="multi_normal_density",
    title="Normal densities around a threshold of 1",
    source="docstring of sinabs.activation.MultiGaussian, after Yin, Corradi & Bohté, 2021",
    gradient=scale * ((1 + h) * _density(0, sigma) - h * _density(sigma, s * sigma) - h * _density(-sigma, s * sigma)),
    parameters=(
        SIGMA,
        Parameter(h, default=0.15, domain=Interval.open(0, oo), typical=(0.05, 0.5)),
        Parameter(s, default=6.0, domain=Interval.open(0, oo), typical=(2, 10)),
        SCALE,
    ),
    forward=Piecewise((1, x >= 1), (0, True)),
    claims=(Area(scale * (1 - h)),),
)
