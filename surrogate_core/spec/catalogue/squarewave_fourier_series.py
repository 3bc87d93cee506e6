"""The derivative of the first two terms of a square wave's Fourier series."""

from __future__ import annotations

from sympy import Interval, Symbol, cos, oo, pi

from surrogate_core.spec.claims import Even, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["SQUAREWAVE_FOURIER_SERIES"]

period = Symbol("period", positive=True)

SQUAREWAVE_FOURIER_SERIES = Spec(
    name="squarewave_fourier_series",
    title="Square wave's Fourier series of two terms",
    source="documentation of SpikingJelly's and braintools' SquarewaveFourierSeries, for n=2: "
    "4/T * (cos(2*pi*x/T) + cos(3*2*pi*x/T))",
    gradient=4 / period * (cos(2 * pi * x / period) + cos(3 * 2 * pi * x / period)),
    parameters=(Parameter(period, default=8.0, domain=Interval.open(0, oo), typical=(1, 16)),),
    claims=(Peak(value=8 / period), Even()),
)
