"""The derivative of tanh by its argument, of height 1."""

from __future__ import annotations

from sympy import Abs, Interval, Symbol, exp, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak, ScalesWith
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["TANH"]

alpha = Symbol("alpha", positive=True)

TANH = Spec(
    name="tanh",
    title="Hyperbolic tangent",
    source="documentation of norse.torch.functional.threshold.HeaviTanh: the derivative of tanh(u) at u = alpha*x",
    # 1/cosh(alpha*x)^2 in exponentials that do not overflow.
    gradient=4 * exp(-2 * alpha * Abs(x)) / (1 + exp(-2 * alpha * Abs(x))) ** 2,
    parameters=(Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=1), Even(), NonIncreasing(), Area(2 / alpha), ScalesWith(alpha)),
)
