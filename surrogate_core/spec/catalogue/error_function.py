"""The derivative of the error function by its argument, of height 2/sqrt(pi) at any width."""

from __future__ import annotations

from sympy import Interval, Symbol, exp, oo, pi, sqrt

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak, ScalesWith
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["ERROR_FUNCTION"]

alpha = Symbol("alpha", positive=True)

ERROR_FUNCTION = Spec(
    name="error_function",
    title="Error function by its argument",
    source="documentation of norse.torch.functional.threshold.HeaviErfc: the derivative of erf(u) at u = alpha*x",
    gradient=2 / sqrt(pi) * exp(-((alpha * x) ** 2)),
    parameters=(Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=2 / sqrt(pi)), Even(), NonIncreasing(), Area(2 / alpha), ScalesWith(alpha)),
)
