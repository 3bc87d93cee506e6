"""Every operation, under every transformation, answers as on paper; what is missing is told."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from drivers.jax_made import CUBE, JIT, VMAP, WEIGHTS, Spike, X, agree, observe, reverse_only
from jax.extend.core import Primitive

from surrogate_core.drivers import BrokenContract, Request, Transform, Unsupported


@pytest.mark.parametrize("operation", ["value", "vjp", "jvp", "grad", "jacrev", "jacfwd"])
@pytest.mark.parametrize("place", ["plain", "inner", "outer"])
def test_every_operation_answers_plainly_and_compiled(operation: Any, place: str) -> None:
    agree(Request(operation, X, inner=(JIT,) * (place == "inner"), outer=(JIT,) * (place == "outer")))


@pytest.mark.parametrize("operation", ["vjp", "jvp"])
def test_a_direction_is_pulled_back_and_pushed_forward(operation: Any) -> None:
    agree(Request(operation, X, direction=np.array([0, -1, 2, 0.5, 3, -4], np.float32)))


def test_batched_over_an_axis_of_the_whole_results_move() -> None:
    agree(Request("vjp", CUBE, direction=WEIGHTS, outer=(VMAP,)))
    agree(Request("vjp", CUBE, outer=(Transform("vmap", -1, 0), JIT)))
    agree(Request("jvp", CUBE, direction=WEIGHTS, outer=(VMAP,)))


def test_batched_over_an_axis_of_the_spike_function_the_spikes_move() -> None:
    agree(Request("value", CUBE, inner=(VMAP,)))
    agree(Request("vjp", CUBE, direction=np.moveaxis(WEIGHTS, 1, 2), inner=(VMAP,)))
    agree(Request("vjp", CUBE, direction=np.moveaxis(WEIGHTS, 1, 2), inner=(JIT, VMAP), outer=(JIT,)))


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 1, 3)])
def test_every_shape_comes_back(shape: tuple[int, ...]) -> None:
    agree(Request("vjp", np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)))


@pytest.mark.parametrize(
    ("answer", "named"),
    [(lambda x: None, "None"), (lambda x: (x, x), "a tuple"), (lambda x: 1.0, "a float"), (np.asarray, "a ndarray")],
)
def test_what_is_no_array_breaks_the_contract(answer: Spike, named: str) -> None:
    with pytest.raises(BrokenContract, match=rf"returned {named} for a jax.Array of dtype float32 and shape \(6,\)"):
        observe(Request("value", X), answer)


def test_a_shape_that_takes_no_cotangent_breaks_the_contract() -> None:
    with pytest.raises(BrokenContract, match=r"returned the shape \(\); expected \(6,\)"):
        observe(Request("vjp", X, direction=X), lambda x: x.sum())


@pytest.mark.parametrize("operation", ["jvp", "jacfwd"])
def test_forward_mode_of_a_custom_vjp_is_unsupported(operation: Any) -> None:
    observe(Request("vjp", X), reverse_only)
    with pytest.raises(Unsupported, match=r"^forward mode: .*custom_vjp"):
        observe(Request(operation, X), reverse_only)


def test_a_missing_rule_is_unsupported() -> None:
    mystery = Primitive("mystery")
    mystery.def_impl(lambda x: x)
    observe(Request("value", X), mystery.bind)
    # Without a derivative there is no surrogate: that is the implementation's own exception.
    with pytest.raises(NotImplementedError, match="Differentiation rule for 'mystery' not implemented"):
        observe(Request("vjp", X), mystery.bind)
    with pytest.raises(Unsupported, match=r"^batching: .*mystery"):
        observe(Request("value", CUBE, inner=(VMAP,)), mystery.bind)


@pytest.mark.parametrize("kind", [TypeError, ValueError, KeyError])
def test_the_implementations_own_exception_comes_through(kind: type[Exception]) -> None:
    def broken(x: jax.Array) -> jax.Array:
        raise kind("my own mistake")

    with pytest.raises(kind, match="my own mistake"):
        observe(Request("value", X), broken)


def test_what_jax_lacks_is_unsupported() -> None:
    for name in ("transposed", "sliced", "expanded", "no_grad", "inference_mode", "autocast"):
        with pytest.raises(Unsupported, match=f"^{name}: JAX has nothing of that kind"):
            observe(Request("value", X, inner=(Transform(name),)))
