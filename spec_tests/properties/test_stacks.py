from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from handmade import bound, case, failed, judge, passed, simplest_example
from hypothesis import given
from hypothesis import strategies as st

from surrogate_core.drivers.base import Observation, Request, Transform, Unsupported
from surrogate_core.properties.stacks import DEPTH, INNER, OUTER, SINGLES, STACKS, Layer, Stack, expected

X = np.arange(6, dtype=np.float32).reshape(2, 3)
SPIKES, SLOPES = X + 10, X + 20


def right(request: Request) -> Observation:
    """What an implementation answers whose every transformation is right."""
    seen = request.x.reshape(-1).astype(np.float64)
    weights = 1.0 if request.direction is None else request.direction.reshape(-1).astype(np.float64)
    value, derivative = expected(request, np.where(seen >= 0, 1.0, 0.0), weights * np.exp(-0.7 * np.abs(seen)))
    dtype = request.x.dtype
    return Observation(value.astype(dtype), None if derivative is None else derivative.astype(dtype))


def test_without_transformations_everything_lies_as_the_input() -> None:
    value, derivative = expected(Request("vjp", X), SPIKES, SLOPES)
    np.testing.assert_array_equal(value, SPIKES)
    np.testing.assert_array_equal(derivative, SLOPES)


def test_an_inner_vmap_lays_out_the_spikes_and_leaves_what_is_pulled_back() -> None:
    inner = (Transform("vmap", 1, 0),)
    value, pulled = expected(Request("vjp", X, inner=inner), SPIKES, SLOPES)
    np.testing.assert_array_equal(value, SPIKES.T)
    np.testing.assert_array_equal(pulled, SLOPES)
    _, pushed = expected(Request("jvp", X, inner=inner), SPIKES, SLOPES)
    np.testing.assert_array_equal(pushed, SLOPES.T)


def test_an_outer_vmap_lays_out_both() -> None:
    value, derivative = expected(Request("grad", X, outer=(Transform("vmap", 1, 0),)), SPIKES, SLOPES)
    np.testing.assert_array_equal(value, SPIKES.T)
    np.testing.assert_array_equal(derivative, SLOPES.T)


def test_a_jacobian_is_diagonal_wherever_its_axes_are() -> None:
    value, jacobian = expected(Request("jacrev", X, inner=(Transform("vmap", 1, 0),)), SPIKES, SLOPES)
    assert jacobian is not None
    assert jacobian.shape == value.shape + X.shape
    for row, column in np.ndindex(2, 3):
        assert jacobian[column, row, row, column] == SLOPES[row, column]
    assert np.count_nonzero(jacobian) == X.size


def test_loops_are_rows_and_other_layers_change_nothing() -> None:
    outer = (Transform("jit"), Transform("checkpoint"), Transform("scan"))
    value, derivative = expected(Request("grad", X, outer=outer), SPIKES, SLOPES)
    np.testing.assert_array_equal(value, SPIKES)
    np.testing.assert_array_equal(derivative, SLOPES)


@pytest.mark.parametrize("framework", ["jax", "torch"])
@given(data=st.data())
def test_every_drawn_stack_can_be_built_and_its_axes_are_within_the_rank(framework: str, data: st.DataObject) -> None:
    where = case(framework=framework)
    stacks = data.draw(STACKS.examples(where))
    requests, verdict = bound(STACKS, where, stacks)
    for request in requests.values():
        assert len(request.inner) + len(request.outer) <= DEPTH + 1
        assert {t.name for t in request.inner} <= set(INNER[framework])
        assert {t.name for t in request.outer} <= {*OUTER[framework], "jit"}
    passed(verdict({name: right(request) for name, request in requests.items()}))


def test_the_single_transformations_are_always_judged() -> None:
    names = set(bound(STACKS, case())[0])
    assert {"jit(while(grad(spike)))", *(f"jit(vjp({name}(spike))), weighted" for name in ("scan", "cond"))} <= names
    assert len(names) >= len(SINGLES["jax"])


def test_a_stack_that_differs_is_told_and_the_shortest_first() -> None:
    deep = Stack("grad", (Layer("scan", False), Layer("cond", False)))
    requests, _ = bound(STACKS, case(), [deep])
    wrong = {name: Observation(right(r).value, 2 * right(r).gradient) for name, r in requests.items() if "scan" in name}
    outcome = failed(judge(STACKS, case(), instead=wrong, example=[deep]))
    assert outcome.given == "jit(vjp(scan(spike))), weighted, x of shape (3, 2, 3)"
    assert outcome.measured.startswith("derivative[0, 0, 0] = ")


def test_a_stack_that_forgets_which_cotangent_is_whose_is_told() -> None:
    name = "jit(vjp(scan(spike))), weighted"
    request = bound(STACKS, case())[0][name]
    assert request.direction is not None
    mixed_up = right(replace(request, direction=np.flip(request.direction)))
    assert failed(judge(STACKS, case(), instead={name: mixed_up})).measured.startswith("derivative[0, 0, 0] = ")


def test_a_direction_is_given_where_the_function_itself_moves_no_axes() -> None:
    drawn = [Stack("vjp", (Layer("vmap", True, 0, out),), weighted=True) for out in (0, 1)]
    requests, _ = bound(STACKS, case(), drawn)
    batched = [r for r in requests.values() if any(t.name == "vmap" for t in r.inner)]
    assert {r.inner[0].out_axis: r.direction is not None for r in batched} == {0: True, 1: False}


@pytest.mark.parametrize("what", ["spikes", "derivative"])
@pytest.mark.parametrize("flaw", ["shape", "dtype"])
def test_another_shape_or_dtype_is_rejected(what: str, flaw: str) -> None:
    name = "jit(vjp(scan(spike))), weighted"
    answer = right(bound(STACKS, case())[0][name])
    spoiled = {"shape": lambda a: a[0], "dtype": lambda a: a.astype(np.float64)}[flaw]
    pair = (spoiled(answer.value), answer.gradient) if what == "spikes" else (answer.value, spoiled(answer.gradient))
    outcome = failed(judge(STACKS, case(), instead={name: Observation(*pair)}))
    assert outcome.measured.startswith(f"{what} of {flaw} ")


def test_what_the_implementation_lacks_is_left_out_and_said() -> None:
    missing = Unsupported("forward mode: no rule")
    drawn = [Stack("jvp", ())]
    outcome = passed(judge(STACKS, case(), instead={"jit(jvp(spike))": missing}, example=drawn))
    assert outcome.figures["left_out"] == 1
    assert outcome.remarks == ("stacks that need it were left out: forward mode: no rule",)


def test_the_simplest_example_is_trivial() -> None:
    assert set(simplest_example(STACKS, case())) == {Stack("grad", ())}
