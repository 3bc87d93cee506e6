"""What FastSigmoid declares: the formula of the SuperSpike paper."""

from sympy import Abs, Interval, Symbol, oo

from surrogate_core.spec import Even, Parameter, Peak, Spec, x

k = Symbol("k", positive=True)
FAST_SIGMOID = Spec(
    name="fast_sigmoid_of_smallsnn",
    title="Fast sigmoid",
    source="Zenke & Ganguli, SuperSpike, Neural Computation 2018",
    gradient=1 / (1 + k * Abs(x)) ** 2,
    parameters=[Parameter(k, default=25.0, domain=Interval.open(0, oo), typical=(1, 100))],
    at_threshold=0,
    claims=[Peak(value=1, at=0), Even()],
)
