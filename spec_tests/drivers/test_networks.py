"""Operations that put a spike function into a network, or ask for what lies beyond its gradient; in both frameworks."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from handmade import ALPHA, ask, slayer

from surrogate_core.drivers import Request, Unsupported, get_driver
from surrogate_core.drivers.base import Driver, Observation, Transform

X = np.array([-2.0, -0.5, 0.25, 3.0], np.float32)
C = np.array([1.0, -2.0, 0.5, 3.0], np.float32)
W = np.array([[1, -1, 2, 0], [0.5, 1, 1, -1], [2, 0, -1, 1], [0, 1, -2, 0.5]], np.float32)
B = np.array([0.5, -1.0, 0.0, 2.0], np.float32)
STEPS = np.array([[-0.5, 1.0], [1.5, -2.0], [-1.0, 3.0]], np.float32)
NETWORKS = {
    "affine": Request("affine", X, direction=C, weights=(W, B)),
    "affine with ones": Request("affine", X, weights=(W, B)),
    "recurrent": Request("recurrent", STEPS, direction=2 * STEPS, weights=(np.array(0.5, np.float32),)),
    "second": Request("second", X),
}


def jax_made(alpha: Any) -> Callable[[Any], Any]:
    import jax
    import jax.numpy as jnp

    @jax.custom_jvp
    def spike(x: Any, alpha: Any) -> Any:
        return (x >= 0).astype(x.dtype)

    spike.defjvps(lambda dx, _, x, alpha: jnp.exp(-alpha * jnp.abs(x)) * dx, lambda da, _, x, alpha: -jnp.abs(x) * da)
    return lambda x: spike(x, alpha)


def torch_made(alpha: Any) -> Callable[[Any], Any]:
    import torch

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, alpha: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.alpha = alpha
            return (x >= 0).to(x.dtype)

        @staticmethod
        def backward(ctx: Any, *given: Any) -> Any:
            (x,) = ctx.saved_tensors
            by_alpha = (-x.abs() * given[0]).sum() if isinstance(ctx.alpha, torch.Tensor) else None
            return given[0] * torch.exp(-ctx.alpha * x.abs()), by_alpha

    return lambda x: Spike.apply(x, alpha)


MADE = {"jax": jax_made, "torch": torch_made}


@pytest.fixture(params=["jax", "torch"])
def driver(request: pytest.FixtureRequest) -> Driver:
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is missing: pip install 'surrogate_core[{request.param}]'")
    return get_driver(request.param)


def observe(driver: Driver, request: Request, function: Callable[[Any], Any] | None = None) -> Observation:
    with driver.scope(request.x.dtype.name, "cpu:0"):
        return driver.observe(function or MADE[driver.name](ALPHA), request, "cpu:0")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_answers_as_on_paper(driver: Driver, name: str) -> None:
    found, expected = observe(driver, NETWORKS[name]), ask(NETWORKS[name])
    np.testing.assert_array_equal(found.value, expected.value, strict=True)
    np.testing.assert_allclose(found.gradient, expected.gradient, rtol=1e-6, atol=1e-7, strict=True)


def test_the_derivative_by_a_parameter_is_that_of_the_makers_function(driver: Driver) -> None:
    request = Request("parameter", X, wrt="alpha", weights=(np.array(ALPHA, np.float32),))
    found = observe(driver, request, MADE[driver.name])
    assert found.gradient == -np.abs(X).sum()
    assert observe(driver, request, lambda alpha: MADE[driver.name](ALPHA)).gradient == 0


def test_a_parameter_that_becomes_a_number_warns_nobody(driver: Driver) -> None:
    request = Request("parameter", X, wrt="alpha", weights=(np.array(ALPHA, np.float32),))
    with contextlib.suppress(TypeError):  # JAX refuses
        assert observe(driver, request, lambda alpha: MADE[driver.name](float(alpha))).gradient == 0


def test_residuals_are_counted_in_bytes_and_each_once(driver: Driver) -> None:
    assert observe(driver, Request("residuals", X), lambda x: x * x).gradient == X.nbytes
    assert observe(driver, Request("residuals", X), lambda x: (x * x) * (2 * x)).gradient > X.nbytes
    assert observe(driver, Request("residuals", X), lambda x: x + 1).gradient == 0


def test_the_smooth_function_is_evaluated_in_the_dtype_of_its_request(driver: Driver) -> None:
    made: Any = types.SimpleNamespace(smooth=lambda x: 2 * x)
    found = observe(driver, Request("smooth", X.astype(np.float64)), made)
    np.testing.assert_array_equal(found.value, 2 * X.astype(np.float64), strict=True)
    with pytest.raises(Unsupported, match="smooth function"):
        observe(driver, Request("smooth", X))


def test_a_second_derivative_that_is_missing_leaves_the_others_their_program() -> None:
    jax = pytest.importorskip("jax")

    @jax.custom_vjp
    def spike(x: Any) -> Any:
        return (x >= 0).astype(x.dtype)

    @jax.custom_vjp
    def once(x: Any) -> Any:
        return jax.numpy.exp(-ALPHA * abs(x))

    def refuse(*_: Any) -> Any:
        raise TypeError("once only")

    once.defvjp(refuse, refuse)
    spike.defvjp(lambda x: (spike(x), once(x)), lambda g, c: (c * g,))
    compiled = (Transform("jit"),)
    requests = [Request(op, X, outer=compiled) for op in ("value", "vjp", "second")]
    driver = get_driver("jax")
    with driver.scope("float32", "cpu:0"):
        answered = [r.operation for r, _ in driver.observe_together(spike, requests, "cpu:0")]
    assert answered == ["value", "vjp"]


SCRIPTS = {**NETWORKS, "residuals": Request("residuals", X), "smooth": Request("smooth", X)}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_prints_what_was_observed(driver: Driver, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Smooth:
        def __init__(self) -> None:
            self.spike = MADE[driver.name](ALPHA)

        def __call__(self, x: Any) -> Any:
            return self.spike(x)

        def smooth(self, x: Any) -> Any:
            return 2 * x

    monkeypatch.setitem(sys.modules, "made", types.ModuleType("made"))
    monkeypatch.setattr(sys.modules["made"], "Smooth", Smooth, raising=False)
    source = driver.script([SCRIPTS[name]], ["made.Smooth()"], "import made")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), driver.scope("float32", "cpu:0"):
        exec(source, {"__name__": "pasted"})
    found = observe(driver, SCRIPTS[name], Smooth())
    expected = found.value if found.derivative is None else found.derivative
    text = re.sub(r"(float|int|cuda:|grad_fn=<\w*?)\d+", "", printed.getvalue())
    numbers = np.array([float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[+-]\d+)?", text)])
    np.testing.assert_allclose(numbers, expected.ravel(), rtol=1e-3, atol=1e-4)


def test_on_paper_the_smooth_function_is_the_antiderivative() -> None:
    x, h = np.linspace(-3, 3, 7), 2.0**-20
    difference = (slayer().smooth(x + h) - slayer().smooth(x - h)) / (2 * h)
    np.testing.assert_allclose(difference, slayer()(x), atol=1e-6)
    difference = (slayer()(x[x != 0] + h) - slayer()(x[x != 0] - h)) / (2 * h)
    np.testing.assert_allclose(difference, slayer().second(x[x != 0]), atol=1e-6)
