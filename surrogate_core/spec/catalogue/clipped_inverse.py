"""The difference quotient of the step from the threshold, 1/|x|, cut off at alpha."""

from __future__ import annotations

from sympy import Abs, Interval, Max, Symbol, oo

from surrogate_core.spec.claims import Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["CLIPPED_INVERSE"]

alpha = Symbol("alpha", positive=True)

CLIPPED_INVERSE = Spec(
    name="clipped_inverse",
    title="Clipped inverse (fake numerical gradient)",
    source="documentation of spikingjelly.activation_based.surrogate.FakeNumericalGradient: clip(sign(x)/x, alpha)",
    # Written without a division by zero.
    gradient=1 / Max(1 / alpha, Abs(x)),
    parameters=(Parameter(alpha, default=0.3, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=alpha), Even(), NonIncreasing()),
)
