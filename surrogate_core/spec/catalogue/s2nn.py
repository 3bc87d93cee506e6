"""The sigmoid's derivative below the threshold, an inverse above."""

from __future__ import annotations

from sympy import Interval, Piecewise, Symbol, exp, oo

from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["S2NN"]

alpha = Symbol("alpha", positive=True)
beta = Symbol("beta", positive=True)

S2NN = Spec(
    name="s2nn",
    title="S2NN",
    source="Suetake et al., S2NN, arXiv:2201.10879; documentation of SpikingJelly's and braintools' S2NN",
    gradient=Piecewise((alpha * exp(alpha * x) / (1 + exp(alpha * x)) ** 2, x < 0), (beta / (x + 1), True)),
    parameters=(
        Parameter(alpha, default=4.0, domain=Interval.open(0, oo), typical=(0.5, 10)),
        Parameter(beta, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 4)),
    ),
    breakpoints=(0,),
)
