"""A fast sigmoid that is nonzero above a bound alone, so that few neurons send gradients back."""

from __future__ import annotations

from sympy import Abs, Interval, Piecewise, Symbol, oo

from surrogate_core.spec.model import Parameter, Spec, x

__all__ = ["SPARSE_FAST_SIGMOID"]

alpha = Symbol("alpha", positive=True)
bound = Symbol("bound", positive=True)

SPARSE_FAST_SIGMOID = Spec(
    name="sparse_fast_sigmoid",
    title="Sparse fast sigmoid",
    source="documentation of snntorch.surrogate.SparseFastSigmoid, after Perez-Nieves & Goodman, NeurIPS 2021",
    gradient=Piecewise((1 / (1 + alpha * Abs(x)) ** 2, x > bound), (0, True)),
    parameters=(
        Parameter(alpha, default=25.0, domain=Interval.open(0, oo), typical=(1, 100)),
        Parameter(bound, default=1.0, domain=Interval.open(0, oo), typical=(0.1, 2)),
    ),
    breakpoints=(bound,),
)
