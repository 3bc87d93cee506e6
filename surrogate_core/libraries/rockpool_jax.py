"""Rockpool's JAX modules. The threshold is inside, at 1 here, as by default.

They are documented to be silent there (``V_mem > V_thr``), and fire there in their code (``>=``).
"""

from __future__ import annotations

from collections.abc import Iterable

from surrogate_core.libraries.base import Documented, Excluded, Hazard, Library, Surrogate

__all__ = ["LIBRARY"]


def _step_pwl(window: float):
    """step_pwl of LIFJax at its threshold of 1, with its default of 2**16 spikes a step."""
    from rockpool.nn.modules.jax.lif_jax import step_pwl

    return lambda x: step_pwl(x, 1.0, window, 2.0**16)


def _public() -> Iterable[str]:
    """Every function with a derivative of its own in the modules of spiking neurons in JAX."""
    import importlib
    import pkgutil

    # By its name: the attribute `jax` of rockpool.nn.modules is JAX itself.
    neurons = importlib.import_module("rockpool.nn.modules.jax")
    names = [f"{neurons.__name__}.{found.name}" for found in pkgutil.iter_modules(neurons.__path__)]
    names.append("rockpool.devices.dynapse.simulation.surrogate")
    return [
        f"{module}:{attribute}"
        for module in names
        for attribute, value in vars(importlib.import_module(module)).items()
        if type(value).__name__ in ("custom_jvp", "custom_vjp") and value.__module__ == module
    ]


LIBRARY = Library(
    name="rockpool_jax",
    package="rockpool",
    distribution="rockpool",
    extra="rockpool",
    surrogates=(
        Surrogate(
            name="rockpool_jax.step_pwl",
            spec="shifted_step_count",
            framework="jax",
            module="rockpool.nn.modules.jax.lif_jax",
            attribute="step_pwl",
            documented=Documented(
                "Heaviside step function with piece-wise linear derivative; window: learning window around threshold; "
                "in its source the derivative is 1/threshold for x >= threshold - window; "
                "when the membrane potential V_mem exceeds the threshold voltage, V_mem > V_thr, then the neuron emits "
                "a spike",
                "docstring and source of rockpool.nn.modules.jax.lif_jax.step_pwl, docstring of LIFJax",
            ),
            adapter=_step_pwl,
        ),
    ),
    excluded=(
        Excluded(
            "rockpool.nn.modules.jax.lif_jax:clip_gradient",
            "the identity forward; backward it clips the cotangent, so that no gradient is declared",
        ),
        Excluded(
            "rockpool.devices.dynapse.simulation.surrogate:step_pwl",
            "part of a chip's simulator ('* Non User Facing *'): of currents in ampere, forward the logarithm of their "
            "ratio, no function of the distance to a threshold",
        ),
    ),
    accepted=(
        Excluded(
            "rockpool.devices.dynapse.quantization.autoencoder.gradient:step_pwl_ae",
            "part of a chip's quantiser of weights ('* Non User Facing *'): of probabilities, rounded to 0 or 1, no "
            "function of the distance to a threshold",
        ),
    ),
    uncovered=(
        "other thresholds than 1, with which its gradients and its counts of spikes scale",
        "other largest counts of spikes a step than max_spikes_per_dt = 2**16, its default",
    ),
    hazards=(
        Hazard(
            "importing parts of rockpool imports samna, a stub that reinstalls itself from the network when it is "
            "imported; it is kept from being imported",
            ("samna",),
        ),
    ),
    public=_public,
    preload=True,
)
