"""A window around the threshold, and a small constant beyond."""

from __future__ import annotations

from sympy import Abs, Interval, Piecewise, Symbol, oo

from surrogate_core.spec.claims import Even
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["DOUBLED_PIECEWISE_LEAKY_RELU", "PIECEWISE_LEAKY_RELU"]

c = Symbol("c", nonnegative=True)
w = Symbol("w", positive=True)

PIECEWISE_LEAKY_RELU = Spec(
    name="piecewise_leaky_relu",
    title="Piecewise leaky ReLU",
    source="documentation of SpikingJelly's PiecewiseLeakyReLU",
    gradient=Piecewise((1 / (2 * w), Abs(x) <= w), (c, True)),
    parameters=(
        Parameter(c, default=0.01, domain=Interval.Ropen(0, oo), typical=(0.01, 0.1)),
        Parameter(w, default=1.0, domain=Interval.open(0, oo), typical=(0.25, 4)),
    ),
    breakpoints=(-w, w),
    claims=(Even(),),
)

DOUBLED_PIECEWISE_LEAKY_RELU = PIECEWISE_LEAKY_RELU.replace(
    name="doubled_piecewise_leaky_relu",
    title="Piecewise leaky ReLU, its window twice as high",
    source="documentation of braintools' PiecewiseLeakyRelu: 1/w for |x| <= w",
    gradient=Piecewise((1 / w, Abs(x) <= w), (c, True)),
    # Its original function is printed, too, as x/(2w) + 1/2 there: the two do not belong together.
    smooth=False,
)
