"""What a proof over all of float32 costs: against float64 `exp` alone in JAX, against itself unjudged in PyTorch.

    make benchmark
    PATTERNS=sixteenth make benchmark

Every arm runs over the same spans, in turns: over all 2^32 patterns, which are what `surrogate-core check TARGET
--profile thorough --property pointwise.patterns` judges; or over a sixteenth of them, for a first look.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from surrogate_core import SlayerGrad
from surrogate_core.drivers import get_driver
from surrogate_core.drivers.tally import Span, spans
from surrogate_core.spec import get_spec

ALPHA = 1.72
PARAMETERS = (("alpha", ALPHA),)
SPEC = get_spec("slayer")
ROOT = Path(__file__).parent.parent

SIXTEENTH = os.environ.get("PATTERNS") == "sixteenth"

SPANS = [spans(512)[16 * i + i % 16] for i in range(32)] if SIXTEENTH else spans(64)
"""All patterns, in as many parts as a check has; or a sixteenth of them, which overstates what all take: it has eight
times as many beginnings and, among as many patterns, eight times as many subnormal inputs and NaNs."""

TURNS = 3 if SIXTEENTH else 2
"""Of which the best counts."""

SHARE = sum(span.size for span in SPANS) / 2**32

CHUNKS = {1 << 12: 2, 1 << 18: 1, 1 << 20: 1}
"""What float64 `exp` is tried at, and in how many threads; the best counts. Large ones XLA splits by itself."""

ALONE = (1 << 16, 1 << 17, 1 << 18)
"""Likewise PyTorch's own forward and backward."""


@jax.custom_jvp
def plain(x: Any) -> Any:
    """The least that an implementation can take."""
    return (x >= 0).astype(x.dtype)


plain.defjvps(lambda dx, _, x: jnp.exp(-ALPHA * jnp.abs(x)) * dx)


def exponentials(chunk: int, threads: int) -> Callable[[Span], Any]:
    """Jitted float64 exp over the same patterns, generated on the fly, summed so that nothing is left out."""

    def program(start: Any, count: Any) -> Any:
        def body(i: Any, total: Any) -> Any:
            bits = start + i.astype(jnp.uint32) * np.uint32(chunk) + lax.iota(jnp.uint32, chunk)
            x = lax.bitcast_convert_type(bits, jnp.float32).astype(jnp.float64)
            return total + jnp.exp(-ALPHA * jnp.abs(x)).sum()

        return lax.fori_loop(0, count, body, jnp.float64(0))

    with jax.enable_x64(True):
        compiled = jax.jit(program).lower(np.uint32(0), np.int32(1)).compile()

    def one(span: Span, sign: int) -> None:
        jax.block_until_ready(compiled(np.uint32(span.start | sign), np.int32(span.count // chunk)))

    def run(span: Span) -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, (span, span), (0, 1 << 31)))

    return run


def tallied(framework: str, function: Callable[[Any], Any]) -> Callable[[Span], Any]:
    driver = get_driver(framework)

    def run(span: Span) -> Any:
        with driver.scope("float32", "cpu:0"):
            return driver.tally(function, SPEC, PARAMETERS, span, "cpu:0")

    return run


def compared(benchmark: Any, arms: dict[str, Callable[[Span], Any]]) -> dict[str, float]:
    """Seconds of each arm over all spans, its best turn at each."""
    best: dict[str, np.ndarray] = {name: np.full(len(SPANS), np.inf) for name in arms}

    def turns() -> None:
        for arm in arms.values():
            arm(SPANS[0])
        for _ in range(TURNS):
            for i, span in enumerate(SPANS):
                for name, arm in arms.items():
                    start = time.perf_counter()
                    arm(span)
                    best[name][i] = min(best[name][i], time.perf_counter() - start)

    benchmark.pedantic(turns, rounds=1, iterations=1)
    seconds = {name: float(taken.sum()) for name, taken in best.items()}
    benchmark.extra_info["seconds"] = seconds
    for name, taken in seconds.items():
        print(f"\n  {name}: {taken:.2f} s, {taken / SHARE:.1f} s for all 2^32 patterns", end="")
    return seconds


def judged(benchmark: Any, seconds: dict[str, float], what: str, most: float) -> None:
    """The proof against the best of the other arms: at most so many times as long."""
    ratio = seconds["proof"] / min(taken for name, taken in seconds.items() if name != "proof")
    verdict = f"a proof takes {ratio:.2f} times as long as {what}, at most {most:g} are allowed"
    benchmark.extra_info.update(ratio=ratio, verdict=f"{'passed' if ratio <= most else 'failed'}: {verdict}")
    print(f"\n  proof / {what}: {ratio:.2f}", end="")
    assert ratio <= most, verdict


@pytest.mark.parametrize("function", [SlayerGrad(ALPHA), plain], ids=["SlayerGrad", "plain"])
def test_a_proof_in_jax_takes_four_times_float64_exp_at_most(benchmark: Any, function: Callable[[Any], Any]) -> None:
    arms = {f"exp in chunks of {c}, {t} threads": exponentials(c, t) for c, t in CHUNKS.items()}
    seconds = compared(benchmark, {"proof": tallied("jax", function), **arms})
    judged(benchmark, seconds, "exp", 4)


def test_a_proof_in_pytorch_takes_twice_its_own_forward_and_backward_at_most(benchmark: Any) -> None:
    torch: Any = pytest.importorskip("torch", reason="torch is missing: pip install 'surrogate_core[torch]'")

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return (x >= 0).to(x.dtype)

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            return gradients[0] * torch.exp(-ALPHA * ctx.saved_tensors[0].abs())

    def alone(chunk: int) -> Callable[[Span], None]:
        def run(span: Span) -> None:
            for piece in span.cut(chunk):
                x = torch.from_numpy(piece.patterns().view(np.float32).reshape(-1)).requires_grad_()
                torch.autograd.grad(Spike.apply(x), x, torch.ones_like(x))

        return run

    arms = {f"alone in chunks of {chunk}": alone(chunk) for chunk in ALONE}
    seconds = compared(benchmark, {"proof": tallied("torch", Spike.apply), **arms})
    judged(benchmark, seconds, "forward and backward alone", 2)


MEMORY = """
import re, sys
import surrogate_core
from surrogate_core.drivers import get_driver
from surrogate_core.drivers.tally import Span

def peak():
    # Not ru_maxrss: it starts at what the process held that started this one.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])

driver, spec = get_driver(sys.argv[1]), surrogate_core.get_spec("slayer")
if sys.argv[1] == "jax":
    spike = surrogate_core.SlayerGrad(1.72)
else:
    import jax, torch

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return (x >= 0).to(x.dtype)

        @staticmethod
        def backward(ctx, cotangent):
            return cotangent * torch.exp(-1.72 * ctx.saved_tensors[0].abs())

    spike = Spike.apply
    jax.devices()  # what judges
driver.devices()
before = peak()
with driver.scope("float32", "cpu:0"):
    driver.tally(spike, spec, (("alpha", 1.72),), Span(0x3F000000, 0x43000000), "cpu:0")
print((peak() - before) / 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc/self/status")
@pytest.mark.parametrize("framework", ["jax", "torch"])
def test_a_proof_takes_a_gibibyte_above_imports_at_most(benchmark: Any, framework: str) -> None:
    pytest.importorskip(framework, reason=f"{framework} is missing: pip install 'surrogate_core[{framework}]'")
    found: list[float] = []

    def once() -> None:
        command = [sys.executable, "-c", MEMORY, framework]
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found.append(json.loads(answer.stdout.splitlines()[-1]))

    benchmark.pedantic(once, rounds=1, iterations=1)
    benchmark.extra_info["mebibytes"] = found[0]
    print(f"\n  {found[0]:.0f} MiB above imports", end="")
    assert 0 < found[0] <= 1024
