from __future__ import annotations

import numpy as np
import pytest

from surrogate_core.drivers import FRAMEWORKS, Observation, Request, Transform, get_driver
from surrogate_core.drivers.base import describe
from surrogate_core.errors import BadInput

PAIR = np.array([1.0, -2.0], np.float32)


def test_requests_with_one_answer_share_a_key_and_others_do_not() -> None:
    base = Request("vjp", PAIR)
    assert base.key == Request("vjp", PAIR.copy()).key
    others = [
        Request("value", PAIR),
        Request("vjp", -PAIR),
        Request("vjp", PAIR.astype(np.float64)),
        Request("vjp", PAIR.reshape(2, 1)),
        Request("vjp", PAIR, direction=PAIR),
        Request("vjp", PAIR, inner=(Transform("jit"),)),
        Request("vjp", PAIR, outer=(Transform("jit"),)),
        Request("vjp", PAIR, outer=(Transform("vmap", 0, 0),)),
        Request("vjp", PAIR, outer=(Transform("vmap", 0, 1),)),
        Request("vjp", PAIR, device="gpu:0"),
    ]
    assert len({base.key, *(r.key for r in others)}) == 1 + len(others)


def test_a_key_tells_minus_zero_from_plus_zero_and_knows_empty_arrays() -> None:
    zero = np.zeros(1, np.float32)
    assert Request("value", zero).key != Request("value", -zero).key
    assert Request("value", zero[:0]).key == Request("value", np.zeros(0, np.float32)).key


def test_a_part_of_a_request_takes_its_part_of_the_direction() -> None:
    part = Request("vjp", PAIR, direction=np.array([3.0, 4.0], np.float32)).at(slice(1, 2))
    assert part.direction is not None
    assert (part.x.tolist(), part.direction.tolist()) == ([-2.0], [4.0])
    assert Request("vjp", PAIR).at(slice(0, 1)).direction is None


def test_an_observation_of_a_value_has_no_gradient() -> None:
    assert Observation(PAIR, PAIR).gradient is PAIR
    with pytest.raises(ValueError, match="a value was observed, no derivative"):
        _ = Observation(PAIR).gradient


def test_an_evaluation_is_described_from_the_inside_out() -> None:
    jit, batch = Transform("jit"), Transform("vmap", 1, 0)
    assert describe("value", (), ()) == "spike"
    assert describe("vjp", (batch,), (jit,)) == "jit(vjp(vmap(in_axes=1, out_axes=0)(spike)))"
    assert describe("value", (jit,), ()) == "jit(spike)"


def test_an_unknown_framework_names_its_near_misses() -> None:
    assert get_driver("jax") is get_driver("jax")
    with pytest.raises(BadInput, match=r"framework 'trch'\n.*auto, jax or torch\n.*did you mean torch"):
        get_driver("trch")


def test_a_framework_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in FRAMEWORKS:
        with pytest.raises(BadInput, match=rf"not installed\n.*\n.*pip install 'surrogate_core\[{name}\]'"):
            get_driver.__wrapped__(name)


def test_what_was_called_before_and_how_often_are_part_of_the_key() -> None:
    base = Request("vjp", PAIR)
    others = [
        Request("vjp", PAIR, warm=-PAIR),
        Request("vjp", PAIR, warm=2 * PAIR),
        Request("vjp", PAIR, instance="another"),
        Request("vjp", PAIR, parameters=(("alpha", 2.0),)),
        Request("vjp", PAIR, turn=1),
        Request("vjp", PAIR, threads=2),
        Request("vjp", PAIR, inner=(Transform("deepcopy"),)),
    ]
    assert len({base.key, *(r.key for r in others)}) == 1 + len(others)
    part = Request("vjp", PAIR, warm=-PAIR).at(slice(0, 1)).warm
    assert part is not None
    assert part.tolist() == [-1.0]
