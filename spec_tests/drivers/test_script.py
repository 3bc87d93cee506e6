from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_core.drivers import Request, Transform
from surrogate_core.drivers.script import Dialect, literal, program
from surrogate_core.spec import FORMATS

DIALECT = Dialect(
    imports="import toy",
    array="toy.array({values}, toy.{dtype})",
    ones="toy.ones(x)",
    operations={"value": "{spike}(x)", "vjp": "toy.pull({spike}, x, v)", "grad": "toy.grad({spike})(x)"},
    nested={"vjp": "toy.nested({spike}, x, v)"},
    vmap="toy.vmap({call}, {axes}, {out})",
    transforms={"jit": "toy.jit({call})", "sliced cotangent": "toy.sliced({call})"},
    wide="toy.wide()",
)
X = np.array([0.5, -2.0], np.float32)


def written(request: Request) -> list[str]:
    return program(DIALECT, [request], ["make(k=1.0)"], "from mine import make").splitlines()


def test_a_plain_evaluation_is_one_readable_line() -> None:
    assert written(Request("value", X)) == [
        "import toy",
        "from mine import make",
        "spike = make(k=1.0)",
        "x = toy.array([0.5, -2.0], toy.float32)",
        "s = spike(x)",
        "print(s, s.dtype)",
    ]


def test_a_direction_is_written_only_where_it_is_used() -> None:
    assert "v = toy.ones(x)" in written(Request("vjp", X))
    assert "v = toy.array([0.5, -2.0], toy.float32)" in written(Request("vjp", X, direction=X))
    assert not [line for line in written(Request("grad", X)) if line.startswith("v = ")]


def test_transformations_inside_wrap_the_spike_and_outside_the_evaluation() -> None:
    inner, outer = (Transform("jit"), Transform("vmap", 1, 0)), (Transform("vmap", 0, -1),)
    assert written(Request("value", X, inner=inner))[-2] == "s = toy.vmap(toy.jit(spike), 1, 0)(x)"
    assert written(Request("vjp", X, outer=outer))[-4:] == [
        "def evaluate(x, v):",
        "    return toy.nested(spike, x, v)",
        "",
        "print(toy.vmap(evaluate, (0, 0), -1)(x, v))",
    ]


def test_only_a_vmap_around_it_makes_an_evaluation_read_otherwise() -> None:
    assert written(Request("vjp", X, outer=(Transform("sliced cotangent"),)))[-4:] == [
        "def evaluate(x, v):",
        "    return toy.pull(spike, x, v)",
        "",
        "print(toy.sliced(evaluate)(x, v))",
    ]


def test_float64_is_made_possible_after_the_implementations_import() -> None:
    lines = written(Request("value", X.astype(np.float64)))
    assert lines.index("toy.wide()") == lines.index("from mine import make") + 1
    assert "toy.wide()" not in written(Request("value", X))


def again(text: str) -> Any:
    """What Python makes of the literal: nothing but builtins in sight."""
    return eval(text, {"__builtins__": {"float": float}})


@pytest.mark.parametrize("name", FORMATS)
@given(st.integers(0, 2**64 - 1))
def test_a_literal_reproduces_every_bit_pattern(name: str, bits: int) -> None:
    fmt = FORMATS[name]
    array = np.array([bits % 2 ** (8 * fmt.dtype.itemsize)], fmt.bits_dtype).view(fmt.dtype)
    with np.errstate(all="ignore"):
        back = np.array(again(literal(array)), np.float64).astype(fmt.dtype)
        if np.isnan(array[0]):
            assert np.isnan(back[0])
        else:
            assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3), (2, 1, 3)])
def test_a_literal_keeps_the_shape(shape: tuple[int, ...]) -> None:
    array = (np.arange(np.prod(shape), dtype=np.float32) - 1.3).reshape(shape)
    np.testing.assert_array_equal(np.array(again(literal(array)), np.float32), array)


def test_a_literal_is_short_where_the_number_is() -> None:
    assert literal(np.array([0.5, -0.0, 3.0])) == "[0.5, -0.0, 3.0]"
    assert literal(np.array([np.inf, -np.inf, np.nan])) == '[float("inf"), float("-inf"), float("nan")]'
    assert literal(np.array(0.1, np.float32)) == 'float.fromhex("0x1.99999a0000000p-4")'


def test_several_evaluations_are_written_one_after_the_other() -> None:
    again = Request("value", -X, instance="b")
    lines = program(DIALECT, [Request("value", X), again, Request("value", X)], ["a()", "b()", "a()"], "").splitlines()
    assert lines[2:] == [
        "spike_1 = a()",
        "x = toy.array([0.5, -2.0], toy.float32)",
        "s = spike_1(x)",
        "print(s, s.dtype)",
        "spike_2 = b()",
        "x = toy.array([-0.5, 2.0], toy.float32)",
        "s = spike_2(x)",
        "print(s, s.dtype)",
        "x = toy.array([0.5, -2.0], toy.float32)",
        "s = spike_1(x)",
        "print(s, s.dtype)",
    ]


def test_weights_are_written_where_there_are_some() -> None:
    assert "weights = [toy.array([0.5, -2.0], toy.float32)]" in written(Request("value", X, weights=(X,)))
