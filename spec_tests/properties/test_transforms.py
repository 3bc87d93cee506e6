from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from handmade import ALPHA, DTYPES, SLAYER, ask, case, failed, judge, passed, rounded, slayer, step

from surrogate_core.drivers.base import Observation, Unsupported
from surrogate_core.properties import outcome as outcomes
from surrogate_core.properties.transforms import AXES, DEVICES, JIT, MODES, TANGENTS, VMAP

G = slayer()
PAIR = ("cpu:0", "gpu:0")
COMPILED = "jit of forward and backward"


def answer(
    judged: Any, name: str, forward: Callable[..., Any] = step, derivative: Any = G, **where: Any
) -> Observation:
    return ask(judged.observe(case(**where))[name], forward, derivative)


# ---- transform.jit -------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_jit_accepts_what_agrees_within_two_bounds(dtype: str) -> None:
    u = case(dtype).format.unit_roundoff
    near = answer(JIT, COMPILED, derivative=lambda x: G(x) * (1 + 6 * u), dtype=dtype)
    far = answer(JIT, COMPILED, derivative=lambda x: G(x) * (1 + 10 * u), dtype=dtype)
    assert passed(judge(JIT, case(dtype), instead={COMPILED: near})).remarks == ()
    outcome = failed(judge(JIT, case(dtype), instead={COMPILED: far}))
    assert outcome.given.startswith("x = 0 (")
    assert outcome.allowed.startswith("the plain call's 1 ± ")


def test_jit_rejects_other_spikes_exactly() -> None:
    for name in ("jit of the spikes", COMPILED):
        outcome = failed(judge(JIT, case(), instead={name: answer(JIT, name, lambda x: np.where(x > 0, 1, 0))}))
        assert outcome.given == "x = 0 (0x00000000)"
        assert outcome.measured == "0 (0x00000000)"
        assert outcome.allowed == "the plain call's 1"
        assert outcome.witness is not None
        assert outcome.witness.request.inner or outcome.witness.request.outer


def test_jit_remarks_that_a_compiler_flushes_subnormals_and_fails_it_where_the_spec_does() -> None:
    def flushed(x: np.ndarray) -> np.ndarray:
        return np.where(x > -(2.0**-126), 1.0, step(x))

    instead = {"jit of the spikes": answer(JIT, "jit of the spikes", flushed)}
    (remark,) = passed(judge(JIT, case(), instead=instead)).remarks
    assert remark.startswith("jit of the spikes takes negative subnormal input for zero")
    strict = case(spec=SLAYER.replace(flushing_tolerated=False))
    assert failed(judge(JIT, strict, instead=instead)).allowed == "the plain call's 0"


@pytest.mark.parametrize(
    ("programs", "breaks", "said"),
    [
        (1, (), None),
        (
            2,
            ("a jvp", "a print"),
            "torch.compile leaves its program, and runs eagerly what it cannot trace, such as the",
        ),
        (0, ("a jvp",), "torch.compile compiles none of it, and runs it eagerly: a jvp"),
        (0, (), "torch.compile compiles none of it, and runs it eagerly: it does not say why"),
    ],
)
def test_jit_remarks_what_torch_compile_did_not_compile(
    programs: int, breaks: tuple[str, ...], said: str | None
) -> None:
    there: dict[str, Any] = {"framework": "torch", "profile": "thorough"}
    given = {name: answer(JIT, name, **there) for name in ("jit of the spikes", COMPILED)}
    instead = {name: replace(one, compiled=programs, breaks=breaks) for name, one in given.items()}
    outcome = passed(judge(JIT, case(**there), instead=instead))
    assert [remark.startswith(said or "?") for remark in outcome.remarks] == [True] * bool(said)
    assert outcome.figures["programs"] == [programs, programs]
    assert outcome.figures["graph_breaks"] == list(breaks)


def test_jit_compares_with_the_plain_call_and_not_with_the_spec() -> None:
    passed(judge(JIT, case(), lambda x: np.where(x > 0, 1.0, 0.0), lambda x: 3 * G(x)))
    nan = answer(JIT, COMPILED, derivative=lambda x: np.where(x == 3, np.nan, G(x)))
    passed(judge(JIT, case(), derivative=lambda x: np.where(x == 3, np.nan, G(x))))
    assert failed(judge(JIT, case(), instead={COMPILED: nan})).given == "x = 3 (0x40400000)"


def test_torch_compile_is_judged_in_the_thorough_profile_alone() -> None:
    assert JIT.skip(case()) is None
    assert JIT.skip(case(framework="torch", profile="thorough")) is None
    for profile in ("quick", "standard"):
        reason = JIT.skip(case(framework="torch", profile=profile)) or ""
        assert "torch.compile" in reason
        assert "thorough" in reason


def test_torch_compile_is_given_the_spike_function() -> None:
    for framework, inside in (("jax", False), ("torch", True)):
        request = JIT.observe(case(framework=framework))[COMPILED]
        assert bool(request.inner) == inside != bool(request.outer)


# ---- transform.vmap ------------------------------------------------------------------------------

FIRST = "vmap(in_axes=0, out_axes=0)(vjp(spike))"
MOVED = "vmap(in_axes=1, out_axes=0)(vjp(spike))"
INNER = "vjp(vmap(in_axes=-1, out_axes=1)(spike))"


def test_vmap_asks_for_several_axes_both_ways() -> None:
    names = set(VMAP.observe(case()))
    assert {"plain", FIRST, MOVED, INNER} <= names
    assert len([name for name in names if not name.endswith(", eager")]) == 1 + 2 * len(AXES)
    assert "plain, eager" in names
    assert passed(judge(VMAP, case())).figures == {"axes": [list(a) for a in AXES]}


def test_vmap_batches_both_evenly_and_oddly_many_and_shows_what_fails_in_a_script() -> None:
    first = [r for r in VMAP.observe(case(framework="torch")).values() if r.outer]
    batches = [request.x.shape[request.outer[0].in_axis] for request in first]
    assert {size % 2 for size in batches if size > 6} == {0, 1}
    right = answer(VMAP, FIRST)
    assert failed(judge(VMAP, case(), instead={FIRST: Observation(right.value, -right.gradient)})).witness is not None


def test_vmap_rejects_a_rule_that_forgets_to_move_the_axis() -> None:
    right = answer(VMAP, MOVED)
    stuck = Observation(np.moveaxis(right.value, 0, 1), np.moveaxis(right.gradient, 0, 1))
    outcome = failed(judge(VMAP, case(), instead={MOVED: stuck}))
    assert outcome.given == f"{MOVED}, x of shape (12, 3, 7)"
    assert outcome.measured == "spikes of shape (12, 3, 7)"
    assert outcome.allowed == "spikes of shape (3, 12, 7)"


def test_vmap_rejects_the_right_shape_with_the_wrong_content() -> None:
    right = answer(VMAP, MOVED)
    scrambled = Observation(right.value, right.gradient[::-1])
    outcome = failed(judge(VMAP, case(), instead={MOVED: scrambled}))
    assert outcome.measured.startswith("gradient[")
    assert outcome.allowed.startswith("the plain call's ")


def test_vmap_rejects_one_wrong_spike_and_a_gradient_that_lost_its_cotangent() -> None:
    right = answer(VMAP, INNER)
    value = right.value.copy()
    value[0, 0, 0] = 0.5
    outcome = failed(judge(VMAP, case(), instead={INNER: Observation(value, right.gradient)}))
    assert outcome.measured == "spikes[0, 0, 0] = 0.5"
    ones = Observation(right.value, np.abs(right.gradient))
    assert failed(judge(VMAP, case(), instead={INNER: ones})).measured.startswith("gradient[")


def test_vmap_rejects_nan_in_one_of_the_two_and_accepts_it_in_both() -> None:
    right = answer(VMAP, FIRST)
    nan = Observation(right.value, np.full_like(right.gradient, np.nan))
    assert failed(judge(VMAP, case(), instead={FIRST: nan})).measured.endswith("= nan")
    passed(judge(VMAP, case(), derivative=lambda x: np.where(x == 0, np.nan, G(x))))
    passed(judge(VMAP, case(), derivative=lambda x: np.where(x == 0, np.inf, G(x))))


@pytest.mark.parametrize("dtype", DTYPES)
def test_vmap_allows_what_rounding_allows(dtype: str) -> None:
    u = case(dtype).format.unit_roundoff
    near = answer(VMAP, MOVED, derivative=lambda x: G(x) * (1 + 3 * u), dtype=dtype)
    far = answer(VMAP, MOVED, derivative=lambda x: G(x) * (1 + 60 * u), dtype=dtype)
    passed(judge(VMAP, case(dtype), instead={MOVED: near}))
    failed(judge(VMAP, case(dtype), instead={MOVED: far}))


def test_a_missing_batching_rule_is_unsupported_and_named() -> None:
    instead = {MOVED: Unsupported("no rule"), INNER: Unsupported("none here"), FIRST: Unsupported("no rule")}
    outcome = judge(VMAP, case(), instead=instead)
    assert outcome == outcomes.Unsupported(f"no rule [{FIRST}, {MOVED}]; none here [{INNER}]")


def test_a_failure_weighs_more_than_a_missing_rule() -> None:
    right = answer(VMAP, MOVED)
    failed(judge(VMAP, case(), instead={FIRST: Unsupported("x"), MOVED: Observation(right.value, -right.gradient)}))


# ---- transform.modes -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["grad", "jacrev", "jvp", "jacfwd"])
def test_modes_reject_a_mode_that_differs(mode: str) -> None:
    wrong = answer(MODES, mode, derivative=lambda x: np.exp(-2 * ALPHA * np.abs(x)))
    outcome = failed(judge(MODES, case(), instead={mode: wrong}))
    assert outcome.given.startswith(f"{mode} at x = ")
    assert outcome.measured.startswith("derivative ")
    assert outcome.allowed.startswith("what vjp gives: ")
    assert outcome.severity is not None
    assert 0.1 < outcome.severity < 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_modes_accept_what_rounds_otherwise(dtype: str) -> None:
    u = case(dtype).format.unit_roundoff
    near = answer(MODES, "jvp", derivative=lambda x: G(x) * (1 + 4 * u), dtype=dtype)
    assert passed(judge(MODES, case(dtype), instead={"jvp": near})).figures["modes"][0] == "vjp"


def test_modes_reject_a_jacobian_with_something_beside_the_diagonal() -> None:
    right = answer(MODES, "jacrev")
    full = right.gradient.copy()
    full[1, 4] = 0.25
    outcome = failed(judge(MODES, case(), instead={"jacrev": Observation(right.value, full)}))
    assert outcome.given == "jacrev of 25 inputs"
    assert outcome.measured == "d spike[1] / d x[4] = 0.25"
    assert outcome.allowed == "0: spikes are elementwise"


def test_modes_reject_spikes_that_differ_between_modes() -> None:
    for mode in ("vjp", "jvp", "jacrev"):
        other = answer(MODES, mode, lambda x: np.where(x > 0, 1, 0))
        outcome = failed(judge(MODES, case(), instead={mode: other}))
        assert outcome.given.startswith(f"{mode} at x = 0 (")
        assert outcome.measured.endswith("spike 0")
        assert outcome.allowed.endswith("spike 1 alone")


def test_modes_reject_a_tangent_that_is_clipped_which_ones_do_not_show() -> None:
    request = MODES.observe(case())[TANGENTS]
    assert request.direction is not None
    clipped = ask(replace(request, direction=np.clip(request.direction, -1, 1)))
    outcome = failed(judge(MODES, case(), instead={TANGENTS: clipped}))
    assert outcome.given.startswith("jvp of other tangents at x = ")
    assert outcome.allowed.startswith("what vjp gives times the tangent 3: ")
    assert outcome.severity == pytest.approx(2 / 3, rel=0.4)


@pytest.mark.parametrize("mode", ["grad", "jacfwd"])
def test_modes_tell_the_simplest_input_that_fails(mode: str) -> None:
    wrong = answer(MODES, mode, derivative=lambda x: 2 * G(x))
    assert failed(judge(MODES, case(), instead={mode: wrong})).given == f"{mode} at x = 0 (0x00000000)"


def test_modes_name_what_is_not_offered() -> None:
    outcome = judge(MODES, case(), instead={"jvp": Unsupported("no rule"), "jacfwd": Unsupported("none")})
    assert outcome == outcomes.Unsupported("no rule [jvp]; none [jacfwd]")
    with pytest.raises(Unsupported, match="nothing at all"):
        judge(MODES, case(), instead={"vjp": Unsupported("nothing at all")})


def test_modes_that_are_nan_together_agree() -> None:
    passed(judge(MODES, case(), derivative=lambda x: np.where(x == 0, np.nan, G(x))))
    alone = answer(MODES, "grad", derivative=lambda x: np.where(x == 0, np.nan, G(x)))
    outcome = failed(judge(MODES, case(), instead={"grad": alone}))
    assert outcome.measured.startswith("derivative nan")
    assert outcome.severity == np.inf


# ---- device.agreement ----------------------------------------------------------------------------


def test_devices_agree_within_two_bounds_and_are_named() -> None:
    where = case(devices=PAIR)
    assert set(DEVICES.observe(where)) == {"here", "gpu:0"}
    assert DEVICES.observe(where)["gpu:0"].device == "gpu:0"
    figures = passed(judge(DEVICES, where)).figures
    assert figures["devices"] == ["cpu:0", "gpu:0"]
    assert 0 < figures["bounds_off"]["cpu:0"] == figures["bounds_off"]["gpu:0"] < 0.25
    far = ask(DEVICES.observe(where)["gpu:0"], step, lambda x: G(x) * 1.001)
    outcome = failed(judge(DEVICES, where, instead={"gpu:0": far}))
    assert outcome.allowed.startswith("the plain call's 1 ± ")
    here, there = outcome.measured.partition("; largest error in bounds: ")[2].split(", ")
    assert float(here.removesuffix(" on cpu:0")) < 0.25
    assert float(there.removesuffix(" on gpu:0")) > 1000


def test_one_device_alone_is_skipped() -> None:
    assert DEVICES.skip(case(devices=PAIR)) is None
    assert DEVICES.skip(case(devices=("cpu:0",))) == "cpu:0 is the only device: there is none to compare it with"


def test_a_device_that_flushes_is_remarked_on() -> None:
    where = case(devices=PAIR)
    request = DEVICES.observe(where)["gpu:0"]
    spikes = rounded(np.where(where.sweep.exact > -(2.0**-126), 1.0, 0.0), request.x.dtype)
    flushed = Observation(np.where(np.isnan(where.sweep.exact), 0, spikes).astype(np.float32), ask(request).gradient)
    (remark,) = passed(judge(DEVICES, where, instead={"gpu:0": flushed})).remarks
    assert remark.startswith("gpu:0 takes negative subnormal input for zero")
