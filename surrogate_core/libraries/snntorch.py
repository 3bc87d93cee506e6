"""snnTorch, in PyTorch: documented to fire at the threshold (``U >= U_thr``), silent there in its code (``> 0``).

Its functions take the distance to the threshold, which its neurons subtract before they call them. The neurons are
documented to be silent there (``U[T] > U_thr``). A surrogate is judged against its own docstring; both are told.
"""

from __future__ import annotations

from typing import Any

from surrogate_core.libraries.base import Documented, Excluded, Library, Surrogate

__all__ = ["LIBRARY"]

MODULE = "snntorch.surrogate"

FIRES = "S = 1 if U >= U_thr, 0 if U < U_thr"

SILENT = (
    "the neurons' docstrings contradict that S: 'For U[T] > U_thr => S[T+1] = 1' of Leaky and eight others (which but "
    "for one call the threshold one 'for mem to reach'), 'Generates spike if mem > threshold' of their fire, which is "
    "what the code does"
)
NEURONS = "snntorch/_neurons/leaky.py, eight others beside it, and neurons.py (fire)"


def leaky_spike_operator(slope: float) -> object:
    """The class that LSO is documented to apply."""
    from snntorch.surrogate import LeakySpikeOperator

    return lambda x: LeakySpikeOperator.apply(x, slope)


def public() -> list[str]:
    """Every function and class that snntorch.surrogate defines."""
    import inspect

    from snntorch import surrogate

    return [
        f"{MODULE}:{name}"
        for name, found in vars(surrogate).items()
        if (inspect.isfunction(found) or inspect.isclass(found)) and found.__module__ == MODULE
    ]


def _surrogate(attribute: str, spec: str, documented_in: str, gradient: str, **fields: Any) -> Surrogate:
    return Surrogate(
        name=f"snntorch.{attribute}",
        spec=spec,
        framework="torch",
        module=MODULE,
        attribute=attribute,
        documented=Documented(
            f"{FIRES}; {gradient}; {SILENT}", f"docstring of {MODULE}.{documented_in}; of the neurons in {NEURONS}"
        ),
        **fields,
    )


def _behind(function: str, name: str) -> Excluded:
    return Excluded(f"{MODULE}:{name}", f"the autograd function behind {function}, judged there")


SLOPE = (("alpha", "slope"),)

LIBRARY = Library(
    name="snntorch",
    package="snntorch",
    distribution="snntorch",
    extra="snntorch",
    surrogates=(
        _surrogate("straight_through_estimator", "straight_through", "StraightThroughEstimator", "dS/dU = 1"),
        _surrogate("triangular", "signed_constant", "Triangular", "dS/dU = U_thr if U < U_thr, -U_thr if U >= U_thr"),
        _surrogate(
            "fast_sigmoid", "fast_sigmoid", "FastSigmoid", "dS/dU = 1/(1 + k|U|)^2, k defaults to 25", keywords=SLOPE
        ),
        _surrogate(
            "atan",
            "arctan_over_pi",
            "ATan",
            "dS/dU = 1/pi * 1/(1 + (pi*U*alpha/2)^2), alpha defaults to 2 (the S printed beside it, 1/pi * "
            "arctan(pi*U*alpha/2), has pi*alpha/2 times that derivative, and so has the code: it is the dS/dU that is "
            "wrong)",
        ),
        _surrogate(
            "heaviside",
            "step",
            "Heaviside",
            "dS/dU = 1 if U >= U_thr, 0 if U < U_thr",
        ),
        _surrogate(
            "sigmoid",
            "sigmoid",
            "Sigmoid",
            "dS/dU = k exp(-kU)/(exp(-kU) + 1)^2, k defaults to 25",
            keywords=SLOPE,
            defaults=(("alpha", 25.0),),
        ),
        _surrogate(
            "spike_rate_escape",
            "spike_rate_escape",
            "SpikeRateEscape",
            "dS/dU = k exp(-beta|U - 1|): around the neurons' threshold, which is 1 by default and has been "
            "subtracted before",
            keywords=(("height", "slope"),),
        ),
        _surrogate(
            "LSO",
            "leaky_step",
            "LeakySpikeOperator",
            "dS/dU = 1 if U >= U_thr, k if U < U_thr; k defaults to 0.1",
        ),
        _surrogate(
            "LeakySpikeOperator",
            "leaky_step",
            "LeakySpikeOperator",
            "dS/dU = 1 if U >= U_thr, k if U < U_thr",
            adapter=leaky_spike_operator,
        ),
        _surrogate(
            "SFS",
            "sparse_fast_sigmoid",
            "SparseFastSigmoid",
            "dS/dU = 1/(1 + k|U|)^2 if U > B, 0 otherwise; k defaults to 25, B to 1",
            keywords=(("alpha", "slope"), ("bound", "B")),
        ),
    ),
    excluded=(
        Excluded(f"{MODULE}:SSO", "its gradient below the threshold is drawn at random"),
        Excluded(f"{MODULE}:StochasticSpikeOperator", "its gradient below the threshold is drawn at random"),
        Excluded(f"{MODULE}:custom_surrogate", "takes the gradient from the user, and has no formula of its own"),
        Excluded(f"{MODULE}:CustomSurrogate", "takes the gradient from the user, and has no formula of its own"),
        _behind("straight_through_estimator", "StraightThroughEstimator"),
        _behind("triangular", "Triangular"),
        _behind("fast_sigmoid", "FastSigmoid"),
        _behind("atan", "ATan"),
        _behind("heaviside", "Heaviside"),
        _behind("sigmoid", "Sigmoid"),
        _behind("spike_rate_escape", "SpikeRateEscape"),
        _behind("SFS", "SparseFastSigmoid"),
    ),
    accepted=(
        *(
            Excluded(
                f"snntorch._neurons.{module}:{name}.ATan",
                f"snntorch.surrogate.ATan once more within {name}, with a default of 2 for alpha; judged there",
            )
            for module, name in (
                ("leakyparallel", "LeakyParallel"),
                ("leakykernel", "LeakyKernel"),
                ("leakyunroll", "LeakyParallel"),
            )
        ),
        Excluded("snntorch.functional.loss", "the times of whole records of spikes, no spike functions"),
        Excluded(
            "snntorch.functional.quant",
            "state_quant rounds a neuron's state to the nearest of a table of levels: no formula, and no spike",
        ),
    ),
    uncovered=(
        "heaviside's gradient at the threshold itself, where it jumps, so that the value of either side is accepted: "
        "it is documented as 1 there, and is 0",
    ),
    public=public,
    preload=True,
)
