from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from surrogate_core.drivers.base import Unsupported
from surrogate_core.drivers.smooth import DEFINITION, smooth

X = np.array([-1.0, 2.0])


class Bound:
    alpha = 3.0

    def __call__(self, x: Any) -> Any:
        return x >= 0

    def surrogate_fun(self, x: Any) -> Any:
        return self.alpha * x


class Static:
    alpha = 3.0

    def __call__(self, x: Any) -> Any:
        return x >= 0

    @staticmethod
    def primitive_function(x: Any, alpha: Any) -> Any:
        return x * alpha


class Abstract(Bound):
    def surrogate_fun(self, x: Any) -> Any:
        raise NotImplementedError


class Lacking:
    def __call__(self, x: Any) -> Any:
        return x >= 0

    @staticmethod
    def primitive_function(x: Any, width: Any) -> Any:
        return x * width


class Broken(Bound):
    def surrogate_fun(self, x: Any) -> Any:
        raise ValueError("my own mistake")


@pytest.mark.parametrize("made", [Bound, Static])
def test_a_smooth_function_is_found_with_its_parameters(made: Any) -> None:
    np.testing.assert_array_equal(smooth(made())(X), 3 * X)


def test_a_function_may_carry_one() -> None:
    spike = partial(np.greater, 0)
    spike.smooth = np.tanh  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_array_equal(smooth(spike)(X), np.tanh(X))


@pytest.mark.parametrize("made", [Lacking, lambda: np.sign, lambda: None])
def test_none_is_offered(made: Any) -> None:
    with pytest.raises(Unsupported, match="none is offered"):
        smooth(made())


def test_one_that_is_not_implemented_is_none() -> None:
    with pytest.raises(Unsupported, match="not implemented"):
        smooth(Abstract())(X)


def test_its_own_exception_comes_through() -> None:
    with pytest.raises(ValueError, match="my own mistake"):
        smooth(Broken())(X)


def test_a_script_finds_the_same() -> None:
    found: dict[str, Any] = {}
    exec(DEFINITION, found)
    for made in (Bound, Static):
        np.testing.assert_array_equal(found["smooth"](made(), X), 3 * X)
