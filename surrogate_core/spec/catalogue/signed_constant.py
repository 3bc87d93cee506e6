"""The slope of a triangle without its ends: a constant that changes its sign at the threshold."""

from __future__ import annotations

from sympy import Interval, Piecewise, Symbol, oo

from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["SIGNED_CONSTANT"]

threshold = Symbol("threshold", positive=True)

SIGNED_CONSTANT = Spec(
    name="signed_constant",
    title="Slope of a triangle",
    source="documentation of snntorch.surrogate.Triangular",
    gradient=Piecewise((threshold, x < 0), (-threshold, True)),
    parameters=(Parameter(threshold, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    breakpoints=(0,),
)
