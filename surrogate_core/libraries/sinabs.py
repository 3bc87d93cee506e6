"""sinabs, in PyTorch: the threshold is inside, at 1 here, where its layers have it; they fire there (``>=``).

What it calls a surrogate gradient function is a function of the membrane potential and the threshold alone;
``SingleSpike``, ``MultiSpike`` and ``MaxSpike`` make a spike function of it.
"""

from __future__ import annotations

from typing import Any

from surrogate_core.libraries.base import Documented, Excluded, Hazard, Library, Surrogate

__all__ = ["LIBRARY", "SAMNA"]

SAMNA = Hazard(
    "it pulls in a stub of the package samna that reinstalls itself from the network when it is imported; "
    "that import is blocked",
    blocked=("samna",),
)

MODULE = "sinabs.activation"


def single_exponential(grad_width: float, grad_scale: float) -> object:
    """SingleSpike with SingleExponential at a threshold of 1."""
    from sinabs.activation import SingleExponential, SingleSpike

    surrogate = SingleExponential(grad_width=grad_width, grad_scale=grad_scale)
    return lambda v_mem: SingleSpike.apply(v_mem, 1.0, surrogate)


def multi_spike(grad_width: float, grad_scale: float) -> object:
    """MultiSpike with SingleExponential at a threshold of 1."""
    from sinabs.activation import MultiSpike, SingleExponential

    surrogate = SingleExponential(grad_width=grad_width, grad_scale=grad_scale)
    return lambda v_mem: MultiSpike.apply(v_mem, 1.0, surrogate)


def max_spike(grad_width: float, grad_scale: float) -> object:
    """MaxSpike of at most 10 spikes with SingleExponential at a threshold of 1."""
    from sinabs.activation import MaxSpike, SingleExponential

    surrogate = SingleExponential(grad_width=grad_width, grad_scale=grad_scale)
    spike = MaxSpike(max_num_spikes_per_bin=10)
    return lambda v_mem: spike.apply(v_mem, 1.0, surrogate)


def gaussian(mu: float, sigma: float, grad_scale: float) -> object:
    """SingleSpike with Gaussian at a threshold of 1."""
    from sinabs.activation import Gaussian, SingleSpike

    surrogate = Gaussian(mu=mu, sigma=sigma, grad_scale=grad_scale)
    return lambda v_mem: SingleSpike.apply(v_mem, 1.0, surrogate)


def multi_gaussian(sigma: float, h: float, s: float, grad_scale: float) -> object:
    """SingleSpike with MultiGaussian, its middle at a threshold of 1."""
    from sinabs.activation import MultiGaussian, SingleSpike

    surrogate = MultiGaussian(mu=0.0, sigma=sigma, h=h, s=s, grad_scale=grad_scale)
    return lambda v_mem: SingleSpike.apply(v_mem, 1.0, surrogate)


def periodic_exponential(grad_width: float, grad_scale: float) -> object:
    """SingleSpike with PeriodicExponential at a threshold of 1."""
    from sinabs.activation import PeriodicExponential, SingleSpike

    surrogate = PeriodicExponential(grad_width=grad_width, grad_scale=grad_scale)
    return lambda v_mem: SingleSpike.apply(v_mem, 1.0, surrogate)


def heaviside(window: float) -> object:
    """SingleSpike with Heaviside at a threshold of 1."""
    from sinabs.activation import Heaviside, SingleSpike

    surrogate = Heaviside(window=window)
    return lambda v_mem: SingleSpike.apply(v_mem, 1.0, surrogate)


def quantize() -> object:
    """The floor, its cotangent passed through."""
    from sinabs.activation import Quantize

    return Quantize.apply


def public() -> list[str]:
    """Every class that sinabs.activation exports."""
    import inspect

    from sinabs import activation

    return [f"{MODULE}:{name}" for name, found in vars(activation).items() if inspect.isclass(found)]


def _surrogate(attribute: str, spec: str, adapter: Any, promise: str, **fields: Any) -> Surrogate:
    return Surrogate(
        name=f"sinabs.{attribute}",
        spec=spec,
        framework="torch",
        module=MODULE,
        attribute=attribute,
        adapter=adapter,
        documented=Documented(
            f"{promise}; the layers fire if V_mem >= V_th",
            f"docstrings of {MODULE}.{attribute} and of sinabs.layers.LIF and IAF",
        ),
        **fields,
    )


EXPONENTIAL = (("width", "grad_width"), ("scale", "grad_scale"))

LIBRARY = Library(
    name="sinabs",
    package="sinabs",
    distribution="sinabs",
    extra="sinabs",
    surrogates=(
        _surrogate(
            "SingleExponential",
            "single_exponential",
            single_exponential,
            "Surrogate gradient as defined in Shrestha and Orchard, 2018; its source: grad_scale / w * "
            "exp(-|v_mem - threshold| / w), w = threshold * grad_width",
            keywords=EXPONENTIAL,
        ),
        _surrogate(
            "MultiSpike",
            "multi_spike",
            multi_spike,
            "returns membrane potential integer-divided by spike threshold; with the surrogate gradient of its choice",
            keywords=EXPONENTIAL,
        ),
        _surrogate(
            "MaxSpike",
            "max_spike",
            max_spike,
            "returns membrane potential divided by spike threshold for a maximum number of spikes per time step",
            keywords=EXPONENTIAL,
        ),
        _surrogate(
            "Gaussian",
            "normal_density",
            gaussian,
            "Gaussian surrogate gradient function. mu: The mean of the Gaussian. sigma: The standard deviation of the "
            "Gaussian. grad_scale: Scale the gradients arbitrarily.",
            keywords=(("scale", "grad_scale"),),
        ),
        _surrogate(
            "MultiGaussian",
            "multi_normal_density",
            multi_gaussian,
            "Surrogate gradient as defined in Yin et al., 2021. h: Controls the magnitude of the negative parts of "
            "the kernel. s: Controls the width of the negative parts of the kernel.",
            keywords=(("scale", "grad_scale"),),
        ),
        _surrogate(
            "PeriodicExponential",
            "steep_periodic_exponential",
            periodic_exponential,
            "Surrogate gradient as defined in Weidel and Sheik, 2021; its source: periodic above the threshold, "
            "0 when vmem == N * spike_threshold, from -spike_threshold to spike_threshold between two of these",
            keywords=EXPONENTIAL,
        ),
        _surrogate(
            "Heaviside",
            "shifted_step",
            heaviside,
            "Heaviside surrogate gradient with optional shift. window: Distance between step of Heaviside surrogate "
            "gradient and threshold, relative to threshold.",
        ),
        Surrogate(
            name="sinabs.Quantize",
            spec="straight_through_floor",
            framework="torch",
            module=MODULE,
            attribute="Quantize",
            adapter=quantize,
            documented=Documented(
                "applies a floor() operation on the input, while providing a surrogate gradient (equivalent to that of "
                "a linear function) in the backward pass",
                f"docstring of {MODULE}.Quantize",
            ),
        ),
    ),
    excluded=(
        Excluded(f"{MODULE}:SingleSpike", "the spike function that every surrogate gradient here is judged with"),
        Excluded(f"{MODULE}:StochasticRounding", "rounds at random: no forward value can be promised"),
        Excluded(f"{MODULE}:MembraneReset", "a reset of the membrane potential, no spike function"),
        Excluded(f"{MODULE}:MembraneSubtract", "a reset of the membrane potential, no spike function"),
    ),
    accepted=(
        Excluded(f"{MODULE}.spike_generation:MaxSpikeInner", "the autograd function behind MaxSpike, judged there"),
    ),
    uncovered=(
        "other thresholds than 1, with which its gradients and its counts of spikes scale",
        "MultiGaussian at other means than mu = 0, its default: its code moves the middle bell alone, and its "
        "docstring says no more than 'the mean of the Gaussian'",
        "MaxSpike of other numbers than max_num_spikes_per_bin = 10; without one, its default, it counts as MultiSpike",
    ),
    hazards=(SAMNA,),
    public=public,
    preload=True,
)
