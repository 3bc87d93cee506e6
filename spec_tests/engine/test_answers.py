"""What the bench answers beyond the spike function's own gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from handmade import ALPHA, SLAYER

from surrogate_core.drivers import Observation, Request, Unsupported
from surrogate_core.engine import plan
from surrogate_core.engine.bench import Bench
from surrogate_core.engine.run import judge
from surrogate_core.properties.outcome import Errored, Failed, Passed, Skipped
from surrogate_core.slayer import SlayerGrad

X = np.array([-1.0, 2.0], np.float32)
PARAMETER = Request("parameter", X, wrt="alpha", weights=(np.array(ALPHA, np.float32),))


class Smooth:
    def __init__(self, alpha: float) -> None:
        self.alpha, self.spike = alpha, SlayerGrad(alpha)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.spike(x)

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        return -jnp.sign(x) * jnp.expm1(-self.alpha * jnp.abs(x)) / self.alpha


class Steep(Smooth):
    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        return jnp.tanh(x)


class Absent(Smooth):
    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        raise NotImplementedError


class Broken(Smooth):
    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        raise ValueError("my own mistake")


def concrete(alpha: Any) -> Callable[[Any], Any]:
    return SlayerGrad(float(alpha))


def leaving(alpha: Any) -> Callable[[Any], Any]:
    raise SystemExit(0)


def bench(factory: Any) -> Bench:
    planned = plan([factory], SLAYER, params={"alpha": [ALPHA]}, profile="quick", dtypes=["float32"], framework="jax")
    return Bench(planned.implementations[0], planned.units[0].case)


def outcome(factory: Any, name: str) -> Any:
    chosen = {"params": {"alpha": [ALPHA]}, "profile": "quick", "dtypes": ["float32"], "framework": "jax"}
    (unit, *_) = plan([factory], SLAYER, properties=[name], **chosen).units
    return judge(Bench(unit.implementation, unit.case), unit).outcome


def test_an_exception_is_an_answer_and_where_that_is_tolerated_something_that_cannot_be_had() -> None:
    assert isinstance(bench(concrete).observe(PARAMETER), TypeError)
    found = bench(concrete).observe(replace(PARAMETER, tolerant=True))
    assert isinstance(found, Unsupported)
    assert str(found).startswith("ConcretizationTypeError: ")
    assert isinstance(bench(leaving).observe(replace(PARAMETER, tolerant=True)), RuntimeError)


def test_a_request_in_float64_is_evaluated_in_float64_whatever_the_case() -> None:
    x = X.astype(np.float64)
    found = bench(Smooth).observe(Request("smooth", x))
    assert isinstance(found, Observation)
    assert found.value.dtype == np.float64
    np.testing.assert_allclose(found.value, -np.sign(x) * np.expm1(-ALPHA * np.abs(x)) / ALPHA, rtol=1e-14)


def test_the_smooth_function_is_judged_where_one_is_offered() -> None:
    assert isinstance(outcome(Smooth, "gradient.smooth"), Passed)
    assert isinstance(outcome(SlayerGrad, "gradient.smooth"), Skipped)
    assert isinstance(outcome(Absent, "gradient.smooth"), Skipped)
    assert isinstance(outcome(Broken, "gradient.smooth"), Errored)
    failure = outcome(Steep, "gradient.smooth")
    assert isinstance(failure, Failed)
    assert "print(smooth(spike, x))" in failure.script


def test_what_the_reference_trains_a_parameter_and_a_second_order_method_with_is_told() -> None:
    assert outcome(SlayerGrad, "gradient.parameter").remarks == ("The derivative of the spikes by alpha is exactly 0.",)
    assert outcome(SlayerGrad, "gradient.second").remarks == (
        "The second derivative is that of the pseudo-derivative.",
    )
    assert "cannot be had: ConcretizationTypeError" in outcome(concrete, "gradient.parameter").remarks[0]


def test_the_chain_rule_is_told_with_a_script() -> None:
    def clipping(alpha: float) -> Callable[[Any], Any]:
        @jax.custom_vjp
        def spike(x: jax.Array) -> jax.Array:
            return (x >= 0).astype(x.dtype)

        def backward(x: jax.Array, cotangent: jax.Array) -> tuple[jax.Array]:
            return (jnp.clip(cotangent, -2.5, 2.5) * jnp.exp(-alpha * jnp.abs(x)),)

        spike.defvjp(lambda x: (spike(x), x), backward)
        return spike

    for name in ("chain.affine", "chain.recurrent"):
        assert isinstance(outcome(SlayerGrad, name), Passed)
        assert isinstance(outcome(clipping, name), Failed)
