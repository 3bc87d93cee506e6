from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from handmade import DTYPES, ask, bound, case, judge, passed

import surrogate_core
from surrogate_core.drivers.base import Observation
from surrogate_core.properties.cost import RESIDUALS
from surrogate_core.properties.outcome import Passed


def kept(dtype: str, per_element: float, more: int = 0) -> dict[str, Observation]:
    request = bound(RESIDUALS, case(dtype))[0]["kept"]
    return {"kept": Observation(ask(request).value, np.array(request.x.size * per_element + more))}


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_array_and_a_few_scalars_are_enough(dtype: str) -> None:
    size = case(dtype).format.dtype.itemsize
    outcome = passed(judge(RESIDUALS, case(dtype), instead=kept(dtype, size, 64)))
    assert outcome.remarks == ()
    assert outcome.figures["per_input_byte"] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mask_beside_the_array_is_told(dtype: str) -> None:
    size = case(dtype).format.dtype.itemsize
    (remark,) = passed(judge(RESIDUALS, case(dtype), instead=kept(dtype, size + 1))).remarks
    assert remark == (f"The forward pass keeps {size + 1} bytes for the backward pass, per element of {size} bytes.")


def test_nothing_kept_is_nothing_told() -> None:
    assert passed(judge(RESIDUALS, case(), instead=kept("float32", 0))).figures == {"per_input_byte": 0}


def in_jax(alpha: float = 1.0, *, twice: bool = False) -> Callable[[Any], Any]:
    """A surrogate that keeps the rate for its backward pass, or the input beside it."""
    import jax
    import jax.numpy as jnp

    def forward(x: Any) -> tuple[Any, Any]:
        rate = jnp.exp(-alpha * jnp.abs(x))
        return step(x), (rate, x) if twice else (rate,)

    def step(x: Any) -> Any:
        return (x >= 0).astype(x.dtype)

    spike = jax.custom_vjp(step)
    spike.defvjp(forward, lambda kept, cotangent: (kept[0] * cotangent,))
    return spike


def in_torch(alpha: float = 1.0, *, twice: bool = False) -> Callable[[Any], Any]:
    """The same in PyTorch."""
    torch = pytest.importorskip("torch", reason="pip install 'surrogate_core[torch]'")

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            rate = torch.exp(-alpha * x.abs())
            ctx.save_for_backward(rate, *([x] if twice else []))
            return (x >= 0).to(x.dtype)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0] * ctx.saved_tensors[0]

    return Function.apply


@pytest.mark.parametrize("make", [in_jax, in_torch])
def test_a_surrogate_that_keeps_two_arrays_is_remarked_on_and_one_that_keeps_one_is_not(make: Any) -> None:
    def remarks(*, twice: bool) -> tuple[str, ...]:
        report = surrogate_core.check(
            lambda alpha=1.0: make(alpha, twice=twice),
            "slayer",
            profile="quick",
            properties=["cost.residuals"],
            dtypes=["float32"],
            params={"alpha": [0.7]},
            framework="jax" if make is in_jax else "torch",
        )
        (result,) = report.results
        assert isinstance(result.outcome, Passed)
        return result.outcome.remarks

    assert remarks(twice=False) == ()
    (remark,) = remarks(twice=True)
    assert remark == "The forward pass keeps 8 bytes for the backward pass, per element of 4 bytes."
