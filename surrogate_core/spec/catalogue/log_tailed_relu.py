"""A ReLU whose slope falls as 1/x beyond 1, and is a constant below the threshold."""

from __future__ import annotations

from sympy import Interval, Piecewise, Symbol, oo

from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["LOG_TAILED_RELU"]

alpha = Symbol("alpha", nonnegative=True)

LOG_TAILED_RELU = Spec(
    name="log_tailed_relu",
    title="Log-tailed ReLU",
    source="Cai et al., Half-Wave Gaussian Quantization, CVPR 2017, equation 9; documentation of braintools' "
    "LogTailedRelu and SpikingJelly's LogTailedReLU",
    gradient=Piecewise((1 / x, x > 1), (1, x > 0), (alpha, True)),
    parameters=(Parameter(alpha, default=0.1, domain=Interval.Ropen(0, oo), typical=(0.01, 0.5)),),
    breakpoints=(0,),
)
