from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import surrogate_core
from surrogate_core.drivers import Unsupported, get_driver
from surrogate_core.drivers.jax_workload import COPIES
from surrogate_core.drivers.workload import Workload, inputs, preparer

SMALL = Workload("forward+backward", "compiled", 1024, "float32")


@pytest.fixture(autouse=True)
def scope() -> Iterator[None]:
    with get_driver("jax").scope("float32", "cpu:0"):
        yield


def twice(x: Any) -> Any:
    """A surrogate that evaluates its exponential twice."""
    return _twice(x)


@jax.custom_jvp
def _twice(x: Any) -> Any:
    return (x >= 0).astype(x.dtype)


_twice.defjvps(lambda dx, _, x: jnp.exp(-jnp.abs(x + 0 * jnp.exp(-x))) * dx)


def test_a_compiled_workload_does_what_it_says() -> None:
    x, cotangent = inputs(SMALL)
    value, gradient = preparer("jax").prepare(surrogate_core.SlayerGrad(2.0), SMALL, "cpu:0").call()
    np.testing.assert_array_equal(value, x >= 0)
    np.testing.assert_allclose(gradient, np.exp(-2 * np.abs(x)) * cotangent, rtol=1e-5)


def test_a_compiled_program_is_loaded_several_times_and_every_copy_does_the_same() -> None:
    found = preparer("jax").prepare(surrogate_core.SlayerGrad(), SMALL, "cpu:0")
    assert len(found.calls) == COPIES
    assert (found.compilations, found.recompilations) == (1, 0)
    first, *others = (jax.tree.leaves(call()) for call in found.calls)
    for other in others:
        for mine, theirs in zip(first, other, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_what_is_compiled_for_a_workload_is_given_the_same_arrays_and_what_runs_eagerly_has_its_own() -> None:
    ready = preparer("jax")
    compiled = [ready.prepare(surrogate_core.SlayerGrad(), SMALL, "cpu:0").call for _ in range(2)]
    assert compiled[0].args[0] is compiled[1].args[0]  # pyright: ignore[reportFunctionMemberAccess]  (a partial)
    eager = Workload("forward", "eager", 8, "float32")
    one, other = (ready.prepare(lambda x: x, eager, "cpu:0").call() for _ in range(2))
    assert one.unsafe_buffer_pointer() != other.unsafe_buffer_pointer()


def test_what_runs_eagerly_is_not_said_to_compile_what_was_compiled_by_chance_before() -> None:
    eager = Workload("forward+backward", "eager", 1031, "float32")
    first, second = (preparer("jax").prepare(surrogate_core.SlayerGrad(), eager, "cpu:0") for _ in range(2))
    assert (first.compilations, second.compilations) == (0, 0)


def constant(anew: bool) -> Callable[[Any], Any]:
    """A surrogate whose rule computes a constant while it is traced, where asked by a program compiled anew."""

    @jax.custom_jvp
    def spike(x: Any) -> Any:
        return (x >= 0).astype(x.dtype)

    @spike.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (x,), (dx,) = primals, tangents
        with jax.ensure_compile_time_eval():
            odd = jnp.arange(1033.0)  # of a shape that nothing else here has
            sum_ = jax.jit(lambda odd: odd.sum())(odd) if anew else odd.sum()
        return spike(x), jnp.exp(-jnp.abs(x) / sum_) * dx

    return spike


def test_programs_that_whoever_comes_first_compiles_for_all_are_counted_for_none() -> None:
    first, second = (preparer("jax").prepare(constant(anew=False), SMALL, "cpu:0") for _ in range(2))
    assert (first.compilations, second.compilations) == (1, 1)


def test_a_program_that_tracing_compiles_anew_is_counted_whoever_comes_first() -> None:
    first, second = (preparer("jax").prepare(constant(anew=True), SMALL, "cpu:0") for _ in range(2))
    assert (first.compilations, second.compilations) == (2, 2)


def test_a_frozen_program_gives_the_same_and_says_what_it_costs() -> None:
    ready = preparer("jax")
    fresh = ready.prepare(surrogate_core.SlayerGrad(), SMALL, "cpu:0")
    thawed = ready.thaw(ready.freeze(surrogate_core.SlayerGrad(), SMALL, "cpu:0"), SMALL, "cpu:0")
    for one, other in zip(jax.tree.leaves(fresh.call()), jax.tree.leaves(thawed.call()), strict=True):
        np.testing.assert_array_equal(one, other)
    for count in ("compiled bytes", "compiled transcendentals"):
        assert thawed.counts[count] == fresh.counts[count]


def test_work_that_is_added_is_not_compiled_away_and_changes_no_answer() -> None:
    ready, spike = preparer("jax"), surrogate_core.SlayerGrad()
    large = Workload("forward", "compiled", 1 << 15, "float32")
    for workload, added in ((SMALL, 2 * 50 * 1024), (large, 2 * 50 * 2**15)):  # a multiplication and a subtraction
        plain = ready.prepare(spike, workload, "cpu:0")
        slower = ready.prepare(ready.slowed(spike, 50, workload, "cpu:0"), workload, "cpu:0")
        assert slower.counts["compiled flops"] >= plain.counts["compiled flops"] + added
        for one, other in zip(jax.tree.leaves(slower.call()), jax.tree.leaves(plain.call()), strict=True):
            np.testing.assert_array_equal(one, other)


def test_an_exponential_evaluated_twice_is_counted_twice() -> None:
    ready = preparer("jax")
    assert ready.prepare(twice, SMALL, "cpu:0").counts["traced exp"] == 2
    assert ready.prepare(surrogate_core.SlayerGrad(), SMALL, "cpu:0").counts["traced exp"] == 1


def test_the_body_of_a_scan_counts_once_a_step_and_a_branch_as_the_dearest() -> None:
    from surrogate_core.drivers.jax_counts import traced_counts

    def scanned(x: Any) -> Any:
        return jax.lax.scan(lambda u, _: (jnp.exp(u), None), x, None, length=7)[0]

    def branched(x: Any) -> Any:
        return jax.lax.cond(x.sum() > 0, lambda x: jnp.exp(jnp.exp(x)), lambda x: x, x)

    given = jnp.ones(3)
    assert traced_counts(jax.make_jaxpr(scanned)(given).jaxpr)["traced exp"] == 7
    assert traced_counts(jax.make_jaxpr(branched)(given).jaxpr)["traced exp"] == 2


def test_a_call_that_compiles_again_and_again_is_seen() -> None:
    def retracing(x: Any) -> Any:
        return jax.jit(lambda x: (x >= 0).astype(x.dtype))(x)

    eager = Workload("forward", "eager", 1024, "float32")
    assert preparer("jax").prepare(retracing, eager, "cpu:0").recompilations == 1
    assert preparer("jax").prepare(surrogate_core.SlayerGrad(), eager, "cpu:0").recompilations == 0


def test_the_bare_operation_is_a_step_and_a_product() -> None:
    x, cotangent = (a.astype(np.float32) for a in inputs(SMALL))
    value, product = preparer("jax").prepare(None, SMALL, "cpu:0").call()
    np.testing.assert_array_equal(value, x >= 0)
    np.testing.assert_array_equal(product, x * cotangent)


def test_eager_calls_cannot_be_frozen() -> None:
    with pytest.raises(Unsupported, match="freezing"):
        preparer("jax").freeze(surrogate_core.SlayerGrad(), Workload("forward", "eager", 1, "float32"), "cpu:0")


def spike_of(torch: Any) -> Callable[[Any], Any]:
    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return (x >= 0).to(x.dtype)

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            return gradients[0] * torch.exp(-ctx.saved_tensors[0].abs())

    return Spike.apply


@pytest.mark.parametrize("framework", ["jax", "torch"])
def test_both_frameworks_run_the_same_neurons(framework: str) -> None:
    torch: Any = pytest.importorskip("torch", reason="torch is missing: pip install 'surrogate_core[torch]'")
    x, cotangent = inputs(workload := Workload("lif", "compiled" if framework == "jax" else "eager", 64, "float32"))
    spike = surrogate_core.SlayerGrad() if framework == "jax" else spike_of(torch)
    found = jax.tree.leaves(preparer(framework).prepare(spike, workload, "cpu:0").call())
    value, gradient = (np.asarray(a if framework == "jax" else a.detach()) for a in found)
    u, spikes = np.zeros(2), []
    for current in x:
        u = 0.9 * u + current
        spikes.append((u >= 1).astype(float))
        u = u - spikes[-1]
    np.testing.assert_array_equal(value, spikes)
    # The last step is reached by nothing but its own spike.
    last = np.exp(-np.abs(u + spikes[-1] - 1)) * cotangent[-1]
    np.testing.assert_allclose(gradient[-1], last, rtol=1e-5)


def test_torch_counts_its_operators_and_added_work_is_among_them() -> None:
    torch: Any = pytest.importorskip("torch", reason="torch is missing: pip install 'surrogate_core[torch]'")
    ready, eager = preparer("torch"), Workload("forward+backward", "eager", 1024, "float32")
    spike = spike_of(torch)
    assert ready.prepare(spike, eager, "cpu:0").counts["traced exp"] == 1
    slower = ready.prepare(ready.slowed(spike, 3000, eager, "cpu:0"), eager, "cpu:0")
    assert slower.counts["traced exp"] == 2
    torch.testing.assert_close(slower.call()[0], ready.prepare(spike, eager, "cpu:0").call()[0])


def test_torch_says_what_it_does_not_offer() -> None:
    torch: Any = pytest.importorskip("torch", reason="torch is missing: pip install 'surrogate_core[torch]'")
    ready, lif = preparer("torch"), Workload("lif", "compiled", 64, "float32")
    with pytest.raises(Unsupported, match="unroll"):
        ready.prepare(spike_of(torch), lif, "cpu:0")
    for refused in (lambda: ready.freeze(spike_of(torch), SMALL, "cpu:0"), lambda: ready.thaw(b"", SMALL, "cpu:0")):
        with pytest.raises(Unsupported, match="only programs of JAX"):
            refused()
