"""SLAYER: an exponential of the distance to the threshold."""

from __future__ import annotations

from sympy import Abs, Interval, Symbol, exp, oo

from surrogate_core.spec.claims import Area, Even, LogLinearDecay, NonIncreasing, Peak, ScalesWith
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["SLAYER"]

alpha = Symbol("alpha", positive=True)

SLAYER = Spec(
    name="slayer",
    title="SLAYER exponential",
    source="Shrestha & Orchard, SLAYER: Spike Layer Error Reassignment in Time, NeurIPS 2018 (peak normalised to 1)",
    gradient=exp(-alpha * Abs(x)),
    parameters=(Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    at_threshold=1,
    claims=(
        Peak(value=1, at=0),
        Even(),
        LogLinearDecay(slope=-alpha),
        NonIncreasing(),
        Area(2 / alpha),
        ScalesWith(alpha),
    ),
)
