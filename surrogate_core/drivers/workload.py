"""What is timed: one way to call a surrogate, made ready by the driver of its framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

__all__ = ["DECAY", "STEPS", "THRESHOLD", "Mode", "Prepared", "Preparer", "Task", "Workload", "inputs", "preparer"]

Task = Literal["forward", "forward+backward", "lif"]
"""What is computed:

forward            the spikes;
forward+backward   the spikes, and a cotangent pulled back;
lif                leaky integrate-and-fire neurons over time, and a cotangent of all their spikes pulled back
                   through it: u = DECAY u + x[t], s[t] = spike(u - THRESHOLD), u = u - s[t].
"""

Mode = Literal["eager", "compiled"]

STEPS = 32
"""Time steps of ``lif``."""

DECAY, THRESHOLD = 0.9, 1.0
"""Of its neurons."""


@dataclass(frozen=True)
class Workload:
    """One way to call a surrogate.

    Attributes:
        size: elements of the input; of ``lif`` all steps together.
    """

    task: Task
    mode: Mode
    size: int
    dtype: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the input; time comes first."""
        return (STEPS, self.size // STEPS) if self.task == "lif" else (self.size,)

    @property
    def called_with(self) -> int:
        """Elements that each call of the surrogate gets; of ``lif``, those of one step."""
        return self.shape[-1]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A workload that is compiled and warm.

    Attributes:
        calls: each starts one evaluation and returns what it gives: the same program, loaded several times where that
            can be had, since a few percent of its time depend on where in memory it happens to lie.
        wait: returns once a result is there.
        compile_seconds: what tracing and compiling took ahead of the first call; 0 where nothing is compiled.
        compilations: programs that making it ready compiles each time, whatever was made ready before; 0 where it runs
            eagerly.
        recompilations: programs that one more call of the same shape compiled.
        counts: what is known of the computation without a clock, by name (``traced exp``, ``compiled bytes``).
    """

    calls: tuple[Callable[[], Any], ...]
    wait: Callable[[Any], Any]
    compile_seconds: float
    compilations: int
    recompilations: int
    counts: Mapping[str, float]

    @property
    def call(self) -> Callable[[], Any]:
        """The first of the calls."""
        return self.calls[0]


class Preparer(Protocol):
    """How one framework makes workloads ready; the methods after ``scope`` are called within it."""

    def settle(self) -> None:
        """Make this a process that times, before the framework computes anything."""
        ...

    def scope(self, dtype: str, device: str) -> AbstractContextManager[Any]:
        """That of the framework's driver, which need not be imported for it."""
        ...

    def begin(self) -> None:
        """Forget what earlier workloads compiled, where that would change the next ones."""
        ...

    def prepare(self, spike: Callable[[Any], Any] | None, workload: Workload, device: str) -> Prepared:
        """Compile and warm up; without a spike function, the bare operation: a step, and ``x`` times the cotangent.

        What is compiled for the same workload is given the very same arrays: where in memory they happen to lie decides
        over up to a third of the time.
        """
        ...

    def slowed(self, spike: Callable[[Any], Any], extra: int, workload: Workload, device: str) -> Callable[[Any], Any]:
        """The spike function with real work added that nothing leaves out: ``extra`` units of it in each call.

        A unit is small against the call of a surrogate. What so many of them cost is for a clock to say: adding any
        may cost something by itself, and a few of them may hide behind memory.
        """
        ...

    def freeze(self, spike: Callable[[Any], Any], workload: Workload, device: str) -> bytes:
        """The compiled workload as bytes; raises :class:`Unsupported` where the framework cannot."""
        ...

    def thaw(self, frozen: bytes, workload: Workload, device: str) -> Prepared:
        """What :meth:`freeze` kept, made ready."""
        ...


def preparer(framework: str) -> Preparer:
    """The preparer of a framework, which is imported."""
    if framework == "jax":
        from surrogate_core.drivers.jax_workload import JaxPreparer

        return JaxPreparer()
    from surrogate_core.drivers.torch_workload import TorchPreparer

    return TorchPreparer()


def inputs(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """(x, cotangent) in float64, the same in every process."""
    random = np.random.default_rng(0)
    return random.standard_normal(workload.shape), random.standard_normal(workload.shape)
