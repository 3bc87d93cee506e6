"""A power of the distance to the threshold, whose exponent is the parameter, in two forms of unlike width."""

from __future__ import annotations

from sympy import Abs, Interval, Symbol, oo

from surrogate_core.spec.claims import Area, Even, NonIncreasing, Peak
from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["Q_PSEUDO_SPIKE", "WIDE_Q_PSEUDO_SPIKE"]

alpha = Symbol("alpha", positive=True)

Q_PSEUDO_SPIKE = Spec(
    name="q_pseudo_spike",
    title="q-pseudo-spike",
    source="Herranz-Celotti & Rouat, Surrogate Gradients Design, arXiv:2202.00282; documentation of SpikingJelly's "
    "QPseudoSpike",
    gradient=(1 + 2 * Abs(x) / (alpha - 1)) ** (-alpha),
    parameters=(Parameter(alpha, default=2.0, domain=Interval.open(1, oo), typical=(1.5, 10)),),
    claims=(Peak(value=1), Even(), NonIncreasing(), Area(1)),
)

WIDE_Q_PSEUDO_SPIKE = Spec(
    name="wide_q_pseudo_spike",
    title="q-pseudo-spike with alpha + 1 in its width",
    source="documentation of braintools' QPseudoSpike: alpha + 1, to be finite for alpha <= 1 too",
    gradient=(1 + 2 * Abs(x) / (alpha + 1)) ** (-alpha),
    parameters=(Parameter(alpha, default=2.0, domain=Interval.open(0, oo), typical=(0.5, 10)),),
    claims=(Peak(value=1), Even(), NonIncreasing()),
)
