from __future__ import annotations

import json
from typing import Any

import pytest
from handmade import case
from hypothesis import given
from hypothesis import strategies as st

from surrogate_core.errors import BadInput
from surrogate_core.properties import PROPERTIES, Case, Search
from surrogate_core.properties.examples import LONGEST, decode, encode
from surrogate_core.properties.instances import INSTANCES, Call, Play
from surrogate_core.properties.shape import SHAPE
from surrogate_core.properties.stacks import STACKS, Layer, Stack

SEARCHES = [p for p in PROPERTIES if isinstance(p, Search)]
PLAY = Play(((("alpha", 1.0),), (("alpha", 40.0),)), (Call(1, "late vjp", 2, (1.0, -2.0)), Call()))
STACK = Stack("jacrev", (Layer("vmap", True, 1, 2), Layer("jit", False)))


@pytest.mark.parametrize("judged", SEARCHES, ids=lambda p: p.id)
@given(data=st.data())
def test_whatever_is_drawn_is_restored_from_a_short_text(judged: Search, data: st.DataObject) -> None:
    where = case(framework=data.draw(st.sampled_from(["jax", "torch"])))
    example = data.draw(judged.examples(where))
    text = encode(example)
    assert 0 < len(text) <= 3_000
    assert judged.restored(where, text) == example


def test_an_example_that_is_too_long_is_not_stored() -> None:
    assert encode([1.0] * LONGEST) == ""
    with pytest.raises(ValueError, match="more than"):
        decode(list[float], json.dumps([1.0] * LONGEST))


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "3", "[true]", '["1"]', "[1.5]", "[NaN]", "[[1]]", "{}", "[" * 5_000, "[" * 5_000 + "]" * 5_000],
)
def test_what_is_no_list_of_whole_numbers_is_refused_as_one(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (json's own errors, too, are ValueErrors)
        decode(list[int], text)


@pytest.mark.parametrize("text", ["[NaN]", "[Infinity]", "[true]", '["1"]'])
def test_numbers_are_finite(text: str) -> None:
    with pytest.raises(ValueError, match="where"):
        decode(list[float], text)


def changed(example: Any, *path: Any, to: Any) -> str:
    """An example as text, with one part of it replaced."""
    stored = json.loads(encode(example))
    part = stored
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = to
    return json.dumps(stored)


@pytest.mark.parametrize(
    ("judged", "text"),
    [
        (SHAPE, "[[100000,100000]]"),
        (SHAPE, "[[-1]]"),
        (SHAPE, "[[1,1,1,1,1,1,1]]"),
        (SHAPE, "[[],[],[],[],[]]"),
        (SHAPE, '[["3"]]'),
        (STACKS, changed([STACK], 0, "operation", to="__import__('os')")),
        (STACKS, changed([STACK], 0, "operation", to=["vjp"])),
        (STACKS, changed([STACK], 0, "layers", 0, "name", to="transposed")),
        (STACKS, changed([STACK], 0, "layers", to=[json.loads(encode(STACK.layers[0]))] * 5)),
        (STACKS, changed([STACK], 0, "more", to=1)),
        (STACKS, encode([STACK] * 6)),
        (INSTANCES, changed(PLAY, "calls", 0, "instance", to=2)),
        (INSTANCES, changed(PLAY, "calls", 0, "instance", to=-1)),
        (INSTANCES, changed(PLAY, "calls", 0, "turn", to=1_000_000)),
        (INSTANCES, changed(PLAY, "calls", 0, "operation", to="grad")),
        (INSTANCES, changed(PLAY, "calls", 0, "weights", to=[])),
        (INSTANCES, changed(PLAY, "calls", to=[])),
        (INSTANCES, changed(PLAY, "instances", to=[])),
        (INSTANCES, changed(PLAY, "instances", 0, 0, 0, to="beta")),
    ],
)
def test_what_could_not_have_been_drawn_is_refused(judged: Search, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (what is wrong is told in many words)
        judged.restored(case(), text)


def test_a_parameter_outside_its_domain_is_refused() -> None:
    with pytest.raises(BadInput, match="alpha=-1"):
        INSTANCES.restored(case(), changed(PLAY, "instances", 0, 0, 1, to=-1.0))


def test_a_transformation_of_another_framework_is_refused() -> None:
    where: Case = case(framework="torch")
    with pytest.raises(ValueError, match="beyond those that are drawn"):
        STACKS.restored(where, encode([Stack("vjp", (Layer("scan", True),))]))
