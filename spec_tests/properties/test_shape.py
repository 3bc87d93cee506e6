from __future__ import annotations

import numpy as np
import pytest
from handmade import ask, bound, case, failed, judge, passed, simplest_example

from surrogate_core.drivers.base import Observation
from surrogate_core.properties.shape import FLAT, LARGE, SHAPE, SHAPES, Shape


def test_scalars_empty_arrays_and_matrices_are_always_among_the_shapes() -> None:
    requests, _ = bound(SHAPE, case())
    assert {(), (0,), (1,)} <= {request.x.shape for request in requests.values()}
    assert simplest_example(SHAPE, case()) == []
    assert passed(judge(SHAPE, case())).figures["shapes"] == len(SHAPES)


def test_beyond_quick_the_shapes_are_large_odd_and_of_rank_six() -> None:
    sizes = [request.x.size for request in bound(SHAPE, case(profile="standard"))[0].values()]
    assert max(sizes) > 65_536
    assert {len(shape) for shape in LARGE} >= {1, 2, 6}


def test_the_shapes_of_the_example_are_judged_too() -> None:
    drawn: list[Shape] = [(2, 0, 5), (9,)]
    outcome = failed(judge(SHAPE, case(), instead={"(9,)": ask(bound(SHAPE, case())[0]["(7,)"])}, example=drawn))
    assert outcome.given == "rank 1: x of shape (9,)"


@pytest.mark.parametrize(
    ("shape", "told", "returned"),
    [((), "a scalar", (1,)), ((0,), "an empty array", ()), ((1,), "length 1", ()), ((2, 1, 3), "rank 3", (6,))],
)
def test_any_other_shape_is_rejected(shape: Shape, told: str, returned: Shape) -> None:
    wrong = np.zeros(returned, np.float32)
    right = ask(bound(SHAPE, case())[0][str(shape)])
    for what, pair in (("spikes", (wrong, right.gradient)), ("gradient", (right.value, wrong))):
        outcome = failed(judge(SHAPE, case(), instead={str(shape): Observation(*pair)}))
        assert outcome.given == f"{told}: x of shape {shape}"
        assert outcome.measured == f"{what} of shape {returned}"
        assert outcome.allowed == f"{what} of shape {shape}"


def test_the_smallest_failing_shape_is_told() -> None:
    requests, _ = bound(SHAPE, case())
    wrong = {name: ask(r, lambda x: 0 * x) for name, r in requests.items() if r.x.size >= 7 and name != FLAT}
    assert failed(judge(SHAPE, case(), instead=wrong)).given.endswith("x of shape (2, 1, 3)") is False
    assert failed(judge(SHAPE, case(), instead=wrong)).given == "rank 1: x of shape (7,)"


def test_a_last_element_that_differs_is_told_with_its_place() -> None:
    request = bound(SHAPE, case())[0]["(7,)"]
    right = ask(request)
    gradient = right.gradient.copy()
    gradient[-1] *= 1.01
    outcome = failed(judge(SHAPE, case(), instead={"(7,)": Observation(right.value, gradient)}))
    assert "(element 6)" in outcome.measured
