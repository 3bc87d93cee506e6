from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from handmade import ALPHA, SLAYER
from sympy import DiracDelta, Piecewise, atan, exp, sign, sin, tanh

from surrogate_core.drivers import xla
from surrogate_core.drivers.tally import NoOracle
from surrogate_core.spec import FORMATS, Spec, x
from surrogate_core.spec.oracle import expect, forward

AT = (("alpha", ALPHA),)
F32 = FORMATS["float32"]
EVERY = np.arange(0, 2**32, 65_521, dtype=np.uint32)


def device() -> Any:
    return jax.local_devices(backend="cpu")[0]


def test_the_constants_are_those_of_the_spec() -> None:
    found = xla.constants(SLAYER, AT, device())
    assert [float(v) for v in (*found.parameters, found.floor, found.low, found.high)] == [ALPHA, 2.0**-126, 0.0, 0.0]
    assert (float(found.at_zero), float(found.spike_at_zero)) == (1.0, 1.0)
    strict = xla.constants(SLAYER.replace(flushing_tolerated=False), AT, device())
    assert np.isnan([float(strict.at_zero), float(strict.spike_at_zero)]).all()


def test_a_formula_that_float64_loses_is_refused() -> None:
    lost = Spec("tanh", "Tanh", "nowhere", 1 - tanh(x) ** 2)
    with pytest.raises(NoOracle, match=r"^float64 loses the formula 1 - tanh\(x\)\*\*2 to cancellation"):
        xla.constants(lost, (), device())


def test_a_formula_that_xla_does_not_know_or_evaluates_badly_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any) -> Any:
        raise NameError("name 'airyai' is not defined")

    def rough(points: Any, alpha: Any) -> list[Any]:
        g = jnp.exp(-alpha * jnp.abs(points)) * (1 + 1e-10)
        return [g, -alpha * jnp.sign(points) * g, -jnp.abs(points) * g]

    monkeypatch.setattr(xla, "_compiled_formula", xla.formula)
    for function, message in ((unknown, "not known to XLA: name 'airyai'"), (rough, "badly: at x=")):
        monkeypatch.setattr(xla, "_lambdified", lambda *_, f=function: f)
        with pytest.raises(NoOracle, match=message):
            xla._verify.__wrapped__(SLAYER, AT)


@pytest.mark.parametrize(
    "gradient",
    [exp(-abs(x)), 1 / (1 + x**2), 2 + sin(x) + atan(x), Piecewise((1 - x / 2, x > 0), (exp(x), True))],
    ids=str,
)
def test_formula_and_bound_are_those_of_the_oracle(gradient: Any) -> None:
    spec = Spec("any", "Any", "nowhere", gradient)
    single = EVERY.view(np.float32)
    points = single[(np.abs(single) < 1e4) & (np.abs(single) >= F32.smallest_normal)].astype(np.float64)
    expected = expect(spec, (), F32, points)
    with jax.enable_x64(True):
        gradients, bounds = map(np.asarray, jax.jit(xla.formula(spec))(points, ()))
    # 64 roundings of float64, and what float64 itself flushes.
    slack = 2.0**-47 * expected.bound / F32.unit_roundoff + 2.0**-1000
    assert (np.abs(gradients - expected.gradient) <= slack).all()
    assert (np.abs(bounds - expected.bound) <= slack).all()


def test_every_bit_pattern_is_read_as_the_number_that_it_is() -> None:
    patterns = np.concatenate([EVERY, np.array([0, 1, 2**31, 2**31 + 1, 2**23 - 1, 2**31 + 2**23], np.uint32)])
    with jax.enable_x64(True), np.errstate(invalid="ignore"):
        found = np.asarray(jax.jit(xla._exact)(patterns))
        np.testing.assert_array_equal(found, patterns.view(np.float32).astype(np.float64))


def test_a_unit_in_the_last_place_is_that_of_the_format() -> None:
    powers = 2.0 ** np.arange(-126, 130)
    values = np.concatenate([powers, 1.75 * powers, [np.nextafter(1, 0)]])
    with jax.enable_x64(True):
        np.testing.assert_array_equal(np.asarray(jax.jit(xla.per_ulp)(values)), 1 / F32.ulp(values))


@pytest.mark.parametrize("at_threshold", [0, 0.5, 1])
def test_the_forward_is_that_of_the_oracle(at_threshold: float) -> None:
    spec = SLAYER.replace(at_threshold=at_threshold)
    points = np.array([-np.inf, -2.0, -1e-300, -0.0, 0.0, 1e-300, 3.0, np.inf])
    with jax.enable_x64(True):
        found = xla.step(spec, jnp.asarray(points), (jnp.asarray(ALPHA),))
    np.testing.assert_array_equal(np.asarray(found), forward(spec, AT, points))


def test_a_slope_has_no_delta_at_a_jump() -> None:
    slope = (sign(x - 1) + 2 * x).diff(x)
    assert slope.has(DiracDelta)
    (value,) = xla._lambdified(SLAYER, (slope,))(jnp.ones(3), 1.0)
    np.testing.assert_array_equal(np.asarray(value), 2)
