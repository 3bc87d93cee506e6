"""A step below a threshold of 1, in the membrane potential: the derivative of a ramp that begins there."""

from __future__ import annotations

from sympy import Interval, Max, Min, Piecewise, Rational, Symbol, floor, oo

from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["SHIFTED_STEP", "SHIFTED_STEP_COUNT", "UP_DOWN_STEP"]

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
    source="documentation of rockpool.nn.modules.LIFTorch: learning_window and max_spikes_per_dt (2**16)",
    parameters=(Parameter(window, default=0.5, domain=Interval.open(0, oo), typical=(0.25, 2)),),
    forward=Min(Max(0, floor(x)), 2**16),
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
