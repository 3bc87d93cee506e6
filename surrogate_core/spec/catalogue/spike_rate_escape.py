"""The escape rate of a noisy neuron: an exponential of the distance to the threshold, of any height."""

from __future__ import annotations

from sympy import Abs, Interval, Symbol, exp, oo

from surrogate_core.spec.claims import Area, Even, LogLinearDecay, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["SPIKE_RATE_ESCAPE"]

beta = Symbol("beta", positive=True)
height = Symbol("height", positive=True)

SPIKE_RATE_ESCAPE = Spec(
    name="spike_rate_escape",
    title="Spike rate escape",
    source="Gerstner & Kistler, Spiking Neuron Models, 2002; documentation of snntorch.surrogate.SpikeRateEscape: "
    "k*exp(-beta*|U - 1|) at a threshold of 1",
    gradient=height * exp(-beta * Abs(x)),
    parameters=(
        Parameter(beta, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),
        Parameter(height, default=25.0, domain=Interval.open(0, oo), typical=(1, 50)),
    ),
    claims=(Peak(value=height), Even(), LogLinearDecay(slope=-beta), NonIncreasing(), Area(2 * height / beta)),
)
