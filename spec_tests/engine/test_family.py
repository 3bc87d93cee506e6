from __future__ import annotations

import pytest

from surrogate_core import libraries
from surrogate_core.engine.family import CALLED, TITLES, family


@pytest.mark.parametrize(
    "names",
    [
        ("braintools.QPseudoSpike", "braintools.q_pseudo_spike", "spikingjelly.QPseudoSpike"),
        ("braintools.PiecewiseLeakyRelu", "spikingjelly.PiecewiseLeakyReLU"),
        ("sinabs.PeriodicExponential", "rockpool.PeriodicExponential"),
        ("norse.superspike_fn", "spikingjelly.SuperSpike", "snntorch.fast_sigmoid", "snnax.superspike_surrogate"),
        ("snntorch.atan", "braintools.Arctan", "spikingjelly.ATan", "spyx.arctan"),
        ("snnax.sigmoid_surrogate", "snntorch.sigmoid", "spikingjelly.Sigmoid"),
        ("norse.triangle_fn", "snntorch.triangular", "spyx.triangular", "braintools.ReluGrad"),
        ("snntorch.heaviside", "sinabs.Heaviside"),
        ("braintools.GaussianGrad", "sinabs.Gaussian"),
        ("braintools.MultiGaussianGrad", "sinabs.MultiGaussian"),
        ("norse.heavi_erfc_fn", "braintools.ERF", "spikingjelly.Erf"),
        ("rockpool.UpDownTorch.StepPWL", "rockpool_jax.step_pwl"),
        ("surrogate_core.SlayerGrad", "braintools.slayer_grad"),
    ],
)
def test_one_name_is_one_family_in_every_library(names: tuple[str, ...]) -> None:
    (title,) = {family(name) for name in names}
    assert title in CALLED


def test_other_names_are_other_families() -> None:
    names = ("a.Gaussian", "a.MultiGaussian", "a.LeakyRelu", "a.PiecewiseLeakyRelu", "a.relu_grad", "snntorch.SFS")
    assert len({family(name) for name in names}) == len(names)


def test_an_unknown_name_is_its_words() -> None:
    assert family("ramps.steep_ramp_fn") == family("ramps.SteepRamp") == "Steep ramp"
    assert family("ramps.grad") == "Grad"
    assert family("ramps._") == "ramps._"


def test_no_name_has_two_families_and_none_is_of_nobody() -> None:
    assert sum(map(len, CALLED.values())) == len(TITLES)
    used = {family(name) for name in libraries.entries()}
    assert not CALLED.keys() - used
