"""Rockpool's PyTorch modules: the threshold is inside, at 1 here, as by default; they fire there (``>=``).

Its surrogates are the autograd functions that a module takes as ``spike_generation_fn``. They count spikes: as many
as the potential holds thresholds, up to ``max_spikes_per_dt``.
"""

from __future__ import annotations

from surrogate_core.libraries.base import Documented, Excluded, Hazard, Library, Surrogate
from surrogate_core.libraries.sinabs import SAMNA

__all__ = ["LIBRARY"]

LIF = "rockpool.nn.modules.torch.lif_torch"
NEURON = "rockpool.nn.modules.torch.lif_neuron_torch"
UP_DOWN = "rockpool.nn.modules.torch.updown_torch"
ON_SINABS = "rockpool.nn.modules.sinabs.lif_sinabs"
BITSHIFT = "rockpool.nn.modules.torch.lif_bitshift_torch"


def step_pwl(window: float) -> object:
    """StepPWL of LIFTorch, with the defaults of that module."""
    import torch
    from rockpool.nn.modules.torch.lif_torch import StepPWL

    rest = torch.tensor(1.0), window, torch.tensor(2.0**16)
    return lambda x: StepPWL.apply(x, *rest)


def step_pwl_of_a_neuron(window: float) -> object:
    """StepPWL of LIFNeuronTorch, with the defaults of that module."""
    import torch
    from rockpool.nn.modules.torch.lif_neuron_torch import StepPWL

    rest = torch.tensor(1.0), window, torch.tensor(2.0**16)
    return lambda x: StepPWL.apply(x, *rest)


def periodic_exponential(window: float) -> object:
    """PeriodicExponential of LIFTorch, with the defaults of that module."""
    import torch
    from rockpool.nn.modules.torch.lif_torch import PeriodicExponential

    rest = torch.tensor(1.0), window, torch.tensor(2.0**16)
    return lambda x: PeriodicExponential.apply(x, *rest)


def step_pwl_up_down() -> object:
    """StepPWL of UpDownTorch."""
    from rockpool.nn.modules.torch.updown_torch import StepPWL

    return StepPWL.apply


def public() -> list[str]:
    """Every autograd function in the modules that have spiking neurons on PyTorch."""
    import importlib

    import torch

    return [
        f"{name}:{attribute}"
        for name in (LIF, NEURON, UP_DOWN, BITSHIFT, ON_SINABS)
        for attribute, found in vars(importlib.import_module(name)).items()
        if isinstance(found, type) and issubclass(found, torch.autograd.Function)
    ]


PIECEWISE = Documented(
    "Heaviside step function with piece-wise linear surrogate to use as spike-generation surrogate; learning_window: "
    "Cutoff value for the surrogate gradient; max_spikes_per_dt: The maximum number of events that will be produced "
    "in a single time-step",
    "docstrings of StepPWL and of rockpool.nn.modules.LIFTorch",
)

LIBRARY = Library(
    name="rockpool",
    package="rockpool",
    distribution="rockpool",
    extra="rockpool",
    surrogates=(
        Surrogate(
            name="rockpool.StepPWL",
            spec="shifted_step_count",
            framework="torch",
            module=LIF,
            attribute="StepPWL",
            adapter=step_pwl,
            documented=PIECEWISE,
        ),
        Surrogate(
            name="rockpool.LIFNeuronTorch.StepPWL",
            spec="shifted_step_count",
            framework="torch",
            module=NEURON,
            attribute="StepPWL",
            adapter=step_pwl_of_a_neuron,
            documented=PIECEWISE,
        ),
        Surrogate(
            name="rockpool.PeriodicExponential",
            spec="periodic_exponential",
            framework="torch",
            module=LIF,
            attribute="PeriodicExponential",
            adapter=periodic_exponential,
            keywords=(("width", "window"),),
            documented=Documented(
                "spike_generation_fn: Implements the surrogate gradient function in the backward call (StepPWL or "
                "PeriodicExponential); its source: exp(-|d| / window) / threshold, d the distance to the next "
                "multiple of the threshold",
                "docstring of rockpool.nn.modules.LIFTorch",
            ),
        ),
        Surrogate(
            name="rockpool.UpDownTorch.StepPWL",
            spec="up_down_step",
            framework="torch",
            module=UP_DOWN,
            attribute="StepPWL",
            adapter=step_pwl_up_down,
            documented=Documented(
                "Heaviside step function with piece-wise linear derivative to use as spike-generation surrogate; its "
                "source: floor of what is positive, and 1 from 0.5 on",
                "docstring of rockpool.nn.modules.torch.updown_torch.StepPWL",
            ),
        ),
    ),
    excluded=(
        Excluded(f"{BITSHIFT}:Bitshift", "a decay of the membrane potential, no spike function"),
        Excluded(f"{ON_SINABS}:StepPWL", "never called: LIFSinabs spikes with sinabs' own functions"),
        Excluded(f"{ON_SINABS}:PeriodicExponential", "never called: LIFSinabs spikes with sinabs' own functions"),
    ),
    uncovered=("other thresholds than 1, with which its gradients and its counts of spikes scale",),
    hazards=(
        SAMNA,
        Hazard("its modules import JAX, where it is installed, even if only PyTorch is used"),
    ),
    public=public,
    preload=True,
)
