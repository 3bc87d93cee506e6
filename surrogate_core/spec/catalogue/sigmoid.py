"""The derivative of the logistic sigmoid: by x, and by its argument alpha*x."""

from __future__ import annotations

from sympy import Abs, Interval, Rational, Symbol, exp, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak, ScalesWith
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["SIGMOID", "SIGMOID_BY_ARGUMENT"]

alpha = Symbol("alpha", positive=True)

SIGMOID = Spec(
    name="sigmoid",
    title="Logistic sigmoid",
    source="Neftci, Mostafa & Zenke, IEEE Signal Processing Magazine 36, 2019; braintools and SpikingJelly print it as "
    "alpha * (1 - sigmoid(alpha*x)) * sigmoid(alpha*x)",
    # The same in exponentials that neither overflow nor cancel.
    gradient=alpha * exp(-alpha * Abs(x)) / (1 + exp(-alpha * Abs(x))) ** 2,
    parameters=(Parameter(alpha, default=4.0, domain=Interval.open(0, oo), typical=(0.5, 25)),),
    claims=(Peak(value=alpha / 4), Even(), NonIncreasing(), Area(1)),
)

SIGMOID_BY_ARGUMENT = SIGMOID.replace(
    name="sigmoid_by_argument",
    title="Logistic sigmoid by its argument",
    source="Zenke & Vogels, The Remarkable Robustness of Surrogate Gradient Learning, Neural Computation 33, 2021, "
    "methods: s(x)*(1 - s(x)) with s(x) = 1/(1 + exp(-beta*x))",
    gradient=SIGMOID.gradient / alpha,
    parameters=(Parameter(alpha, default=10.0, domain=Interval.open(0, oo), typical=(0.5, 25)),),
    claims=(Peak(value=Rational(1, 4)), Even(), NonIncreasing(), Area(1 / alpha), ScalesWith(alpha)),
)
