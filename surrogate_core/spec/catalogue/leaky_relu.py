"""One slope below the threshold, another above."""

from __future__ import annotations

from sympy import Interval, Piecewise, Symbol, oo

from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["LEAKY_RELU"]

alpha = Symbol("alpha", nonnegative=True)
beta = Symbol("beta", positive=True)

LEAKY_RELU = Spec(
    name="leaky_relu",
    title="Leaky ReLU",
    source="documentation of braintools' LeakyRelu and SpikingJelly's LeakyKReLU",
    gradient=Piecewise((beta, x >= 0), (alpha, True)),
    parameters=(
        Parameter(alpha, default=0.1, domain=Interval.Ropen(0, oo), typical=(0.01, 0.5)),
        Parameter(beta, default=1.0, domain=Interval.open(0, oo), typical=(0.25, 4)),
    ),
    breakpoints=(0,),
)
