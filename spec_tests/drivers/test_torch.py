# The driver is asked through spike functions of every make that PyTorch knows: old, new, and plain.
from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from handmade import ALPHA, ask

from surrogate_core.drivers import BrokenContract, Observation, Request, Transform, Unsupported
from surrogate_core.spec import FORMATS

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed: pip install 'surrogate_core[torch]'", allow_module_level=True)

import torch

from surrogate_core.drivers.torch import TorchDriver

DRIVER = TorchDriver()
CPU = "cpu:0"
X = np.array([-2.0, -0.5, -0.0, 0.0, 0.25, 3.0], np.float32)
CUBE = np.linspace(-2, 2, 24, dtype=np.float32).reshape(2, 3, 4)
WEIGHTS = np.resize(np.array([1.0, -2.0, 0.5], np.float32), CUBE.shape)
VMAP = Transform("vmap", 1, 2)

Spike = Callable[[Any], Any]


class Old(torch.autograd.Function):
    """A function as they were written before torch.func: forward and backward alone."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return cotangents[0] * torch.exp(-ALPHA * x.abs())


class New(torch.autograd.Function):
    """One that torch.func can transform, in both modes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor) -> torch.Tensor:
        return (x >= 0).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.save_for_forward(inputs[0])

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return cotangents[0] * torch.exp(-ALPHA * x.abs())

    @staticmethod
    def jvp(ctx: Any, *tangents: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return tangents[0] * torch.exp(-ALPHA * x.abs())


def make_new(alpha: float) -> Spike:
    """A factory that a script can import."""
    assert alpha == ALPHA
    return New.apply


def observe(request: Request, function: Spike = New.apply) -> Observation:
    with DRIVER.scope(request.x.dtype.name, CPU):
        return DRIVER.observe(function, request, CPU)


def agree(request: Request, function: Spike = New.apply) -> None:
    found, expected = observe(request, function), ask(request)
    np.testing.assert_array_equal(found.value, expected.value, strict=True)
    if expected.derivative is None:
        assert found.derivative is None
    else:
        np.testing.assert_allclose(found.gradient, expected.gradient, rtol=1e-6, strict=True)


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


SCRIPTS = [
    Request("value", X),
    Request("vjp", X),
    Request("vjp", X, direction=2 * X),
    Request("jvp", X, direction=X),
    Request("grad", X),
    Request("jacrev", X),
    Request("jacfwd", X),
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
    tensor = re.split("dtype=|grad_fn=", printed.getvalue())[0]
    numbers = np.array([float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[+-]\d+)?", tensor)])
    np.testing.assert_allclose(numbers, expected.ravel().astype(np.float64), rtol=1e-2 if "16" in source else 1e-6)


@pytest.fixture(autouse=True)
def print_options_restored() -> Any:
    """A script of these tests prints more digits than PyTorch does by itself."""
    yield
    torch.set_printoptions(profile="default")
