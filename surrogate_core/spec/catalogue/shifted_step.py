"""A step below a threshold of 1, in the membrane potential: the derivative of a ramp that begins there."""

from __future__ import annotations

from sympy import Interval, Max, Min, Piecewise, Rational, Symbol, floor, oo

from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["SHIFTED_STEP", "SHIFTED_STEP_COUNT", "UP_DOWN_STEP"]

MOST = 2**16
"""Spikes that a step may hold."""

window = Symbol("window", positive=True)

SHIFTED_STEP = Spec(
    name="shifted_step",
    title="Step at a window below a threshold of 1",
    source="docstring of sinabs.activation.Heaviside",
    gradient=Piecewise((1, x >= 1 - window), (0, True)),
    parameters=(Parameter(window, default=1.0, domain=Interval.open(0, oo), typical=(0.25, 2)),),
    forward=Piecewise((1, x >= 1), (0, True)),
    breakpoints=(1 - window,),
)

SHIFTED_STEP_COUNT = SHIFTED_STEP.replace(
    name="shifted_step_count",
    title="Spike count, and a step at a window below a threshold of 1",
    source="documentation of rockpool.nn.modules.LIFTorch: learning_window and max_spikes_per_dt (2**16); 'when the "
    "membrane potential exceeds the threshold voltage, V_mem > V_thr, then the neuron emits a spike'",
    parameters=(Parameter(window, default=0.5, domain=Interval.open(0, oo), typical=(0.25, 2)),),
    # What a potential of exactly several thresholds gives, nobody documents: there it is the source's count.
    forward=Piecewise((0, x <= 1), (Min(floor(x), MOST), True)),
    at_nan=None,
)

UP_DOWN_STEP = Spec(
    name="up_down_step",
    title="Floor of what is positive, and a step at one half",
    source="source of rockpool.nn.modules.torch.updown_torch.StepPWL, which documents no formula",
    gradient=Piecewise((1, x >= Rational(1, 2)), (0, True)),
    forward=Max(0, floor(x)),
    at_nan=None,
    breakpoints=(Rational(1, 2),),
)
