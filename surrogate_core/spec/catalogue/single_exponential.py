"""An exponential of the distance to the threshold, in the membrane potential: its threshold is 1.

Forward it is the step, or as many spikes as the potential holds thresholds.
"""

from __future__ import annotations

from sympy import Abs, Interval, Max, Min, Piecewise, Symbol, exp, floor, oo

from surrogate_core.spec.claims import Area, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["MAX_SPIKE", "MULTI_SPIKE", "SINGLE_EXPONENTIAL"]

width = Symbol("width", positive=True)
scale = Symbol("scale", positive=True)

SINGLE_EXPONENTIAL = Spec(
    name="single_exponential",
    title="Exponential around a threshold of 1",
    source="docstring of sinabs.activation.SingleExponential, after Shrestha & Orchard, NeurIPS 2018",
    gradient=scale / width * exp(-Abs(x - 1) / width),
    parameters=(
        Parameter(width, default=0.5, domain=Interval.open(0, oo), typical=(0.1, 2)),
        Parameter(scale, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10)),
    ),
    forward=Piecewise((1, x >= 1), (0, True)),
    claims=(Peak(value=scale / width, at=1), Area(2 * scale)),
)

MULTI_SPIKE = SINGLE_EXPONENTIAL.replace(
    name="multi_spike",
    title="Spike count with an exponential around a threshold of 1",
    source="docstring of sinabs.activation.MultiSpike: the membrane potential integer-divided by the threshold",
    forward=Max(0, floor(x)),
    at_nan=None,
)

MAX_SPIKE = MULTI_SPIKE.replace(
    name="max_spike",
    title="Spike count of at most 10 with an exponential around a threshold of 1",
    source="docstring of sinabs.activation.MaxSpike, for max_num_spikes_per_bin=10",
    forward=Min(10, Max(0, floor(x))),
)
