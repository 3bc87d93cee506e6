"""The derivative of sign(x)*log(1 + alpha*|x|), which has no finite area."""

from __future__ import annotations

from sympy import Abs, Interval, Symbol, oo

from surrogate_core.spec.claims import Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["NONZERO_SIGN_LOG"]

alpha = Symbol("alpha", positive=True)

NONZERO_SIGN_LOG = Spec(
    name="nonzero_sign_log",
    title="Nonzero sign log",
    source="documentation of SpikingJelly's NonzeroSignLogAbs and braintools' NonzeroSignLog",
    gradient=alpha / (1 + alpha * Abs(x)),
    parameters=(Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),),
    claims=(Peak(value=alpha), Even(), NonIncreasing()),
)
