from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from surrogate_core.drivers import Request, Transform, Unsupported
from surrogate_core.drivers.copies import Uncopied, copied

X = np.zeros(2, np.float32)
DEEPCOPY, PICKLE = (Request("value", X, inner=(Transform(name),)) for name in ("deepcopy", "pickle"))


class Spike:
    """Answers with what it holds, so that a copy that lost it shows."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def __call__(self, x: Any) -> Any:
        return self.held


class Locked(Spike):
    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        raise RuntimeError(f"not {object()!r},\nnever")


def closure() -> Callable[[Any], Any]:
    return lambda x: x


@pytest.mark.parametrize("request_", [DEEPCOPY, PICKLE], ids=["deepcopy", "pickle"])
def test_a_copy_holds_what_the_original_holds_and_is_another_object(request_: Request) -> None:
    spike = Spike([1.0])
    other = copied(spike, request_)
    assert other is not spike
    assert other(X) == [1.0]
    assert other(X) is not spike.held


def test_without_such_a_transformation_there_is_no_copy() -> None:
    spike = Spike(1)
    assert copied(spike, Request("value", X, inner=(Transform("jit"),))) is spike


def test_a_closure_is_copied_as_itself_and_cannot_be_pickled() -> None:
    function = closure()
    assert copied(function, DEEPCOPY) is function
    with pytest.raises(Unsupported, match=r"^pickle of the function: \w+Error: Can't pickle local object") as caught:
        copied(function, PICKLE)
    assert isinstance(caught.value, Uncopied)
    assert not caught.value.instance


def test_an_object_that_refuses_is_told_apart_and_in_one_line_without_addresses() -> None:
    with pytest.raises(Uncopied) as caught:
        copied(Locked(1), DEEPCOPY)
    assert caught.value.instance
    assert str(caught.value) == "deepcopy of an instance of Locked: RuntimeError: not <object object>, never"
    with pytest.raises(Uncopied, match=r"^pickle of an instance of Spike: ") as pickled:
        copied(Spike(closure()), PICKLE)
    assert pickled.value.instance


def test_a_bound_argument_is_no_state_of_an_object() -> None:
    with pytest.raises(Uncopied) as caught:
        copied(partial(lambda bound, x: x, 1), PICKLE)
    assert not caught.value.instance


def test_an_exception_of_a_copy_survives_a_copy() -> None:
    error = Uncopied("pickle of the function: no", instance=True)
    assert (str(copy.copy(error)), copy.copy(error).instance) == (str(error), True)
