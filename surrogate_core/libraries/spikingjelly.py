"""SpikingJelly, in PyTorch: it fires at the threshold (``>=``), as documented.

Each of its modules offers the smooth function too, ``primitive_function``, which is judged beside the gradient.
"""

from __future__ import annotations

from typing import Any

from surrogate_core.libraries.base import Documented, Excluded, Library, Surrogate

__all__ = ["LIBRARY"]

MODULE = "spikingjelly.activation_based.surrogate"


def public() -> list[str]:
    """Every surrogate module, and every autograd function, that the surrogate module defines."""
    import torch
    from spikingjelly.activation_based import surrogate

    kinds = (surrogate.SurrogateFunctionBase, torch.autograd.Function)
    return [
        f"{MODULE}:{name}"
        for name, found in vars(surrogate).items()
        if isinstance(found, type) and issubclass(found, kinds) and found.__module__ == MODULE
    ]


def _surrogate(attribute: str, spec: str, promise: str, **fields: Any) -> Surrogate:
    return Surrogate(
        name=f"spikingjelly.{attribute}",
        spec=spec,
        framework="torch",
        module=MODULE,
        attribute=attribute,
        documented=Documented(promise, f"docstring of {MODULE}.{attribute}"),
        **fields,
    )


BEHIND = {
    "piecewise_quadratic": "PiecewiseQuadratic",
    "piecewise_exp": "PiecewiseExp",
    "sigmoid": "Sigmoid",
    "soft_sign": "SoftSign",
    "super_spike": "SuperSpike",
    "atan": "ATan",
    "nonzero_sign_log_abs": "NonzeroSignLogAbs",
    "erf": "Erf",
    "piecewise_leaky_relu": "PiecewiseLeakyReLU",
    "squarewave_fourier_series": "SquarewaveFourierSeries",
    "s2nn": "S2NN",
    "q_pseudo_spike": "QPseudoSpike",
    "leaky_k_relu": "LeakyKReLU",
    "fake_numerical_gradient": "FakeNumericalGradient",
    "log_tailed_relu": "LogTailedReLU",
    "deterministic_pass": "DeterministicPass",
    "rect": "Rect",
}
"""Autograd function -> the module that calls it."""

RANDOM = "fires at random: no forward value can be promised"

LIBRARY = Library(
    name="spikingjelly",
    package="spikingjelly",
    distribution="spikingjelly",
    extra="spikingjelly",
    surrogates=(
        _surrogate(
            "PiecewiseQuadratic",
            "piecewise_quadratic",
            "g'(x) = -alpha^2 |x| + alpha for |x| <= 1/alpha, 0 beyond",
        ),
        _surrogate("PiecewiseExp", "piecewise_exponential", "g'(x) = alpha/2 exp(-alpha |x|)"),
        _surrogate("Sigmoid", "sigmoid", "g'(x) = alpha * (1 - sigmoid(alpha x)) sigmoid(alpha x)"),
        _surrogate("SoftSign", "soft_sign", "g'(x) = alpha / (2 (1 + |alpha x|)^2)"),
        _surrogate("SuperSpike", "scaled_super_spike", "g'(x) = alpha / (1 + |x|)^2"),
        _surrogate("ATan", "arctan", "g'(x) = alpha / (2 (1 + (pi/2 alpha x)^2))"),
        _surrogate("NonzeroSignLogAbs", "nonzero_sign_log", "g'(x) = alpha / (1 + |alpha x|)"),
        _surrogate("Erf", "erf", "g'(x) = alpha/sqrt(pi) exp(-alpha^2 x^2)", defaults=(("alpha", 2.0),)),
        _surrogate(
            "PiecewiseLeakyReLU",
            "piecewise_leaky_relu",
            "g'(x) = 1/(2w) for -w <= x <= w, c beyond",
        ),
        _surrogate(
            "SquarewaveFourierSeries",
            "squarewave_fourier_series",
            "n: number of terms in Fourier series (the formula beside it sums i = 1 to n - 1, one term less: "
            "g(x) = 1/2 + 2/pi sum sin((2i - 1) omega x)/(2i - 1), omega = 2 pi/T)",
            keywords=(("period", "T_period"),),
            fixed=(("n", 2),),
        ),
        _surrogate(
            "S2NN",
            "s2nn",
            "g'(x) = alpha * (1 - sigmoid(alpha x)) sigmoid(alpha x) for x < 0, beta/(x + 1) for x >= 0",
        ),
        _surrogate("QPseudoSpike", "q_pseudo_spike", "g'(x) = (1 + 2|x|/(alpha - 1))^-alpha, alpha > 1"),
        _surrogate(
            "LeakyKReLU",
            "leaky_relu",
            "g'(x) = k for x >= 0, leak for x < 0",
            keywords=(("alpha", "leak"), ("beta", "k")),
            defaults=(("alpha", 0.0),),
        ),
        _surrogate("FakeNumericalGradient", "clipped_inverse", "g'(x) = clip(sign(x)/x, alpha)"),
        _surrogate(
            "LogTailedReLU",
            "log_tailed_relu",
            "g'(x) = alpha for x <= 0, 1 for 0 < x <= 1, 1/x for x > 1",
            defaults=(("alpha", 0.0),),
        ),
        _surrogate(
            "DeterministicPass",
            "straight_through",
            "Forward uses heaviside step function, backward directly passes the gradient through.",
        ),
        _surrogate(
            "MultiLevelSpikeCount",
            "spike_count",
            "forward returns round(clamp(x, 0, max_spike_count)) and backward uses a rectangular straight-through "
            "estimator. The default gradient window is [0, max_spike_count].",
            fixed=(("max_spike_count", 4),),
        ),
        _surrogate("Rect", "rectangle", "g'(x) = alpha for |x| < 0.5/alpha, 0 beyond"),
    ),
    excluded=(
        Excluded(f"{MODULE}:SurrogateFunctionBase", "the abstract class of the others"),
        Excluded(f"{MODULE}:PoissonPass", RANDOM),
        Excluded(f"{MODULE}:poisson_pass", RANDOM),
        *(
            Excluded(f"{MODULE}:{function}", f"the autograd function behind {module}, judged there")
            for function, module in BEHIND.items()
        ),
    ),
    public=public,
    preload=True,
)
