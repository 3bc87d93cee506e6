"""Exponentials around a threshold of 1 and every multiple of it, in the membrane potential.

After Weidel & Sheik, WaveSense, arXiv:2111.01456: a neuron that may spike several times a step has a threshold at
each. The two libraries that have it differ above the threshold: sinabs falls twice as fast there.
"""

from __future__ import annotations

from typing import Any

from sympy import Interval, Max, Min, Piecewise, Rational, Symbol, exp, floor, oo

from surrogate_core.spec.claims import Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["PERIODIC_EXPONENTIAL", "STEEP_PERIODIC_EXPONENTIAL"]

width = Symbol("width", positive=True)
scale = Symbol("scale", positive=True)
WIDTH = Parameter(width, default=0.5, domain=Interval.open(0, oo), typical=(0.1, 2))

MOST = 2**16
"""Spikes that a step may hold."""

_cell = floor(x - Rational(1, 2))


def _size(distance: Any) -> Any:
    """The absolute value, with a slope at 0 too: there are too many multiples for a breakpoint at each."""
    return Piecewise((distance, distance >= 0), (-distance, True))


PERIODIC_EXPONENTIAL = Spec(
    name="periodic_exponential",
    title="Exponential around every multiple of a threshold of 1",
    source="source of rockpool.nn.modules.torch.lif_torch.PeriodicExponential, whose documentation has no formula",
    gradient=exp(-_size(x - 1 - Max(0, Min(_cell, MOST - 1))) / width),
    parameters=(WIDTH,),
    forward=Min(Max(0, floor(x)), MOST),
    at_nan=None,
    claims=(Peak(value=1, at=1),),
)

STEEP_PERIODIC_EXPONENTIAL = Spec(
    name="steep_periodic_exponential",
    title="Exponential around a threshold of 1, and twice as steep around every multiple of it",
    source="comments in sinabs.activation.PeriodicExponential, after Weidel & Sheik, arXiv:2111.01456",
    gradient=scale * exp(-Piecewise((1 - x, x < 1), (2 * _size(x - 1 - _cell), True)) / width),
    parameters=(WIDTH, Parameter(scale, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 10))),
    forward=Piecewise((1, x >= 1), (0, True)),
    claims=(Peak(value=scale, at=1),),
)
