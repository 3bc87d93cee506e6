from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drivers.jax_made import CPU, CUBE, DRIVER, JIT, VMAP, WEIGHTS, Spike, X, agree, observe, reverse_only
from handmade import ALPHA, ROUNDED, ask

from surrogate_core.drivers import Request, Transform, Unsupported
from surrogate_core.drivers import jax as jax_driver
from surrogate_core.drivers.jax_devices import compiled_with
from surrogate_core.slayer import SlayerGrad
from surrogate_core.spec import FORMATS


def test_float64_exists_within_its_scope_only() -> None:
    before = bool(jax.config.values["jax_enable_x64"])
    found = observe(Request("vjp", X.astype(np.float64)))
    assert found.value.dtype == found.gradient.dtype == np.float64
    assert found.gradient[1] == pytest.approx(np.exp(-ALPHA / 2), rel=1e-15)
    assert bool(jax.config.values["jax_enable_x64"]) == before


def test_float32_is_float32_where_float64_is_switched_on() -> None:
    with jax.enable_x64(True):
        inside: list[Any] = []
        observe(Request("value", X), lambda x: inside.append(jnp.ones(()).dtype) or x)
    assert inside == [np.float32]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_bit_pattern_passes_the_door_and_comes_back(dtype: str) -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    inside: list[Any] = []

    def identity(x: jax.Array) -> jax.Array:
        inside.append(np.asarray(jax.lax.bitcast_convert_type(x, jnp.uint16)))
        return x

    found = observe(Request("value", bits.view(FORMATS[dtype].dtype)), identity)
    assert found.value.dtype == FORMATS[dtype].dtype
    np.testing.assert_array_equal(inside[0], bits)
    np.testing.assert_array_equal(found.value.view(np.uint16), bits)


def test_an_answer_keeps_the_dtype_that_the_implementation_chose() -> None:
    x = X.astype(np.float16)
    for request in (Request("vjp", x), Request("vjp", x, direction=np.ones_like(x))):
        found = observe(request, lambda x: SlayerGrad(ALPHA)(x).astype(jnp.float32))
        assert (found.value.dtype, found.gradient.dtype) == (np.float32, np.float16)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[object]]:
    """Compiling with options raises an error of XLA that says so; what is returned fills with what was asked."""

    def refuse(message: str) -> list[object]:
        asked: list[object] = []

        def compile_(self: Any, compiler_options: object = None) -> str:
            asked.append(compiler_options)
            if compiler_options:
                raise jax.errors.JaxRuntimeError(message)
            return "compiled"

        monkeypatch.setattr(jax.stages.Lowered, "compile", compile_)
        return asked

    return refuse


def test_without_an_option_that_xla_does_not_know_a_program_compiles_all_the_same() -> None:
    lowered = jax.jit(jnp.sin).lower(1.0)
    assert compiled_with(lowered, {"xla_of_another_year": True})(0.0) == 0


@pytest.mark.parametrize("message", ["INTERNAL: out of memory", "INVALID_ARGUMENT: 'wide' is not a valid int32 value"])
def test_what_else_goes_wrong_as_a_program_compiles_is_told(
    message: str, refused: Callable[[str], list[object]]
) -> None:
    lowered, asked = jax.jit(jnp.sin).lower(1.0), refused(message)
    with pytest.raises(jax.errors.JaxRuntimeError, match=message):
        compiled_with(lowered, {"xla_backend_optimization_level": 0})
    assert asked == [{"xla_backend_optimization_level": 0}]


def test_every_device_is_listed_and_what_is_absent_is_said() -> None:
    names = [device.name for device in DRIVER.devices()]
    assert CPU in names
    assert len(names) == len(set(names)) >= len(jax.devices())
    present = {name.partition(":")[0] for name in names}
    assert set(DRIVER.absent()) == {"gpu", "tpu"} - present
    assert DRIVER.version() == jax.__version__


def test_compilations_are_counted() -> None:
    def shifted(x: jax.Array) -> jax.Array:
        return x * 1.2345

    before = DRIVER.compilations()
    observe(Request("value", np.ones(17, np.float32), inner=(JIT,)), shifted)
    assert DRIVER.compilations() > before


class Fickle:
    """Right in itself, and wrong in every copy."""

    def __init__(self, rate: float = 2 * ALPHA) -> None:
        self.rate = rate

    def __call__(self, x: jax.Array) -> jax.Array:
        return SlayerGrad(self.rate)(x)

    def __reduce__(self) -> Any:
        return Fickle, ()


@pytest.mark.parametrize("name", ["deepcopy", "pickle"])
@pytest.mark.parametrize("outer", [(), (JIT,)], ids=["plain", "jit"])
def test_a_copy_is_evaluated_in_place_of_the_original(name: Any, outer: tuple[Transform, ...]) -> None:
    copy, plain = Request("vjp", X, inner=(Transform(name),), outer=outer), Request("vjp", X, outer=outer)
    twice = np.exp(-2 * ALPHA * np.abs(X.astype(np.float64)))
    np.testing.assert_allclose(observe(copy, Fickle(ALPHA)).gradient, twice, rtol=ROUNDED)
    with DRIVER.scope("float32", CPU):
        together = DRIVER.observe_together(Fickle(ALPHA), [plain, copy], CPU)
    if outer:
        assert [request for request, _ in together] == [plain, copy]
        np.testing.assert_allclose(together[0][1]().gradient, ask(plain).gradient, rtol=ROUNDED)
        np.testing.assert_allclose(together[1][1]().gradient, twice, rtol=ROUNDED)
    else:
        assert together == []


def test_what_cannot_be_copied_is_unsupported_and_does_not_spoil_the_program_of_the_others() -> None:
    requests = [Request("vjp", k * X, outer=(JIT,)) for k in (1, 2)]
    pickled = Request("vjp", X, inner=(Transform("pickle"),), outer=(JIT,))
    with pytest.raises(Unsupported, match=r"^pickle of the function: "):
        observe(pickled, lambda x: SlayerGrad(ALPHA)(x))
    with DRIVER.scope("float32", CPU):
        together = DRIVER.observe_together(lambda x: SlayerGrad(ALPHA)(x), [*requests, pickled], CPU)
    assert [request for request, _ in together] == requests


def test_a_donated_argument_is_seen() -> None:
    @jax.custom_vjp
    def donating(x: jax.Array) -> jax.Array:
        return (x >= 0).astype(x.dtype)

    pull = jax.jit(lambda x, c: c * jnp.exp(-ALPHA * jnp.abs(x)), donate_argnums=1)
    donating.defvjp(lambda x: (donating(x), x), lambda x, c: (pull(x, c),))
    step = jax.jit(lambda x: (x >= 0).astype(x.dtype), donate_argnums=0)
    given = X.copy()
    assert observe(Request("vjp", given, direction=given), donating).touched == ("the cotangent was donated",)
    assert observe(Request("value", given), step).touched == ("x was donated",)
    assert observe(Request("vjp", given, direction=given)).touched == ()
    np.testing.assert_array_equal(given, X)


def test_a_donated_answer_to_an_earlier_call_is_seen() -> None:
    last = [jnp.zeros(X.shape, jnp.float32)]
    step = jax.jit(lambda x, memory: (x >= 0).astype(x.dtype), donate_argnums=1, keep_unused=True)

    def remembering(x: jax.Array) -> jax.Array:
        last[0] = step(x, last[0])
        return last[0]

    told = ("the output of an earlier call was donated",)
    assert observe(Request("value", 2 * X, warm=X), remembering).touched == told
    assert observe(Request("value", 2 * X, warm=X)).touched == ()
    assert observe(Request("vjp", 2 * X, warm=X)).touched == ()


@pytest.mark.parametrize("outer", [(), (JIT,)], ids=["plain", "jit"])
def test_a_second_cotangent_is_pulled_back_through_the_same_forward_pass(outer: tuple[Transform, ...]) -> None:
    pulled: list[float] = []

    @jax.custom_vjp
    def watched(x: jax.Array) -> jax.Array:
        return reverse_only(x)

    def back(x: jax.Array, c: jax.Array) -> tuple[jax.Array]:
        jax.debug.callback(lambda first: pulled.append(float(first)), c[0])
        return (c * jnp.exp(-ALPHA * jnp.abs(x)),)

    watched.defvjp(lambda x: (reverse_only(x), x), back)
    agree(Request("vjp again", X, direction=2 * X, outer=outer))
    observe(Request("vjp again", X, outer=outer), watched)
    jax.effects_barrier()
    assert sorted(pulled) == [-2, 1]


def test_another_call_in_between_may_be_given_infinite_numbers_without_a_warning() -> None:
    largest = np.array([-1, 1], np.float32) * np.finfo(np.float32).max
    np.testing.assert_array_equal(observe(Request("late vjp", largest)).value, [0, 1])


OTHER = np.linspace(-1, 1, 6, dtype=np.float32)


@pytest.mark.parametrize("outer", [(), (JIT,)], ids=["plain", "jit"])
def test_what_a_second_call_compiles_is_counted_and_the_first_is_not(outer: tuple[Transform, ...]) -> None:
    def remaking(x: jax.Array) -> jax.Array:
        return jax.jit(lambda x: SlayerGrad(ALPHA)(x) * 1)(x)

    request = Request("vjp", X, direction=X, warm=OTHER, outer=outer)
    assert observe(request).compiled == 0
    # Within one program a new function is traced once, like any other.
    assert (observe(request, remaking).compiled > 0) == (not outer)
    np.testing.assert_allclose(observe(request).gradient, ask(request).gradient, rtol=ROUNDED)


def test_the_first_call_may_take_its_cotangent_away() -> None:
    pull = jax.jit(lambda x, c: c * jnp.exp(-ALPHA * jnp.abs(x)), donate_argnums=1)

    @jax.custom_vjp
    def greedy(x: jax.Array) -> jax.Array:
        return (x >= 0).astype(x.dtype)

    greedy.defvjp(lambda x: (greedy(x), x), lambda x, c: (pull(x, c),))
    request = Request("vjp", X, direction=X, warm=OTHER)
    np.testing.assert_allclose(observe(request, greedy).gradient, ask(request).gradient, rtol=ROUNDED)


BOTH_MODES = [Request(operation, X, outer=(JIT,)) for operation in ("vjp", "jvp", "grad")]


def test_forward_and_reverse_mode_share_a_program() -> None:
    with DRIVER.scope("float32", CPU):
        before = DRIVER.compilations()
        together = DRIVER.observe_together(SlayerGrad(ALPHA), BOTH_MODES, CPU)
        answers = {request: answer() for request, answer in together}
        assert DRIVER.compilations() == before + 1
    for request in BOTH_MODES:
        np.testing.assert_allclose(answers[request].gradient, ask(request).gradient, rtol=ROUNDED)


def test_where_forward_mode_is_missing_the_others_share_a_program_all_the_same() -> None:
    with DRIVER.scope("float32", CPU):
        before = DRIVER.compilations()
        together = DRIVER.observe_together(reverse_only, BOTH_MODES, CPU)
        answers = {request: answer() for request, answer in together}
        assert DRIVER.compilations() == before + 1
    assert {request.operation for request in answers} == {"vjp", "grad"}


def test_a_request_with_a_first_call_shares_no_program() -> None:
    requests = [Request("vjp", k * X, warm=OTHER, outer=(JIT,)) for k in (1, 2, 3)]
    with DRIVER.scope("float32", CPU):
        assert DRIVER.observe_together(SlayerGrad(ALPHA), requests, CPU) == []


def test_a_request_with_a_turn_of_its_own_shares_no_program() -> None:
    requests = [Request("vjp", k * X, outer=(JIT,), turn=1) for k in (1, 2, 3)]
    with DRIVER.scope("float32", CPU):
        assert DRIVER.observe_together(SlayerGrad(ALPHA), requests, CPU) == []


def test_a_request_within_a_trace_is_compiled_in_little_time_though_it_is_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[str] = []
    in_little_time = jax_driver._in_little_time  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(jax_driver, "_in_little_time", lambda *a: compiled.append(a[1]) or in_little_time(*a))
    request = Request("vjp", X, outer=(JIT,))
    with DRIVER.scope("float32", CPU):
        ((told, answer),) = DRIVER.observe_together(SlayerGrad(ALPHA), [request], CPU)
        assert told is request
        np.testing.assert_allclose(answer().gradient, observe(request).gradient, rtol=2 * ROUNDED)
    assert compiled == ["cpu"]


def counted(function: Spike) -> tuple[Spike, list[int]]:
    """The function, and as many entries as it was called."""
    calls: list[int] = []

    def counting(x: Any) -> Any:
        calls.append(x.size)
        return function(x)

    return counting, calls


def test_cotangents_of_the_same_inputs_are_pulled_back_through_one_call() -> None:
    requests = [Request("vjp", X), *(Request("vjp", X, direction=k * X) for k in (1, 2, 3))]
    others = [Request("value", X), Request("vjp", 2 * X, direction=X), Request("vjp", X, X, turn=1)]
    function, calls = counted(SlayerGrad(ALPHA))
    with DRIVER.scope("float32", CPU):
        together = DRIVER.observe_together(function, [*others, *requests], CPU)
        assert [request for request, _ in together] == requests
        assert calls == []  # not before somebody asks
        found = [answer() for _, answer in together]
    assert calls == [X.size]
    for request, one in zip(requests, found, strict=True):
        alone = observe(request)
        np.testing.assert_array_equal(one.value, alone.value, strict=True)
        np.testing.assert_array_equal(one.gradient, alone.gradient, strict=True)


def test_a_backward_pass_that_raises_or_takes_its_cotangent_is_left_to_be_asked_alone() -> None:
    pull = jax.jit(lambda x, c: c * jnp.exp(-ALPHA * jnp.abs(x)), donate_argnums=1)

    @jax.custom_vjp
    def greedy(x: jax.Array) -> jax.Array:
        return (x >= 0).astype(x.dtype)

    def refuse(x: jax.Array) -> jax.Array:
        raise RuntimeError

    greedy.defvjp(lambda x: (greedy(x), x), lambda x, c: (pull(x, c),))
    for function in (greedy, refuse):
        with DRIVER.scope("float32", CPU):
            together = DRIVER.observe_together(function, [Request("vjp", X, direction=k * X) for k in (1, 2)], CPU)
            for _, answer in together:
                with pytest.raises(KeyError):
                    answer()


@pytest.fixture
def x64_restored() -> Iterator[None]:
    """A script switches x64 on for its whole process, which here is ours."""
    before = jax.config.values["jax_enable_x64"]
    yield
    jax.config.update("jax_enable_x64", before)


SCRIPTS = [
    Request("value", X),
    Request("vjp", X),
    Request("vjp", X, direction=2 * X),
    Request("vjp again", X, direction=2 * X),
    Request("jvp", X, direction=X),
    Request("grad", X),
    Request("jacrev", X),
    Request("jacfwd", X),
    Request("vjp", X, inner=(Transform("deepcopy"),)),
    Request("vjp", X, inner=(Transform("pickle"),)),
    Request("vjp", X, inner=(JIT,)),
    Request("vjp", X, outer=(JIT,)),
    Request("vjp", CUBE, direction=WEIGHTS, outer=(VMAP,)),
    Request("vjp", CUBE, direction=np.moveaxis(WEIGHTS, 1, 2), inner=(VMAP,)),
    Request("vjp", X.astype(np.float64)),
    Request("vjp", X.astype(np.float16)),
    Request("vjp", X.astype(FORMATS["bfloat16"].dtype)),
]


@pytest.mark.usefixtures("x64_restored")
@pytest.mark.parametrize("request_", SCRIPTS, ids=lambda r: f"{r.operation}-{r.x.dtype}-{r.inner}-{r.outer}")
def test_the_script_prints_what_was_observed(request_: Request) -> None:
    source = DRIVER.script([request_], [f"SlayerGrad(alpha={ALPHA})"], "from surrogate_core import SlayerGrad")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), jax.default_device(jax.devices("cpu")[0]):
        exec(source, {"__name__": "pasted"})
    found = observe(request_)
    expected = found.value if found.derivative is None else found.derivative
    assert "surrogate_core.drivers" not in source
    shown = re.fullmatch(r"(.*?)(?:\] (\w+))?\n", printed.getvalue(), flags=re.DOTALL)
    assert shown
    array, dtype = shown.groups()
    assert dtype in (None, expected.dtype.name)  # told of spikes alone
    numbers = np.array([float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[+-]\d+)?", array)])
    np.testing.assert_allclose(numbers, expected.ravel().astype(np.float64), rtol=1e-2 if "16" in source else 1e-6)
