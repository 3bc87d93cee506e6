"""The step as its own gradient: nothing below the threshold, or a small slope."""

from __future__ import annotations

from sympy import Interval, Piecewise, Symbol, oo

from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["LEAKY_STEP", "STEP"]

slope = Symbol("slope", positive=True)

STEP = Spec(
    name="step",
    title="Step as its own gradient",
    source="documentation of snntorch.surrogate.Heaviside",
    gradient=Piecewise((1, x >= 0), (0, True)),
    breakpoints=(0,),
)

LEAKY_STEP = Spec(
    name="leaky_step",
    title="Step with a slope below the threshold",
    source="documentation of snntorch.surrogate.LeakySpikeOperator",
    gradient=Piecewise((1, x >= 0), (slope, True)),
    parameters=(Parameter(slope, default=0.1, domain=Interval.open(0, oo), typical=(0.01, 0.5)),),
    breakpoints=(0,),
)
