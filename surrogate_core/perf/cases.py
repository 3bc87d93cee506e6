"""The benchmarks, as data: what the command times, what `benchmarks/` times, what an artifact keeps."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surrogate_core.drivers.workload import Mode, Task, Workload
from surrogate_core.errors import BadInput, near_misses

__all__ = ["LARGE", "SIZES", "Benchmark", "benchmarks", "select"]

SIZES = (1, 1 << 10, 1 << 20)
LARGE = 1 << 24

TIMED: tuple[tuple[Task, Mode, Sequence[int]], ...] = (
    ("forward", "eager", SIZES),
    ("forward", "compiled", SIZES),
    ("forward+backward", "eager", SIZES),
    ("forward+backward", "compiled", SIZES),
    ("lif", "eager", SIZES[1:]),
    ("lif", "compiled", SIZES[1:]),
)
"""What is timed in float32. In the other formats only the largest compiled step is, where the format shows."""

LEFT_OUT = {("jax", "lif", "eager"), ("torch", "lif", "compiled")}
"""JAX compiles a scan even where it is called eagerly; PyTorch's compiler would unroll it."""


@dataclass(frozen=True)
class Benchmark:
    """A workload in one framework on one device."""

    workload: Workload
    framework: str
    device: str

    @property
    def id(self) -> str:
        """Its name, ``forward+backward/compiled/2^20/float32/cpu:0``; of PyTorch, ``torch/`` comes before it."""
        w = self.workload
        exponent = w.size.bit_length() - 1
        size = f"2^{exponent}" if w.size == 1 << exponent and exponent > 10 else str(w.size)
        name = "/".join((w.task, w.mode, size, w.dtype, self.device))
        return name if self.framework == "jax" else f"{self.framework}/{name}"


def benchmarks(
    devices: Mapping[str, Sequence[str]], *, large: bool = False, dtypes: Sequence[str] = ()
) -> tuple[Benchmark, ...]:
    """Every benchmark.

    Args:
        devices: the names of the devices, by framework.
        large: whether 2^24 elements are timed too.
        dtypes: in which formats everything is timed; by default float32, and one workload in each of the others.

    Raises:
        BadInput: a format that there is not.
    """
    # Here, and not above: a process that only times needs no formats, nor sympy, which comes along.
    from surrogate_core.spec.formats import FORMATS, get_format

    chosen = [get_format(name).name for name in dtypes] or ["float32"]
    sizes = {LARGE} if large else set()
    workloads = [
        Workload(task, mode, size, dtype)
        for dtype in chosen
        for task, mode, usual in TIMED
        for size in (*usual, *sorted(sizes))
    ]
    if not dtypes:
        workloads += [Workload("forward+backward", "compiled", SIZES[-1], f) for f in FORMATS if f != "float32"]
    return tuple(
        Benchmark(w, framework, device)
        for (framework, names), w in itertools.product(devices.items(), workloads)
        for device in names
        if (framework, w.task, w.mode) not in LEFT_OUT
    )


def select(known: Sequence[Benchmark], globs: Sequence[str]) -> tuple[Benchmark, ...]:
    """Those whose name matches one of the globs; all of them without any. Raises :class:`BadInput` for an idle glob."""
    names = [b.id for b in known]
    for glob in globs:
        if not fnmatch.filter(names, glob):
            raise BadInput(f"--bench {glob!r}", "a name or glob of a benchmark", near_misses(glob, names))
    return tuple(b for b in known if not globs or any(fnmatch.fnmatchcase(b.id, glob) for glob in globs))
