# The driver is asked through spike functions of every make that PyTorch knows: old, new, and plain.
from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import warnings
from typing import Any

import numpy as np
import pytest
from handmade import ALPHA, ROUNDED, ask

from surrogate_core.drivers import BrokenContract, Request, Transform, Unsupported
from surrogate_core.spec import FORMATS

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed: pip install 'surrogate_core[torch]'", allow_module_level=True)

import torch
from drivers.torch_made import (
    CPU,
    CUBE,
    DRIVER,
    HEAVY,
    HYPER,
    VMAP,
    WEIGHTS,
    New,
    Old,
    Spike,
    X,
    agree,
    observe,
    seen_by,
)


def make_new(alpha: float) -> Spike:
    """A factory that a script can import."""
    assert alpha == ALPHA
    return New.apply


@pytest.mark.parametrize("operation", ["value", "vjp", "jvp", "grad", "jacrev", "jacfwd"])
def test_every_operation_answers(operation: Any) -> None:
    agree(Request(operation, X))


@pytest.mark.parametrize("operation", ["vjp", "jvp"])
def test_a_direction_is_pulled_back_and_pushed_forward(operation: Any) -> None:
    agree(Request(operation, X, direction=np.array([0, -1, 2, 0.5, 3, -4], np.float32)))


def test_an_old_function_gives_values_and_gradients() -> None:
    agree(Request("value", X), Old.apply)
    agree(Request("vjp", X, direction=2 * X), Old.apply)


def test_batched_over_an_axis_of_the_whole_results_move() -> None:
    agree(Request("vjp", CUBE, direction=WEIGHTS, outer=(VMAP,)))
    agree(Request("vjp", CUBE, outer=(Transform("vmap", -1, 0),)))
    agree(Request("jvp", CUBE, direction=WEIGHTS, outer=(VMAP,)))


def test_batched_over_an_axis_of_the_spike_function_the_spikes_move() -> None:
    agree(Request("value", CUBE, inner=(VMAP,)))
    agree(Request("vjp", CUBE, direction=np.moveaxis(WEIGHTS, 1, 2), inner=(VMAP,)))


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 1, 3)])
def test_every_shape_comes_back(shape: tuple[int, ...]) -> None:
    agree(Request("vjp", np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)))


@pytest.mark.parametrize("dtype", FORMATS)
def test_every_format_is_judged_in_itself(dtype: str) -> None:
    found = observe(Request("vjp", X.astype(FORMATS[dtype].dtype)))
    assert found.value.dtype == found.gradient.dtype == FORMATS[dtype].dtype


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_bit_pattern_passes_the_door_and_comes_back(dtype: str) -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    inside: list[Any] = []

    def identity(x: torch.Tensor) -> torch.Tensor:
        inside.append(x.view(torch.int16).numpy().view(np.uint16))
        return x

    found = observe(Request("value", bits.view(FORMATS[dtype].dtype)), identity)
    assert found.value.dtype == FORMATS[dtype].dtype
    np.testing.assert_array_equal(inside[0], bits)
    np.testing.assert_array_equal(found.value.view(np.uint16), bits)


def test_inputs_are_copies_so_that_nothing_can_change_them() -> None:
    x = X.copy()
    observe(Request("value", x), lambda t: t.add_(1))
    np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize("function", [lambda x: (x >= 0).to(x.dtype), lambda x: torch.ones_like(x, requires_grad=True)])
def test_where_no_graph_reaches_the_input_the_gradient_is_zero(function: Spike) -> None:
    np.testing.assert_array_equal(observe(Request("vjp", X), function).gradient, 0)


def test_new_tensors_are_made_on_the_device_under_test() -> None:
    with DRIVER.scope("float32", "meta"):
        assert torch.ones(1).device.type == "meta"


@pytest.mark.parametrize(
    ("answer", "named"),
    [(lambda x: None, "None"), (lambda x: (x, x), "a tuple"), (lambda x: 1.0, "a float"), (lambda x: [x], "a list")],
)
@pytest.mark.parametrize("operation", ["value", "vjp"])
def test_what_is_no_tensor_breaks_the_contract(answer: Spike, named: str, operation: Any) -> None:
    with pytest.raises(BrokenContract, match=rf"returned {named} for a tensor of dtype torch.float32 and shape \(6,\)"):
        observe(Request(operation, X), answer)


def test_a_shape_that_takes_no_cotangent_breaks_the_contract() -> None:
    with pytest.raises(BrokenContract, match=r"returned the shape \(\); expected \(6,\)"):
        observe(Request("vjp", X, direction=X), lambda x: x.sum())


@pytest.mark.parametrize(
    "request_",
    [
        Request("jvp", X),
        Request("grad", X),
        Request("jacfwd", X),
        Request("vjp", CUBE, outer=(VMAP,)),
        Request("value", CUBE, inner=(VMAP,)),
    ],
    ids=lambda r: f"{r.operation}-{r.inner}-{r.outer}",
)
def test_an_old_function_under_torch_func_is_unsupported(request_: Request) -> None:
    with pytest.raises(Unsupported, match=r"setup_context|vmap") as caught:
        observe(request_, Old.apply)
    assert "\n" not in str(caught.value)


def test_forward_mode_without_a_jvp_rule_is_unsupported() -> None:
    class ReverseOnly(New):
        jvp = torch.autograd.Function.jvp

    agree(Request("grad", X), ReverseOnly.apply)
    with pytest.raises(Unsupported, match=r"^forward mode: "):
        observe(Request("jvp", X), ReverseOnly.apply)


def test_a_second_backward_pass_goes_through_the_graph_of_the_first() -> None:
    seen: list[float] = []

    class Watched(Old):
        @staticmethod
        def backward(ctx: Any, *cotangents: torch.Tensor) -> torch.Tensor:
            seen.append(cotangents[0][0].item())
            return Old.backward(ctx, *cotangents)

    agree(Request("vjp again", X, direction=3 + 0 * X), Watched.apply)
    assert seen == [-6, 3]
    agree(Request("vjp again", X))
    np.testing.assert_array_equal(observe(Request("vjp again", X), lambda x: (x >= 0).to(x.dtype)).gradient, 0)


def test_a_compiled_surrogate_that_gives_its_memory_away_lacks_a_second_backward_pass() -> None:
    class Once(Old):
        @staticmethod
        def backward(ctx: Any, *cotangents: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("This backward function was compiled with non-empty donated buffers which requires ...")

    with pytest.raises(Unsupported, match=r"^a second backward pass of one graph: This backward function was compiled"):
        observe(Request("vjp again", X), Once.apply)
    with pytest.raises(RuntimeError, match="donated buffers"):
        observe(Request("vjp", X), Once.apply)


def test_batching_without_a_rule_is_unsupported() -> None:
    class NoRule(New):
        generate_vmap_rule = False

    with pytest.raises(Unsupported, match=r"^batching \(torch.func.vmap\): "):
        observe(Request("value", CUBE, inner=(VMAP,)), NoRule.apply)


@pytest.mark.parametrize("kind", [TypeError, RuntimeError, ValueError, KeyError])
def test_the_implementations_own_exception_comes_through(kind: type[Exception]) -> None:
    def broken(x: torch.Tensor) -> torch.Tensor:
        raise kind("my own mistake")

    with pytest.raises(kind, match="my own mistake"):
        observe(Request("vjp", X), broken)


def test_the_cpu_is_listed_and_what_is_absent_is_said() -> None:
    names = [device.name for device in DRIVER.devices()]
    assert names[-1] == CPU
    assert set(DRIVER.absent()) == {"cuda", "mps"} - {name.partition(":")[0] for name in names}
    assert DRIVER.version() == torch.__version__
    assert DRIVER.compilations() == 0


LAYOUTS = ("transposed", "sliced", "expanded", "channels_last")
ARRIVING = ("transposed cotangent", "sliced cotangent", "expanded cotangent", "repeated cotangent")
MODES = ("no_grad", "inference_mode")
COPIES = ("deepcopy", "pickle")


class Rated(torch.nn.Module):
    """A module whose rate a copy must keep."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.rate * New.apply(x)


@pytest.mark.parametrize("name", [*LAYOUTS, "autocast", "checkpoint", *COPIES])
@pytest.mark.parametrize("x", [CUBE, X, np.array(0.5, np.float32), X[:0]], ids=lambda x: str(x.shape))
def test_what_changes_no_answer_changes_none(name: Any, x: np.ndarray) -> None:
    direction = np.resize(WEIGHTS, x.shape)
    agree(Request("vjp", x, direction=direction, inner=(Transform(name),)), New.apply)
    agree(Request("value", x, inner=(Transform(name),)), Old.apply)


@pytest.mark.parametrize("name", MODES)
def test_without_a_graph_the_spikes_are_there_all_the_same(name: Any) -> None:
    agree(Request("value", CUBE, inner=(Transform(name),)))


def test_each_mode_is_in_force_when_the_spike_function_is_called() -> None:
    assert seen_by(lambda x: torch.is_grad_enabled())
    assert not seen_by(lambda x: torch.is_grad_enabled(), "no_grad")
    assert seen_by(lambda x: torch.is_inference_mode_enabled(), "inference_mode")
    assert seen_by(lambda x: torch.get_autocast_dtype("cpu"), "autocast") is torch.bfloat16
    assert seen_by(lambda x: torch.is_autocast_enabled("cpu"), "autocast")


@pytest.mark.parametrize("name", COPIES)
def test_a_copied_module_is_evaluated_in_place_of_the_original(name: Any) -> None:
    module = Rated(3.0)
    calls: list[Any] = []
    module.register_forward_hook(lambda *_: calls.append("the original") if module.training else None)
    if name == "pickle":
        with pytest.raises(Unsupported, match=r"^pickle of an instance of Rated: "):
            observe(Request("vjp", X, inner=(Transform(name),)), module)
    found = observe(Request("vjp", X, inner=(Transform(name),)), Rated(3.0))
    np.testing.assert_array_equal(found.value, 3 * ask(Request("vjp", X)).value)


def test_compiled_the_answer_is_the_same_and_every_variant_is_compiled_anew() -> None:
    def make(rate: float) -> Spike:
        return lambda x: New.apply(x) * (rate if torch.compiler.is_compiling() else 0.0)

    # One more than the variants of one code that Dynamo compiles.
    for rate in range(1, torch._dynamo.config.recompile_limit + 2):
        found = observe(Request("vjp", X, inner=(Transform("jit"),)), make(float(rate)))
        np.testing.assert_allclose(found.gradient, rate * ask(Request("vjp", X)).gradient, rtol=ROUNDED)


def broken(x: torch.Tensor) -> torch.Tensor:
    spikes = Old.apply(x)
    torch._dynamo.graph_break()
    return spikes + 0


@pytest.mark.parametrize(
    ("spike", "programs", "why"),
    [
        (lambda x: Old.apply(x), 1, ""),
        # What it does with a forward mode of one's own is eager, and may be compiled some day.
        (lambda x: New.apply(x), 1, "Unsupported custom jvp: "),
        (broken, 2, "Call to `torch._dynamo.graph_break()`: User-inserted graph break."),
        (torch.compiler.disable(lambda x: Old.apply(x)), 0, "Skip calling `torch.compiler.disable()`d function: "),
    ],
    ids=["one program", "the forward alone", "two", "none"],
)
def test_compiled_it_is_told_how_many_programs_there_are_and_why_one_was_left(
    spike: Spike, programs: int, why: str
) -> None:
    found = observe(Request("vjp", X, inner=(Transform("jit"),)), spike)
    assert found.compiled == programs
    assert len(found.breaks) == bool(why)
    assert all(reason.startswith(why) and "0x" not in reason for reason in found.breaks)
    assert observe(Request("vjp", X), spike).breaks == ()


def test_what_pytorch_lacks_is_unsupported() -> None:
    for name in ("scan", "map", "cond", "while", "custom_vmap"):
        with pytest.raises(Unsupported, match=f"^{name}: PyTorch has nothing of that kind"):
            observe(Request("value", X, inner=(Transform(name),)))


def test_the_scope_that_threads_enter_leaves_the_filters_of_warnings_alone() -> None:
    before = list(warnings.filters)
    with DRIVER.scope("float32", CPU):
        assert warnings.filters == before


SCRIPTS = [
    Request("value", X),
    Request("vjp", X),
    Request("vjp", X, direction=2 * X),
    Request("vjp again", X, direction=2 * X),
    Request("jvp", X, direction=X),
    Request("grad", X),
    Request("jacrev", X),
    Request("jacfwd", X),
    *(Request("vjp", HYPER, direction=HEAVY, inner=(Transform(name),)) for name in (*LAYOUTS, "autocast", *COPIES)),
    *(Request("vjp", HYPER, direction=HEAVY, outer=(Transform(name),)) for name in ARRIVING),
    *(Request("value", CUBE, inner=(Transform(name),)) for name in MODES),
    Request("vjp", CUBE, direction=WEIGHTS, outer=(VMAP,)),
    Request("vjp", CUBE, direction=np.moveaxis(WEIGHTS, 1, 2), inner=(VMAP,)),
    Request("vjp", X.astype(np.float64)),
    Request("vjp", X.astype(np.float16)),
    Request("vjp", X.astype(FORMATS["bfloat16"].dtype)),
]


@pytest.mark.parametrize("request_", SCRIPTS, ids=lambda r: f"{r.operation}-{r.x.dtype}-{r.inner}-{r.outer}")
def test_the_script_prints_what_was_observed(request_: Request) -> None:
    source = DRIVER.script([request_], [f"make({ALPHA})"], "torch.set_printoptions(precision=8)")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        # PyTorch's own forward mode uses what PyTorch deprecates; a pasted script has warnings like any other.
        warnings.simplefilter("ignore", DeprecationWarning)
        exec(source, {"__name__": "pasted", "make": make_new})
    found = observe(request_)
    expected = found.value if found.derivative is None else found.derivative
    tensor = re.split(r"dtype=|grad_fn=|torch\.", printed.getvalue())[0]
    numbers = np.array([float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[+-]\d+)?", tensor)])
    np.testing.assert_allclose(numbers, expected.ravel().astype(np.float64), rtol=1e-2 if "16" in source else 1e-6)


@pytest.fixture(autouse=True)
def print_options_restored() -> Any:
    """A script of these tests prints more digits than PyTorch does by itself."""
    yield
    torch.set_printoptions(profile="default")
