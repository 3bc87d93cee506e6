from __future__ import annotations

import functools
from dataclasses import replace

import hypothesis
import numpy as np
import pytest
from handmade import bound, case, failed, found_on_paper, judge, passed, simplest_example
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from surrogate_core.drivers.base import Observation, Request, Transform, Unsupported
from surrogate_core.properties import Case
from surrogate_core.properties.base import Requests
from surrogate_core.properties.outcome import Outcome
from surrogate_core.properties.stacks import (
    DEPTH,
    INNER,
    OPERATIONS,
    OUTER,
    SINGLES,
    STACKS,
    Layer,
    Stack,
    _request,  # pyright: ignore[reportPrivateUsage]  (what of a stack can be had)
    expected,
)

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


def batches(where: Case, seed: int) -> list[list[Stack]]:
    """What a check with a seed draws."""
    found: list[list[Stack]] = []

    def keep(batch: list[Stack]) -> None:
        found.append(batch)

    settings = hypothesis.settings(
        max_examples=STACKS.wanted(where),
        phases=[Phase.generate],
        database=None,
        derandomize=False,
        suppress_health_check=[HealthCheck.too_slow],
    )
    hypothesis.seed(seed)(settings(given(STACKS.examples(where))(keep)))()
    return found


@functools.cache
def by_chance(framework: str) -> list[Request]:
    """What `standard` draws with twenty seeds beyond the first batch of each, which is the simplest."""
    where = case(framework=framework, profile="standard")
    found = [batches(where, seed) for seed in range(20)]
    assert {stack for first, *_ in found for stack in first} == {Stack("grad", ())}
    return [_request(where, stack) for _, *further in found for batch in further for stack in batch]


def below_a_vmap(transforms: tuple[Transform, ...]) -> bool:
    """Whether some custom_vmap is batched."""
    names = [t.name for t in transforms]
    return "custom_vmap" in names and "vmap" in names[names.index("custom_vmap") :]


@pytest.mark.parametrize(("framework", "own"), [("jax", 1), ("torch", 0)])
def test_few_of_the_drawn_stacks_are_bare(framework: str, own: int) -> None:
    depths = np.array([len(request.inner) + len(request.outer) - own for request in by_chance(framework)])
    assert (depths == 0).mean() < 0.15
    assert (depths >= 3).mean() > 0.2


def test_a_custom_vmap_is_often_drawn_below_a_vmap_and_inside_too() -> None:
    requests = by_chance("jax")
    assert np.mean([below_a_vmap(request.outer) for request in requests]) > 0.1
    assert {r.operation for r in requests if below_a_vmap(r.inner)} == {"jvp", "value"}


def test_a_custom_vmap_inside_is_left_out_where_jax_cannot_differentiate_it() -> None:
    batched = (Layer("custom_vmap", True), Layer("vmap", True))
    for operation in OPERATIONS["jax"]:
        names = [t.name for t in _request(case(), Stack(operation, batched)).inner]
        assert names == (["custom_vmap", "vmap"] if operation in ("jvp", "value") else ["vmap"])
    around = Stack("jvp", (Layer("custom_vmap", True), Layer("vmap", False)))
    assert _request(case(), around).inner == ()


def test_a_batching_rule_and_a_vmap_of_a_vmap_are_always_judged() -> None:
    batched = "vmap(in_axes=1, out_axes=0)"
    assert f"jit({batched}(custom_vmap(grad(spike))))" in bound(STACKS, case())[0]
    twice = f"vmap(in_axes=2, out_axes=1)({batched}(vjp(spike))), weighted"
    assert twice in bound(STACKS, case(framework="torch"))[0]
    assert f"jit({twice.removesuffix(', weighted')}), weighted" in bound(STACKS, case())[0]


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
    assert outcome.measured.startswith("derivative[0, 0, 2] = ")


def test_a_stack_that_forgets_which_cotangent_is_whose_is_told() -> None:
    name = "jit(vjp(scan(spike))), weighted"
    request = bound(STACKS, case())[0][name]
    assert request.direction is not None
    mixed_up = right(replace(request, direction=np.flip(request.direction)))
    assert failed(judge(STACKS, case(), instead={name: mixed_up})).measured.startswith("derivative[0, 0, 2] = ")


@pytest.mark.parametrize(
    ("stack", "told"),
    [
        (Stack("vjp"), "derivative[0, 0, 2] = 2"),
        (Stack("grad", (Layer("vmap", False, 2),)), "derivative[2, 0, 0] = 2"),
        (Stack("jacrev", (Layer("vmap", True, 2),)), "derivative[2, 0, 0, 0, 0, 2] = 2"),
    ],
    ids=["in place", "moved", "of a Jacobian"],
)
def test_the_element_that_is_told_is_that_of_the_simplest_input_that_fails(stack: Stack, told: str) -> None:
    assert case().sample((3, 2, 3))[0, 0, 2] == 0
    requests, verdict = bound(STACKS, case(), [stack])
    answers = {name: right(request) for name, request in requests.items()}
    name = [*requests][-1]
    answers[name] = Observation(answers[name].value, 2 * answers[name].gradient)
    outcome = failed(verdict(answers))
    assert outcome.measured == told
    assert outcome.allowed.startswith("the plain call's 1 ± ")


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


@pytest.mark.parametrize("seed", range(3))
def test_a_defect_of_two_layers_is_told_by_a_stack_of_these_two(seed: int) -> None:
    def answer(request: Request) -> Observation:
        names = {t.name for t in request.inner + request.outer}
        factor = 2 if {"checkpoint", "vmap"} <= names else 1
        seen = right(request)
        return seen if seen.derivative is None else Observation(seen.value, factor * seen.derivative)

    def settle(example: list[Stack], requests: Requests) -> Outcome:
        return STACKS.judge(where, example, {name: answer(request) for name, request in requests.items()})

    where = case(profile="thorough", seed=seed)
    outcome = failed(found_on_paper(STACKS, where, settle)[0])
    (stack,) = STACKS.restored(where, outcome.example)
    assert {layer.name for layer in stack.layers} == {"checkpoint", "vmap"}
    assert len(stack.layers) == 2
    assert outcome.given == f"{[*bound(STACKS, where, [stack])[0]][-1]}, x of shape (3, 2, 3)"


def test_what_is_simpler_than_a_stack_lacks_some_of_its_layers_the_fewest_first() -> None:
    layers = (Layer("jit", False), Layer("vmap", False, 1), Layer("jit", False))
    (parts,) = STACKS.simpler([Stack("vjp", layers, True)])
    assert [part.layers for part in parts] == [
        (), layers[:1], layers[1:2], layers[:2], (layers[0], layers[2]), layers[1:]
    ]  # fmt: skip
    assert {(part.operation, part.weighted) for part in parts} == {("vjp", True)}
    assert [*STACKS.simpler([Stack("vjp")])] == []


def test_several_stacks_are_told_apart_before_their_layers_are() -> None:
    bare, deep = Stack("grad"), Stack("grad", (Layer("jit", False),))
    assert [*STACKS.simpler([deep, bare, deep, bare])] == [[bare], [deep]]
