"""Surrogates whose tail is flushed on the way to the result, and those that lose it in a way of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from sympy import Abs, Interval, Symbol, exp, oo, sech

import surrogate_core
from surrogate_core.spec import Even, Parameter, Peak, Spec, x

alpha = Symbol("alpha", positive=True)
E = exp(-alpha * Abs(x))


def sigmoid(gradient: Any) -> Spec:
    parameter = Parameter(alpha, default=4.0, domain=Interval.open(0, oo), typical=(1, 25))
    return Spec("sigmoid", "Sigmoid", "nowhere", gradient, (parameter,), claims=(Peak(alpha / 4), Even()))


FORMS = {
    "by exp": sigmoid(alpha * E / (1 + E) ** 2),
    "by sech": sigmoid(alpha * sech(alpha * x / 2) ** 2 / 4),
}
"""One function, written in two ways."""


def surrogate(derivative: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def make(alpha: float) -> Callable[[Any], Any]:
        @jax.custom_jvp
        def spike(x: Any) -> Any:
            return (x >= 0).astype(x.dtype)

        @spike.defjvp
        def rule(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
            return spike(*primals), derivative(*primals, alpha) * tangents[0]

        return spike

    return make


def plain(x: Any, a: float) -> Any:
    """The exponential is flushed where its product with a is still a normal number."""
    e = jnp.exp(-a * jnp.abs(x))
    return a * e / (1 + e) ** 2


def twice(x: Any, a: float) -> Any:
    s = 1 / (1 + jnp.exp(a * jnp.abs(x)))
    return a * s * (1 - s)


def cut(x: Any, a: float) -> Any:
    """As by a guard against underflow that is a few powers of two too careful."""
    e = jnp.exp(-a * jnp.abs(x))
    return jnp.where(e < 8 * jnp.finfo(x.dtype).tiny, 0, a * e / (1 + e) ** 2)


def overflowing(x: Any, a: float) -> Any:
    """1 over the square of a large number is 0 long before the quotient is."""
    e = jnp.exp(a * jnp.abs(x))
    return a * jnp.where(e < 1e30, e, 1) * (1 / (1 + e) ** 2)


def accused(derivative: Any, spec: Spec, rate: float) -> set[str]:
    report = surrogate_core.check(
        surrogate(derivative),
        spec,
        params={"alpha": rate},
        properties=("gradient.*", "pointwise.*"),
        dtypes=("float32",),
    )
    return {r.property_id for r in report.results if r.outcome.state in ("failed", "errored")}


@pytest.mark.parametrize("spec", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("right", [plain, twice])
def test_an_intermediate_may_be_flushed_before_the_result_is(spec: Spec, right: Any) -> None:
    assert not accused(right, spec, 1.72)


@pytest.mark.parametrize("spec", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("wrong", [cut, overflowing])
def test_a_tail_that_ends_before_any_exponential_does_is_found(spec: Spec, wrong: Any) -> None:
    assert {"gradient.oracle", "pointwise.patterns"} <= accused(wrong, spec, 1.72)
