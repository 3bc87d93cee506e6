"""SlayerGrad on its own, without the harness: the claims of its docstring, by JAX's means alone."""

from __future__ import annotations

import pickle
from typing import Any

import jax
import jax.export
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from jax.sharding import AxisType, PartitionSpec

from surrogate_core.slayer import SlayerGrad, slayer_grad

X = np.array([-2.5, -1.0, -0.25, 0.0, 0.25, 1.0, 2.5], np.float32)
ALPHA = 0.7
FEW_ROUNDINGS = 2.0**-22
"""Four units roundoff of float32: the gradient's 1.5 ulp is three at most, and a product rounds once more."""
RATES = [0.1, 0.7, 1.0, 2.0, 3.3, 10.0, 123.456, 1e-30, 1e30]


def gradient(x: Any, alpha: Any = ALPHA) -> Any:
    return jax.vjp(lambda x: slayer_grad(x, alpha), x)[1](jnp.ones_like(x))[0]


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_forward_is_the_step_on_every_16_bit_pattern(dtype: Any) -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    x = bits.view(dtype)
    negative, magnitude, infinity = bits >> 15 == 1, bits & 0x7FFF, np.asarray(np.inf, dtype).view(np.uint16)
    expected = ~((negative & (magnitude > 0)) | (magnitude > infinity))
    spikes = np.asarray(slayer_grad(x))
    assert spikes.dtype == dtype
    np.testing.assert_array_equal(spikes == 1, expected)
    np.testing.assert_array_equal(spikes == 0, ~expected)


@pytest.mark.parametrize(("dtype", "unsigned"), [(np.float32, np.uint32), (np.float64, np.uint64)])
def test_forward_is_the_step_at_subnormals_zeros_infinities_and_nans(dtype: Any, unsigned: Any, seed: int) -> None:
    information = np.iinfo(unsigned)
    bits = np.random.default_rng(seed).integers(0, information.max, 1 << 16, dtype=unsigned, endpoint=True)
    tiny = np.finfo(dtype).smallest_subnormal
    bits[:8] = np.array([0.0, -0.0, tiny, -tiny, np.inf, -np.inf, np.nan, -1.0], dtype).view(unsigned)
    x = bits.view(dtype)
    with jax.enable_x64(dtype is np.float64):
        spikes = np.asarray(slayer_grad(x))
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(spikes, (x >= 0).astype(dtype))


def test_forward_alone_evaluates_no_exponential() -> None:
    assert "exp" not in str(jax.make_jaxpr(SlayerGrad(ALPHA))(X))
    assert "exponential" not in jax.jit(SlayerGrad(ALPHA)).lower(X).as_text()


@pytest.mark.parametrize("alpha", RATES)
def test_gradient_is_within_one_and_a_half_ulp_in_float32(alpha: float, seed: int) -> None:
    rate = alpha  # as given, not as float32 would hold it
    # From alpha*|x| = 87 on the result is subnormal, and flushed.
    distance = np.random.default_rng(seed).uniform(0, 87, 1 << 16) / rate
    x = distance[distance < np.finfo(np.float32).max].astype(np.float32)
    x = x[np.abs(x) >= np.finfo(np.float32).smallest_normal]
    exact = np.exp(-rate * x.astype(np.float64))
    error = np.abs(np.asarray(gradient(jnp.asarray(x), alpha)).astype(np.float64) - exact)
    assert np.max(error / np.spacing(exact.astype(np.float32))) <= 1.5


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64])
def test_gradient_is_one_at_both_zeros_nan_at_nan_and_zero_at_infinity(dtype: Any) -> None:
    with jax.enable_x64(dtype is jnp.float64):
        found = gradient(jnp.array([0.0, -0.0, jnp.nan, jnp.inf, -jnp.inf], dtype))
        assert found.dtype == dtype
        np.testing.assert_array_equal(np.asarray(found, np.float64), [1, 1, np.nan, 0, 0])


def test_every_mode_of_differentiation_gives_the_pseudo_derivative() -> None:
    f, x = SlayerGrad(ALPHA), jnp.asarray(X)
    expected = np.asarray(gradient(x))
    ones = jnp.ones_like(x)
    found = {
        "grad": jax.grad(lambda x: f(x).sum())(x),
        "jvp": jax.jvp(f, (x,), (ones,))[1],
        "linearize": jax.linearize(f, x)[1](ones),
        "jacfwd": jnp.diagonal(jax.jacfwd(f)(x)),
        "jacrev": jnp.diagonal(jax.jacrev(f)(x)),
        "jit": jax.jit(jax.grad(lambda x: f(x).sum()))(x),
        "vmap": jax.vmap(jax.grad(f))(x),
        "checkpoint": jax.grad(lambda x: jax.checkpoint(f)(x).sum())(x),
        "scan": jax.grad(lambda x: jax.lax.scan(lambda c, x: (c + f(x), None), 0.0, x)[0])(x),
    }
    for mode, derivative in found.items():
        np.testing.assert_allclose(derivative, expected, rtol=FEW_ROUNDINGS, err_msg=mode)


@pytest.mark.parametrize(("in_axes", "out_axes"), [(0, 0), (1, 0), (2, 1), (-1, 2)])
def test_vmap_over_any_axis_moves_only_that_axis(in_axes: int, out_axes: int) -> None:
    x = jnp.resize(jnp.asarray(X), (2, 3, 4))
    for function in (SlayerGrad(ALPHA), gradient):
        batched = jax.vmap(function, in_axes=in_axes, out_axes=out_axes)(x)
        np.testing.assert_array_equal(batched, jnp.moveaxis(function(x), in_axes, out_axes))


def test_shard_map_and_export_carry_the_gradient() -> None:
    f, x = SlayerGrad(ALPHA), jnp.asarray(X)
    mesh = jax.make_mesh((1,), ("neurons",), axis_types=(AxisType.Auto,))
    spec = PartitionSpec("neurons")
    sharded = jax.shard_map(f, mesh=mesh, in_specs=spec, out_specs=spec)
    np.testing.assert_array_equal(jax.grad(lambda x: sharded(x).sum())(x), gradient(x))
    stored = jax.export.export(jax.jit(f))(x).serialize(vjp_order=1)
    restored = jax.export.deserialize(stored)
    np.testing.assert_array_equal(restored.call(x), f(x))
    np.testing.assert_allclose(restored.vjp().call(x, jnp.ones_like(x))[0], gradient(x), rtol=FEW_ROUNDINGS)


def test_second_derivative_is_that_of_the_pseudo_derivative() -> None:
    x = jnp.asarray(X)
    second = jnp.diagonal(jax.jacfwd(lambda x: gradient(x))(x))
    np.testing.assert_allclose(second, -ALPHA * np.sign(X) * np.exp(-ALPHA * np.abs(X)), rtol=FEW_ROUNDINGS)
    np.testing.assert_array_equal(jax.hessian(SlayerGrad(ALPHA))(jnp.float32(0.0)), 0.0)


def test_spikes_pass_no_gradient_to_alpha_yet_the_gradient_does() -> None:
    assert jax.grad(lambda a: slayer_grad(jnp.asarray(X), a).sum())(ALPHA) == 0
    mixed = jax.grad(lambda a: jax.grad(lambda x: slayer_grad(x, a))(2.0))(ALPHA)
    np.testing.assert_allclose(mixed, -2.0 * np.exp(-2 * ALPHA), rtol=FEW_ROUNDINGS)


def test_alpha_may_be_one_rate_per_neuron_traced_or_concrete() -> None:
    x, rates = jnp.ones((2, 3)), jnp.array([0.5, 1.0, 2.0])
    expected = np.broadcast_to(np.exp(-np.asarray(rates)), (2, 3))
    np.testing.assert_allclose(gradient(x, rates), expected, rtol=FEW_ROUNDINGS)
    np.testing.assert_allclose(gradient(x, np.asarray(rates)), expected, rtol=FEW_ROUNDINGS)
    np.testing.assert_allclose(jax.jit(gradient)(x, rates), expected, rtol=FEW_ROUNDINGS)
    np.testing.assert_allclose(jax.vmap(gradient, in_axes=(1, 0), out_axes=1)(x, rates), expected, rtol=FEW_ROUNDINGS)


def test_one_trace_serves_every_alpha() -> None:
    traces = []

    @jax.jit
    def compiled(x: Any, alpha: Any) -> Any:
        traces.append(alpha)
        return gradient(x, alpha)

    for alpha in (0.5, 0.7, 3.0):
        compiled(jnp.asarray(X), alpha)
    assert len(traces) == 1


@pytest.mark.parametrize("alpha", [0, -1.0, float("nan"), float("inf"), [1.0, -2.0], np.float32(0)])
def test_a_rate_that_is_not_finite_and_positive_is_refused_with_its_value(alpha: Any) -> None:
    for attempt in (lambda: SlayerGrad(alpha), lambda: slayer_grad(X, alpha)):
        with pytest.raises(ValueError, match="alpha must be finite and > 0, got") as refusal:
            attempt()
        assert repr(alpha) in str(refusal.value)


@pytest.mark.parametrize("alpha", [True, 1j, "1", None])
def test_a_rate_that_is_no_real_number_is_refused(alpha: Any) -> None:
    with pytest.raises(TypeError, match="alpha must be a real number"):
        SlayerGrad(alpha)


@pytest.mark.parametrize("alpha", [1e-40, 1e39])
def test_a_rate_that_float32_cannot_hold_is_refused_except_in_float64(alpha: float) -> None:
    with pytest.raises(ValueError, match=r"is no normal number of float32, in which float16 is computed"):
        slayer_grad(np.ones(1, np.float16), alpha)
    with jax.enable_x64(True):
        x = jnp.array([0.0, 1 / alpha])
        np.testing.assert_allclose(gradient(x, alpha), [1, np.exp(-1)], rtol=1e-15)


def test_a_rate_that_does_not_broadcast_to_the_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"alpha of shape \(3,\) does not broadcast to the shape \(\) of x"):
        slayer_grad(1.0, jnp.ones(3))
    with pytest.raises(ValueError, match=r"alpha of shape \(3,\) does not broadcast to the shape \(2,\) of x"):
        slayer_grad(jnp.ones(2), jnp.ones(3))
    with pytest.raises(ValueError, match=r"alpha of shape \(2, 3\) does not broadcast to the shape \(1, 3\) of x"):
        slayer_grad(jnp.ones((1, 3)), jnp.ones((2, 3)))


@pytest.mark.parametrize(
    ("x", "dtype"), [(1, "int32"), ([True], "bool"), (1j, "complex64"), (np.array([1], np.int8), "int8")]
)
def test_input_that_is_not_floating_is_refused_with_its_dtype_and_the_fix(x: Any, dtype: str) -> None:
    with pytest.raises(TypeError, match=rf"x is {dtype}: convert it first, as in x.astype\(jnp.float32\)"):
        slayer_grad(x)


def test_python_floats_lists_and_numpy_arrays_are_accepted() -> None:
    assert slayer_grad(0.5) == 1
    np.testing.assert_array_equal(slayer_grad([-0.5, 0.5]), [0, 1])
    np.testing.assert_array_equal(SlayerGrad()(X), X >= 0)
    assert slayer_grad(np.float16(1)).dtype == jnp.float16


def test_instances_are_equal_by_alpha_hashable_and_frozen() -> None:
    assert SlayerGrad() == SlayerGrad(1) == SlayerGrad(np.float32(1)) == SlayerGrad(jnp.float32(1))
    assert len({SlayerGrad(), SlayerGrad(1), SlayerGrad(jnp.float32(1)), SlayerGrad(2)}) == 2
    assert SlayerGrad(1) != SlayerGrad(2)
    assert SlayerGrad(1) != 1
    assert SlayerGrad(jnp.ones(2)) == SlayerGrad(np.ones(2))
    assert pickle.loads(pickle.dumps(SlayerGrad(ALPHA))) == SlayerGrad(ALPHA)
    with pytest.raises(AttributeError):
        SlayerGrad().alpha = 2.0  # pyright: ignore[reportAttributeAccessIssue]  (that is the point)
    with pytest.raises(TypeError, match="hashable only for a scalar alpha"):
        hash(SlayerGrad(jnp.ones(2)))


def test_an_instance_is_a_pytree_whose_leaf_is_alpha() -> None:
    (path, leaf), *more = jax.tree_util.tree_flatten_with_path(SlayerGrad(ALPHA))[0]
    assert (jax.tree_util.keystr(path), leaf, more) == (".alpha", ALPHA, [])
    doubled = jax.tree.map(lambda alpha: 2 * alpha, SlayerGrad(ALPHA))
    assert doubled == SlayerGrad(2 * ALPHA)
    np.testing.assert_array_equal(jax.jit(lambda f, x: f(x))(SlayerGrad(ALPHA), X), X >= 0)
