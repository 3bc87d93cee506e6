from __future__ import annotations

import math
from collections.abc import Callable

import hypothesis
import numpy as np
import pytest
from handmade import ask, bound, case, failed, judge, passed, simplest_example
from hypothesis import Phase, given

from surrogate_core.drivers.base import Observation
from surrogate_core.properties.shape import COUNT, FLAT, FURTHER, SHAPE, SHAPES, Shape


def test_scalars_empty_arrays_and_matrices_are_always_among_the_shapes() -> None:
    requests, _ = bound(SHAPE, case())
    assert {(), (0,), (1,)} <= {request.x.shape for request in requests.values()}
    assert simplest_example(SHAPE, case()) == [()] * COUNT
    assert passed(judge(SHAPE, case())).figures["shapes"] == len(SHAPES)


@pytest.mark.parametrize(
    ("what", "wanted"),
    [
        *((f"rank {rank}", lambda s, rank=rank: len(s) == rank and math.prod(s) > 1) for rank in range(1, 7)),
        ("a row", lambda s: len(s) == 2 and s[0] == 1),
        ("a column", lambda s: len(s) == 2 and s[1] == 1),
        ("even by even", lambda s: len(s) == 2 and s[0] % 2 == s[1] % 2 == 0),
        ("odd by odd", lambda s: len(s) == 2 and s[0] % 2 == s[1] % 2 == 1 and min(s) > 1),
        ("wide, in whole tiles", lambda s: len(s) == 2 and s[1] >= 512 and s[0] % 8 == s[1] % 128 == 0),
        ("tall", lambda s: len(s) == 2 and s[0] >= 1024),
        ("whole lanes at rank 3", lambda s: len(s) == 3 and s[2] == 128),
        ("an empty batch", lambda s: len(s) > 1 and math.prod(s) == 0),
        *((f"over 65,536 at rank {n}", lambda s, n=n: len(s) == n and math.prod(s) > 65_536) for n in (1, 2)),
    ],
)
def test_beyond_quick_a_way_that_an_implementation_may_take_has_a_shape(
    what: str, wanted: Callable[[Shape], bool]
) -> None:
    shapes = [request.x.shape for request in bound(SHAPE, case(profile="standard"))[0].values()]
    assert [shape for shape in shapes if wanted(shape)], what
    assert set(FURTHER) <= set(shapes)


@pytest.mark.parametrize("seed", range(3))
def test_shapes_are_drawn_in_lists_of_one_length(seed: int) -> None:
    drawn: list[list[Shape]] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=2, database=None, phases=(Phase.generate,))
    @given(SHAPE.examples(case()))
    def draw(shapes: list[Shape]) -> None:
        drawn.append(shapes)

    draw()
    assert [len(shapes) for shapes in drawn] == [COUNT, COUNT]


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
