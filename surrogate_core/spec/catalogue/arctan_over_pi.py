"""snnTorch's printed derivative of its arc tangent, which lacks the factor pi*alpha/2 of the inner derivative."""

from __future__ import annotations

from sympy import Interval, Symbol, oo, pi

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak, ScalesWith
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["ARCTAN_OVER_PI"]

alpha = Symbol("alpha", positive=True)

ARCTAN_OVER_PI = Spec(
    name="arctan_over_pi",
    title="Arc tangent by its argument, over pi",
    source="documentation of snntorch.surrogate.ATan: dS/dU = 1/pi * 1/(1 + (pi*U*alpha/2)^2)",
    gradient=1 / (pi * (1 + (pi * x * alpha / 2) ** 2)),
    parameters=(Parameter(alpha, default=2.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=1 / pi), Even(), NonIncreasing(), Area(2 / (pi * alpha)), ScalesWith(alpha)),
)
