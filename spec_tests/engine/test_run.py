from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from handmade import ALPHA, SLAYER

from surrogate_core.engine import plan, run
from surrogate_core.engine.ledger import account
from surrogate_core.properties.outcome import Errored, Failed, Outcome, Passed, Skipped, Unsupported
from surrogate_core.slayer import SlayerGrad

Spike = Callable[[Any], Any]
SWEPT = ("forward.step", "forward.dtype", "gradient.oracle", "gradient.peak", "gradient.symmetry", "gradient.range")


def judged(factory: Any, *properties: str, dtype: str = "float32", framework: str = "jax") -> list[Any]:
    """The results on the first device, one for each property."""
    planned = plan(
        [factory],
        SLAYER,
        params={"alpha": [ALPHA]},
        profile="quick",
        properties=properties,
        dtypes=[dtype],
        framework=framework,
    )
    device = planned.units[0].case.device
    return list(run([u for u in planned.units if u.case.device == device]))


def outcome(factory: Any, name: str, dtype: str = "float32") -> Outcome:
    (result,) = judged(factory, name, dtype=dtype)
    return result.outcome


def errored(found: Outcome) -> Errored:
    assert isinstance(found, Errored), found
    return found


# ---- factories with one thing wrong, where a script can import them ------------------------------


def raising(alpha: float) -> Spike:
    def spike(x: jax.Array) -> jax.Array:
        raise ValueError("my own mistake\nwith a second line")

    return spike


def failing_factory(alpha: float) -> Spike:
    raise RuntimeError(f"no surrogate for {alpha}")


def leaving(alpha: float) -> Spike:
    def spike(x: jax.Array) -> jax.Array:
        raise SystemExit(0)

    return spike


def float32_only(alpha: float) -> Spike:
    def spike(x: jax.Array) -> jax.Array:
        if x.dtype != jnp.float32:
            raise TypeError(f"{x.dtype} is not for me")
        return SlayerGrad(alpha)(x)

    return spike


def never_backwards(alpha: float) -> Spike:
    @jax.custom_vjp
    def spike(x: jax.Array) -> jax.Array:
        return (x >= 0).astype(x.dtype)

    def backward(x: jax.Array, cotangent: jax.Array) -> tuple[jax.Array]:
        raise TypeError("the backward pass is broken")

    spike.defvjp(lambda x: (spike(x), x), backward)
    return spike


def reverse_only(alpha: float) -> Spike:
    @jax.custom_vjp
    def spike(x: jax.Array) -> jax.Array:
        return (x >= 0).astype(x.dtype)

    spike.defvjp(lambda x: (spike(x), x), lambda x, c: (c * jnp.exp(-alpha * jnp.abs(x)),))
    return spike


def flattening(alpha: float) -> Spike:
    return lambda x: SlayerGrad(alpha)(x)[None]


def returning(value: Any) -> Callable[[float], Spike]:
    def make(alpha: float) -> Spike:
        return lambda x: value

    return make


def doubled(alpha: float) -> Spike:
    return lambda x: 2 * SlayerGrad(alpha)(x)


# ---- outcomes ------------------------------------------------------------------------------------


def test_a_right_surrogate_passes_and_the_ledger_adds_up() -> None:
    results = judged(SlayerGrad)
    assert {r.outcome.state for r in results} <= {"passed", "skipped"}
    ledger = account(len(results), results)
    assert ledger.objections == ()
    assert ledger.counts["passed"] >= 13
    assert {(r.dtype, r.parameters, r.implementation) for r in results} == {
        ("float32", (("alpha", ALPHA),), "surrogate_core.slayer:SlayerGrad")
    }
    assert all(r.seconds >= 0 for r in results)
    assert sum(r.compilations for r in results) > 0


def test_a_failure_has_its_figures_and_a_script() -> None:
    found = outcome(doubled, "gradient.peak")
    assert isinstance(found, Failed)
    assert (found.given, found.measured, found.allowed) == ("x = 0 (0x00000000)", "2 (0x40000000)", "exactly 1")
    assert f"from {__name__} import doubled\n" in found.script
    assert f"spike = doubled(alpha={ALPHA})\n" in found.script


@pytest.mark.parametrize("name", SWEPT)
def test_an_exception_in_the_implementation_is_errored_with_its_whole_traceback(name: str) -> None:
    found = errored(outcome(raising, name))
    assert found.message == "ValueError: my own mistake"
    assert found.traceback.startswith("Traceback (most recent call last):")
    assert 'raise ValueError("my own mistake\\nwith a second line")' in found.traceback
    assert "\nValueError: my own mistake\nwith a second line\n" in found.traceback
    assert "# ValueError: my own mistake\n" in found.script


def test_the_script_of_an_error_raises_it_again() -> None:
    found = errored(outcome(raising, "forward.step"))
    with pytest.raises(ValueError, match="my own mistake"):
        exec(found.script, {})


def test_a_factory_that_raises_is_errored() -> None:
    found = errored(outcome(failing_factory, "gradient.oracle"))
    assert found.message == f"RuntimeError: no surrogate for {ALPHA}"
    assert "failing_factory" in found.traceback
    assert errored(outcome(failing_factory, "forward.step", dtype="float16")).message == found.message


def test_an_implementation_that_leaves_the_process_is_errored() -> None:
    found = errored(outcome(leaving, "forward.step"))
    assert found.message == "RuntimeError: the implementation left with sys.exit(0)"
    assert "raise SystemExit(0)" in found.traceback


def test_a_refused_dtype_is_unsupported_where_float32_is_not() -> None:
    found = outcome(float32_only, "gradient.oracle", dtype="float16")
    assert found == Unsupported("dtype float16: TypeError: float16 is not for me")
    assert isinstance(outcome(float32_only, "gradient.oracle"), Passed)


def test_a_backward_pass_that_raises_in_every_dtype_is_errored_and_no_refusal() -> None:
    for dtype in ("float16", "float32"):
        assert errored(outcome(never_backwards, "gradient.oracle", dtype=dtype)).message == (
            "TypeError: the backward pass is broken"
        )


def test_a_missing_forward_mode_is_unsupported_and_the_rest_is_judged() -> None:
    found = outcome(reverse_only, "transform.modes")
    assert isinstance(found, Unsupported)
    assert "forward mode" in found.capability
    assert "jvp" in found.capability
    assert isinstance(outcome(reverse_only, "gradient.peak"), Passed)


@pytest.mark.parametrize("name", SWEPT)
def test_a_wrong_shape_is_errored(name: str) -> None:
    found = errored(outcome(flattening, name))
    assert found.message == "the spikes have shape (1, 8192) for an input of shape (8192,); see forward.shape"
    assert found.traceback == ""


def test_a_wrong_shape_is_judged_by_forward_shape() -> None:
    found = outcome(flattening, "forward.shape")
    assert isinstance(found, Failed)
    assert found.given == "a scalar: x of shape ()"
    assert found.measured == "spikes of shape (1,)"


@pytest.mark.parametrize(("value", "named"), [(None, "None"), ((1, 2), "a tuple"), (1.0, "a float"), ("x", "a str")])
@pytest.mark.parametrize("name", ["forward.shape", "gradient.oracle", "transform.vmap"])
def test_what_is_no_array_is_errored_without_a_traceback_of_ours(value: Any, named: str, name: str) -> None:
    found = errored(outcome(returning(value), name))
    assert found.message.startswith(f"the spike function returned {named} for a jax.Array")
    assert found.traceback == ""
    assert found.script == ""  # a factory within a function cannot be imported


def test_a_property_that_cannot_be_judged_here_is_skipped_with_its_reason() -> None:
    if len(jax.devices()) > 1 or jax.default_backend() != "cpu":
        pytest.skip("this machine has a device to compare with")
    assert outcome(SlayerGrad, "device.agreement") == Skipped(
        "cpu:0 is the only device: there is none to compare it with"
    )


def test_evaluations_are_shared_within_a_case() -> None:
    calls: list[Any] = []

    def counting(alpha: float) -> Spike:
        def spike(x: jax.Array) -> jax.Array:
            calls.append(x.shape)
            return SlayerGrad(alpha)(x)

        return spike

    judged(counting, "gradient.oracle")
    alone = len(calls)
    calls.clear()
    judged(counting, "gradient.oracle", "gradient.peak", "gradient.symmetry", "gradient.range", "gradient.nonfinite")
    assert len(calls) == alone == 1


def test_the_factory_is_called_once_a_case_with_the_parameters_by_keyword() -> None:
    built: list[float] = []

    def counting(*, alpha: float) -> Spike:
        built.append(alpha)
        return SlayerGrad(alpha)

    planned = plan([counting], SLAYER, params={"alpha": [0.5, 2]}, profile="quick", dtypes=["float32"], framework="jax")
    units = [u for u in planned.units if u.property_id in ("gradient.peak", "gradient.range")]
    assert all(isinstance(r.outcome, Passed) for r in run(units))
    assert built == [0.5, 2.0] * len({u.case.device for u in units})


def test_results_come_as_they_happen_and_in_the_order_of_the_plan() -> None:
    planned = plan([SlayerGrad], SLAYER, params={"alpha": [1]}, profile="quick", dtypes=["float32"], framework="jax")
    stream = run(planned.units)
    first = next(stream)
    assert first.property_id == planned.units[0].property_id


def test_numpys_warnings_within_a_judge_do_not_end_the_run() -> None:
    def infinite(alpha: float) -> Spike:
        return lambda x: SlayerGrad(alpha)(x) * jnp.where(jnp.abs(x) < 1, jnp.inf, 1)

    # Here every warning is an error.
    states = {r.outcome.state for r in judged(infinite, "gradient.*", "forward.*")}
    assert states - {"skipped"} == {"passed", "failed"}


def test_a_property_that_raises_is_errored_and_the_others_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(case: Any) -> Any:
        raise KeyError("a slip of the harness")

    known = sys.modules["surrogate_core.engine.run"].get_property
    monkeypatch.setattr(
        sys.modules["surrogate_core.engine.run"],
        "get_property",
        lambda name: dataclasses.replace(known(name), observe=broken) if name == "gradient.peak" else known(name),
    )
    found = {r.property_id: r.outcome for r in judged(SlayerGrad, "gradient.peak", "forward.step")}
    assert errored(found["gradient.peak"]).message.startswith("the property itself raised, which says nothing")
    assert isinstance(found["forward.step"], Passed)
