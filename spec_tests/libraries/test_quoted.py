"""What the catalogue says of a library's documentation that contradicts itself stands there, in both places."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FIRES = r"1 & \\text{if U ≥ U$_{\\rm thr}$}"
SILENT = r"For :math:`U[T] > U_{\\rm thr} ⇒ S[T+1] = 1`"

WRITTEN = {
    "snntorch/surrogate.py": (FIRES,),
    "snntorch/_neurons/leaky.py": (SILENT, "Threshold for :math:`mem` to reach"),
    "snntorch/_neurons/neurons.py": ('def fire(self, mem):\n        """Generates spike if mem > threshold.',),
    "rockpool/nn/modules/torch/lif_torch.py": (
        "exceeds the threshold voltage :math:`V_{thr}`, then the neuron emits a spike",
        "V_{mem, j} > V_{thr}",
        "learning_window (float): Cutoff value for the surrogate gradient",
        "max_spikes_per_dt (float): The maximum number of events that will be produced in a single time-step",
    ),
    "rockpool/nn/modules/torch/lif_neuron_torch.py": (
        "exceeds the threshold voltage :math:`V_{thr} = 0`, then the neuron emits a spike",
        "V_{mem, j} > V_{thr}",
        "the firing threshold of each neuron. If not provided, ``1.`` will be used by default",
    ),
    "spikingjelly/activation_based/surrogate.py": (
        r"\beta \mathrm{ln}(x + 1) + 1, x \ge 0",
        "beta * torch.log((x + 1.0).abs_() + 1e-5) + 0.5",
    ),
}
"""File -> what is quoted of it, as it is printed there."""


def source(package: str, *parts: str) -> Path:
    """A file or folder of an installed package, which is not imported; skips where it is not installed."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{package} is not installed")
    return Path(found.submodule_search_locations[0]).joinpath(*parts)


@pytest.mark.parametrize("file", WRITTEN)
def test_it_stands_in_the_file(file: str) -> None:
    package, *parts = file.split("/")
    text = source(package, *parts).read_text()
    assert [quoted for quoted in WRITTEN[file] if quoted not in text] == []


def test_nine_neurons_of_snntorch_are_silent_at_the_threshold_which_mem_is_to_reach_in_all_but_one() -> None:
    texts = [path.read_text() for path in source("snntorch", "_neurons").glob("*.py")]
    silent = [text for text in texts if SILENT in text]
    assert len(silent) == 9
    assert sum("for :math:`mem` to reach" in text for text in silent) == 8


def test_a_neuron_of_rockpool_says_nothing_of_the_window_or_of_the_most_spikes() -> None:
    text = source("rockpool", "nn", "modules", "torch", "lif_neuron_torch.py").read_text()
    assert "Cutoff value" not in text
    assert "maximum number of events" not in text
