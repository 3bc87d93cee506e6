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
from handmade import ALPHA, ROUNDED, ask
from jax.extend.core import Primitive

from surrogate_core.drivers import BrokenContract, Observation, Request, Transform, Unsupported
from surrogate_core.drivers import jax as jax_driver
from surrogate_core.drivers.jax import JaxDriver
from surrogate_core.drivers.jax_devices import compiled_with
from surrogate_core.slayer import SlayerGrad
from surrogate_core.spec import FORMATS

DRIVER = JaxDriver()
CPU = "cpu:0"
X = np.array([-2.0, -0.5, -0.0, 0.0, 0.25, 3.0], np.float32)
CUBE = np.linspace(-2, 2, 24, dtype=np.float32).reshape(2, 3, 4)
WEIGHTS = np.resize(np.array([1.0, -2.0, 0.5], np.float32), CUBE.shape)
JIT, VMAP = Transform("jit"), Transform("vmap", 1, 2)

Spike = Callable[[Any], Any]


@jax.custom_vjp
def reverse_only(x: jax.Array) -> jax.Array:
    return (x >= 0).astype(x.dtype)


reverse_only.defvjp(lambda x: (reverse_only(x), x), lambda x, c: (c * jnp.exp(-ALPHA * jnp.abs(x)),))


def observe(request: Request, function: Spike | None = None) -> Observation:
    with DRIVER.scope(request.x.dtype.name, CPU):
        return DRIVER.observe(function or SlayerGrad(ALPHA), request, CPU)


def agree(request: Request) -> None:
    found, expected = observe(request), ask(request)
    np.testing.assert_array_equal(found.value, expected.value, strict=True)
    if expected.derivative is None:
        assert found.derivative is None
    else:
        np.testing.assert_allclose(found.gradient, expected.gradient, rtol=ROUNDED, strict=True)


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


def test_what_jax_lacks_is_unsupported() -> None:
    for name in ("transposed", "sliced", "expanded", "no_grad", "inference_mode", "autocast"):
        with pytest.raises(Unsupported, match=f"^{name}: JAX has nothing of that kind"):
            observe(Request("value", X, inner=(Transform(name),)))


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
