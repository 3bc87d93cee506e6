"""SpikingJelly, in PyTorch: it fires at the threshold (``>=``), as its heaviside documents.

Each of its modules offers the smooth function too, ``primitive_function``, which is judged beside the gradient.
"""

from __future__ import annotations

from typing import Any

from surrogate_core.libraries.base import Documented, Excluded, Library, Surrogate

__all__ = ["LIBRARY"]

PACKAGE = "spikingjelly.activation_based"
MODULE = f"{PACKAGE}.surrogate"
QUANTIZE = f"{PACKAGE}.quantize"
DHS = f"{PACKAGE}.model.spike_dhs"

FIRES = "1 for x >= 0, 0 for x < 0"


def public() -> list[str]:
    """Every surrogate module, and every autograd function, that is defined for surrogates; every quantiser."""
    import torch
    from spikingjelly.activation_based import quantize, surrogate
    from spikingjelly.activation_based.model import spike_dhs

    kinds = (surrogate.SurrogateFunctionBase, torch.autograd.Function)
    surrogates = [
        f"{module.__name__}:{name}"
        for module in (surrogate, spike_dhs)
        for name, found in vars(module).items()
        if isinstance(found, type) and issubclass(found, kinds) and found.__module__ == module.__name__
    ]
    return surrogates + [f"{QUANTIZE}:{name}" for name in quantize.__all__]


def _surrogate(attribute: str, spec: str, promise: str, **fields: Any) -> Surrogate:
    return Surrogate(
        name=f"spikingjelly.{attribute}",
        spec=spec,
        framework="torch",
        module=MODULE,
        attribute=attribute,
        documented=Documented(f"{FIRES}; {promise}", f"docstrings of {MODULE}.heaviside and {MODULE}.{attribute}"),
        **fields,
    )


def _rounding(attribute: str, spec: str) -> Surrogate:
    return Surrogate(
        name=f"spikingjelly.quantize.{attribute}",
        spec=spec,
        framework="torch",
        module=QUANTIZE,
        attribute=attribute,
        documented=Documented(
            f"Apply y = torch.{attribute}(x) with re-defining gradient as dy/dx = 1",
            f"docstring of {QUANTIZE}.{attribute}",
        ),
        function=True,
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

WIDER = {
    "clamp": "no step: the identity between two bounds, with its own derivative",
    "step_quantize": "round, which is judged, of x/step, times step: of any step size, and no spike",
    "k_bit_quantize": "round, which is judged, of (2**k - 1) * x, over that: a quantiser to k bits, and no spike",
    "affine_k_bit_quantize": "k_bit_quantize, scaled and shifted by two tensors",
    "clamp_by_linear": "no step: it scales a tensor by its own least and largest value",
    "multi_level_spike_count": "the function behind MultiLevelSpikeCount, judged there",
}
"""Quantiser that is not judged -> why."""

QUANTISERS = {
    "RoundATGF": "round",
    "CeilATGF": "ceil",
    "FloorATGF": "floor",
    "ClampATGF": "clamp",
    "StepQuantizeATGF": "step_quantize",
    "MultiLevelSpikeCountATGF": "multi_level_spike_count",
    "KBitQuantizeATGF": "k_bit_quantize",
}
"""Autograd function -> the quantiser that calls it."""

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
            # The smooth function is the one that is printed, of a term less than the gradient that is promised.
            variant=(("smooth", False),),
        ),
        _surrogate(
            "S2NN",
            "s2nn",
            "g'(x) = alpha * (1 - sigmoid(alpha x)) sigmoid(alpha x) for x < 0, beta/(x + 1) for x >= 0; the primitive "
            "function is g(x) = sigmoid(alpha x) for x < 0, beta ln(x + 1) + 1 for x >= 0",
            # What is printed jumps from 1/2 to 1 at the threshold, where it has no derivative, then.
            variant=(("smooth", "piecewise"),),
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
        Surrogate(
            name="spikingjelly.MultiLevelSpikeCount",
            spec="spike_count",
            framework="torch",
            module=MODULE,
            attribute="MultiLevelSpikeCount",
            documented=Documented(
                "forward returns round(clamp(x, 0, max_spike_count)) and backward uses a rectangular straight-through "
                "estimator. The default gradient window is [0, max_spike_count].",
                f"docstring of {MODULE}.MultiLevelSpikeCount",
            ),
            fixed=(("max_spike_count", 4),),
        ),
        _surrogate("Rect", "rectangle", "g'(x) = alpha for |x| < 0.5/alpha, 0 beyond"),
        _rounding("round", "straight_through_round"),
        _rounding("ceil", "straight_through_ceil"),
        _rounding("floor", "straight_through_floor"),
    ),
    excluded=(
        Excluded(f"{MODULE}:SurrogateFunctionBase", "the abstract class of the others"),
        Excluded(f"{MODULE}:PoissonPass", RANDOM),
        Excluded(f"{MODULE}:poisson_pass", RANDOM),
        *(
            Excluded(f"{MODULE}:{function}", f"the autograd function behind {module}, judged there")
            for function, module in BEHIND.items()
        ),
        Excluded(
            f"{DHS}:DSpike",
            "documented as 'DSpike surrogate gradient function': no formula and no paper that it could be held to",
        ),
        Excluded(f"{DHS}:dSpike", "the autograd function behind DSpike, which has no formula to be held to"),
        *(Excluded(f"{QUANTIZE}:{name}", reason) for name, reason in WIDER.items()),
    ),
    accepted=(
        *(
            Excluded(f"{QUANTIZE}:{name}", f"the autograd function behind quantize.{function}")
            for name, function in QUANTISERS.items()
        ),
        Excluded("spikingjelly._ops.surrogate", "private: seven of the surrogates by number, for fused neurons"),
        Excluded(f"{PACKAGE}.examples", "scripts that show how the package is used, no part of its interface"),
        Excluded(f"{PACKAGE}.neuron.dsr", "a whole neuron over time, differentiated by its rate of spikes"),
        Excluded(f"{PACKAGE}.lava_exchange", "the decay of a current or a voltage in integers, no spike function"),
        Excluded(f"{PACKAGE}.layer.online_learning", "takes two inputs, and hands the gradient to both"),
        Excluded(f"{PACKAGE}.memopt", "carries gradients through a checkpoint, no spike function"),
        Excluded(f"{PACKAGE}.distributed", "communication between devices, no spike function"),
        Excluded("spikingjelly.timing_based", "the times of spikes, solved for and differentiated as such"),
    ),
    uncovered=(
        "SquarewaveFourierSeries of other numbers of terms than n = 2, its default",
        "PiecewiseLeakyReLU's gradient at |x| = w itself, where it jumps, so that the value of either side is "
        "accepted: it is documented as 1/(2w) there, and is c",
        "the constants of a primitive_function, whose slope alone is judged: S2NN's is beta ln(|x + 1| + 1e-5) + 0.5 "
        "above the threshold, where its docstring has beta ln(x + 1) + 1",
        "MultiLevelSpikeCount of other largest counts than max_spike_count = 4, and with a grad_window of its own",
    ),
    bases=("SurrogateFunctionBase",),
    public=public,
    preload=True,
)
