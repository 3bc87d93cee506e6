"""Rockpool's PyTorch modules: the threshold is inside, at 1 here, as by default.

Its surrogates are the autograd functions that a module takes as ``spike_generation_fn``. They count spikes: as many
as the potential holds thresholds, up to ``max_spikes_per_dt``. The modules are documented to be silent at the threshold
(``V_mem > V_thr``), where their default, StepPWL, fires (``>=``). PeriodicExponential fires there by its own docstring,
"on reaching threshold", which is nearer to it than that of a module that it can be passed to.
"""

from __future__ import annotations

from surrogate_core.libraries.base import Documented, Excluded, Hazard, Library, Surrogate
from surrogate_core.libraries.sinabs import SAMNA

__all__ = ["LIBRARY"]

LIF = "rockpool.nn.modules.torch.lif_torch"
NEURON = "rockpool.nn.modules.torch.lif_neuron_torch"
TRANSFORM = "rockpool.transform.torch_transform"
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
    """Every autograd function in the modules of spiking neurons on PyTorch, and what passes a gradient through."""
    import importlib

    import torch

    functions = [
        f"{name}:{attribute}"
        for name in (LIF, NEURON, UP_DOWN, BITSHIFT, ON_SINABS)
        for attribute, found in vars(importlib.import_module(name)).items()
        if isinstance(found, type) and issubclass(found, torch.autograd.Function)
    ]
    passing = [name for name in vars(importlib.import_module(TRANSFORM)) if name.endswith("passthrough")]
    return functions + [f"{TRANSFORM}:{name}" for name in passing]


PIECEWISE = "Heaviside step function with piece-wise linear surrogate to use as spike-generation surrogate"

OF_LIF = Documented(
    f"{PIECEWISE}; learning_window: Cutoff value for the surrogate gradient; max_spikes_per_dt: The maximum number of "
    "events that will be produced in a single time-step; when the membrane potential V_mem exceeds the threshold "
    "voltage V_thr, then the neuron emits a spike: V_mem > V_thr",
    f"docstrings of {LIF}.StepPWL, LIFBaseTorch.__init__ and LIFTorch",
)

OF_A_NEURON = Documented(
    f"{PIECEWISE}; when the membrane potential V_mem exceeds the threshold voltage V_thr = 0, then the neuron emits a "
    "spike: V_mem > V_thr (that 0 is contradicted by the threshold's 'If not provided, 1. will be used by default', "
    "which the code keeps); its source: floor of x over the threshold, at most max_spikes_per_dt, and 1/threshold for "
    "x >= threshold - window",
    f"docstrings of {NEURON}.StepPWL, LIFNeuronTorch and its __init__, and source of StepPWL",
)

PASSED = Documented(
    "Make a passthrough version of the function: pass the gradient directly through in the backward pass",
    "comment beside them, and docstring of make_backward_passthrough, in rockpool.transform.torch_transform",
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
            documented=OF_LIF,
        ),
        Surrogate(
            name="rockpool.LIFNeuronTorch.StepPWL",
            spec="shifted_step_count",
            framework="torch",
            module=NEURON,
            attribute="StepPWL",
            adapter=step_pwl_of_a_neuron,
            documented=OF_A_NEURON,
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
                "Subtract from membrane potential on reaching threshold: it fires there (>=); its source: "
                "exp(-|d| / window) / threshold, d the distance to the next multiple of the threshold",
                "docstring and source of rockpool.nn.modules.torch.lif_torch.PeriodicExponential",
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
                "source: floor of what is positive, so that it fires at 1 (>=), and 1 from 0.5 on ('surpasses' the "
                "threshold and 'if a threshold is reached' are both said of UpDownTorch)",
                "docstring and source of rockpool.nn.modules.torch.updown_torch.StepPWL",
            ),
        ),
        Surrogate(
            name="rockpool.floor_passthrough",
            spec="straight_through_floor",
            framework="torch",
            module=TRANSFORM,
            attribute="floor_passthrough",
            documented=PASSED,
            function=True,
        ),
        Surrogate(
            name="rockpool.round_passthrough",
            spec="straight_through_round",
            framework="torch",
            module=TRANSFORM,
            attribute="round_passthrough",
            documented=PASSED,
            function=True,
        ),
    ),
    excluded=(
        Excluded(f"{BITSHIFT}:Bitshift", "a decay of the membrane potential, no spike function"),
        Excluded(f"{ON_SINABS}:StepPWL", "never called: LIFSinabs spikes with sinabs' own functions"),
        Excluded(f"{ON_SINABS}:PeriodicExponential", "never called: LIFSinabs spikes with sinabs' own functions"),
        Excluded(f"{TRANSFORM}:make_backward_passthrough", "takes the forward from the user, and has none of its own"),
    ),
    accepted=(Excluded("rockpool.utilities.benchmarking", "a copy of StepPWL within a benchmark of Rockpool's own"),),
    uncovered=(
        "other thresholds than 1, with which its gradients and its counts of spikes scale",
        "other largest counts of spikes a step than max_spikes_per_dt = 2**16, its default",
    ),
    hazards=(
        SAMNA,
        Hazard("its modules import JAX, where it is installed, even if only PyTorch is used"),
    ),
    public=public,
    preload=True,
)
