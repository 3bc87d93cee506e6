"""SlayerGrad beside braintools and beside the bare operation: ratios in one run.

    make benchmark

Each ratio, with its interval, is printed and stored in `extra_info` of `--benchmark-json`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from paired import Ratio, measure, ratio

from surrogate_core import SlayerGrad

ALPHA = 0.7
LARGE = 1 << 24

braintools: Any = pytest.importorskip(
    "braintools", reason="braintools is missing: pip install 'surrogate_core[braintools]'"
)


@jax.custom_jvp
def naive(x: Any, alpha: Any) -> Any:
    """The plain formula, whose rounding error SlayerGrad carries."""
    return (x >= 0).astype(x.dtype)


@naive.defjvp
def _naive_jvp(primals: Any, tangents: Any) -> Any:
    (x, alpha), (dx, _) = primals, tangents
    return naive(x, alpha), jnp.exp(-alpha * jnp.abs(x)) * dx


def surrogates() -> dict[str, Callable[[Any], Any]]:
    return {
        "surrogate_core": SlayerGrad(ALPHA),
        "braintools": braintools.surrogate.SlayerGrad(alpha=ALPHA),
        "naive": lambda x: naive(x, ALPHA),
    }


def both(spike: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """Forward and backward."""

    def forward_and_backward(x: Any, cotangent: Any) -> Any:
        value, pull = jax.vjp(spike, x)
        return value, pull(cotangent)

    return forward_and_backward


def bare(x: Any, cotangent: Any) -> Any:
    """The memory traffic of forward and backward, and nothing else."""
    return (x >= 0).astype(x.dtype), x * cotangent


def inputs(size: int) -> tuple[Any, Any]:
    x = jax.random.normal(jax.random.key(0), (size,))
    return jax.block_until_ready((x, jnp.full_like(x, 1.5)))


def record(benchmark: Any, arms: dict[str, Callable[[], Any]], rounds: int, repeat: int) -> dict[str, Ratio]:
    seconds: dict[str, Any] = {}
    benchmark.pedantic(lambda: seconds.update(measure(arms, rounds, repeat)), rounds=1, iterations=1)
    ratios = {name: ratio(seconds, "surrogate_core", name) for name in arms if name != "surrogate_core"}
    benchmark.extra_info["seconds"] = {name: float(jnp.median(taken)) for name, taken in seconds.items()}
    benchmark.extra_info["ratios"] = {name: [r.value, r.low, r.high] for name, r in ratios.items()}
    for name, found in ratios.items():
        print(f"\n  surrogate_core / {name}: {found}", end="")
    print(f"\n  surrogate_core: {benchmark.extra_info['seconds']['surrogate_core'] * 1e6:.4g} microseconds")
    return ratios


@pytest.mark.parametrize("size", [1, 1024])
def test_eager_forward_takes_a_quarter_of_braintools_time_at_most(benchmark: Any, size: int) -> None:
    x, _ = inputs(size)
    spikes = {k: v for k, v in surrogates().items() if k != "naive"}
    arms = {name: lambda spike=spike: spike(x) for name, spike in spikes.items()}
    assert record(benchmark, arms, rounds=100, repeat=50)["braintools"].value <= 0.25


def test_eager_forward_and_backward_is_not_slower_than_braintools(benchmark: Any) -> None:
    x, cotangent = inputs(1024)
    functions = {name: both(spike) for name, spike in surrogates().items() if name != "naive"}
    arms = {name: lambda f=f: f(x, cotangent) for name, f in functions.items()}
    assert record(benchmark, arms, rounds=200, repeat=1)["braintools"].low <= 1.0


def compiled(size: int) -> dict[str, Callable[[], Any]]:
    x, cotangent = inputs(size)
    functions = {"bare": bare} | {name: both(spike) for name, spike in surrogates().items()}
    programs = {name: jax.jit(f).lower(x, cotangent).compile() for name, f in functions.items()}
    return {name: lambda f=f: f(x, cotangent) for name, f in programs.items()}


def test_compiled_forward_and_backward_of_1024_elements_is_not_slower_than_braintools(benchmark: Any) -> None:
    assert record(benchmark, compiled(1024), rounds=300, repeat=20)["braintools"].low <= 1.0


def test_compiled_forward_and_backward_at_2_to_the_24_stays_near_the_bare_operation(benchmark: Any) -> None:
    ratios = record(benchmark, compiled(LARGE), rounds=100, repeat=1)
    assert ratios["bare"].value <= 1.25
    # The price of carrying the rounding error, against braintools' and our own plain formula;
    # it buys 1.5 ulp in place of 64.
    assert ratios["naive"].value <= 1.10
    assert ratios["braintools"].value <= 1.10
