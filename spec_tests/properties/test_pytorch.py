from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from handmade import DTYPES, ask, case, failed, judge, passed, slayer

from surrogate_core.drivers.base import Observation
from surrogate_core.properties.pytorch import AUTOCAST, GRAD_MODES, LAYOUT

WHERE = case(framework="torch")
LAYOUTS = ("transposed", "sliced", "expanded", "channels_last")
ARRIVING = ("transposed cotangent", "sliced cotangent", "expanded cotangent", "repeated cotangent")
MODES = ("no_grad", "inference_mode")


@pytest.mark.parametrize("judged", [LAYOUT, GRAD_MODES, AUTOCAST], ids=lambda p: p.id)
def test_only_pytorch_has_them(judged: Any) -> None:
    assert judged.frameworks == ("torch",)
    for name, request in judged.observe(WHERE).items():
        plain = name == "plain" or name.endswith(", contiguous")
        assert [t.name for t in request.inner + request.outer] == ([] if plain else [name])


@pytest.mark.parametrize(("judged", "name"), [*((LAYOUT, name) for name in LAYOUTS), (AUTOCAST, "autocast")])
def test_another_gradient_is_rejected_by_name(judged: Any, name: str) -> None:
    answer = ask(judged.observe(WHERE)[name])
    swapped = Observation(answer.value, answer.gradient.swapaxes(0, 1).reshape(answer.gradient.shape))
    outcome = failed(judge(judged, WHERE, instead={name: swapped}))
    assert outcome.given == f"{name}, x of shape (2, 3, 4, 5)"
    assert outcome.measured.startswith("gradient[")
    assert outcome.severity is not None
    assert outcome.witness is not None


@pytest.mark.parametrize("name", ARRIVING)
def test_a_cotangent_in_another_layout_is_compared_with_the_same_numbers_contiguous(name: str) -> None:
    requests = LAYOUT.observe(WHERE)
    plain = requests[f"{name}, contiguous"]
    assert requests[name].direction is plain.direction
    answer = ask(requests[name])
    lost = answer.gradient.copy()
    lost[..., 1:] = 0
    outcome = failed(judge(LAYOUT, WHERE, instead={name: Observation(answer.value, lost)}))
    assert "cotangent" in outcome.given
    assert outcome.given.endswith(", x of shape (2, 3, 4, 5)")
    assert outcome.measured.endswith("= 0")
    assert outcome.witness is not None
    assert outcome.witness.request.key == requests[name].key


def test_the_cotangents_of_sums_are_those_that_their_layout_can_hold_and_not_ones() -> None:
    requests = LAYOUT.observe(WHERE)
    expanded, repeated = (requests[f"{name} cotangent"].direction for name in ("expanded", "repeated"))
    assert expanded is not None
    assert repeated is not None
    (one,) = np.unique(expanded)
    assert one not in (0, 1)
    assert (repeated == repeated[:1]).all()
    assert np.unique(repeated).size > 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_autocast_must_not_change_the_dtype_or_round_to_a_narrower_one(dtype: str) -> None:
    where = case(dtype, framework="torch")
    answer = ask(AUTOCAST.observe(where)["autocast"])
    other = np.float64 if dtype == "float32" else np.float32
    narrow = Observation(answer.value.astype(other), answer.gradient)
    outcome = failed(judge(AUTOCAST, where, instead={"autocast": narrow}))
    assert (outcome.measured, outcome.allowed) == (f"spikes of {np.dtype(other).name}", f"spikes of {dtype}")
    u = where.format.unit_roundoff
    coarse = ask(AUTOCAST.observe(where)["autocast"], derivative=lambda x: slayer()(x) * (1 + 60 * u))
    assert failed(judge(AUTOCAST, where, instead={"autocast": coarse})).measured.startswith("gradient[")


@pytest.mark.parametrize("name", MODES)
def test_modes_without_a_graph_must_give_the_same_spikes(name: str) -> None:
    request = GRAD_MODES.observe(WHERE)[name]
    silent = ask(request, lambda x: np.where(x > 0, 1.0, 0.0))
    outcome = failed(judge(GRAD_MODES, WHERE, instead={name: silent}))
    assert outcome.given == f"{name}, x of shape (2, 3, 4, 5)"
    assert (outcome.measured, outcome.allowed) == ("spikes[0, 0, 0, 2] = 0", "the plain call's 1 ± 0")
    wide = Observation(ask(request).value.astype(np.float64))
    assert failed(judge(GRAD_MODES, WHERE, instead={name: wide})).measured == "spikes of float64"


def test_the_plain_call_is_the_measure_and_not_the_spec() -> None:
    for judged in (LAYOUT, GRAD_MODES, AUTOCAST):
        passed(judge(judged, WHERE, np.zeros_like, lambda x: 3 * slayer()(x)))


def test_what_was_judged_is_named() -> None:
    assert passed(judge(LAYOUT, WHERE)).figures == {"under": [*LAYOUTS, *ARRIVING]}
    assert passed(judge(GRAD_MODES, WHERE)).figures == {"under": list(MODES)}
