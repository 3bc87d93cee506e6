"""From the samples of a run to the values that a table or a report shows. Pure: nothing is measured again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from surrogate_core.perf.decide import Interval, interval, medians
from surrogate_core.perf.job import BARE, NOT_OFFERED, Measured
from surrogate_core.perf.store import BenchRun, Sample

__all__ = ["Row", "in_units", "per_second", "ratio", "rows"]


@dataclass(frozen=True)
class Row:
    """One target in one benchmark.

    Attributes:
        benchmark: its name, ``task/mode/size/dtype/device``.
        target: what was timed.
        task: ``forward``, ``forward+backward`` or ``lif``.
        mode: ``eager`` or ``compiled``.
        size: elements.
        dtype: their format.
        device: where.
        framework: of the target.
        seconds: per call, the median over processes; ``None`` where it could not be measured.
        elements_per_second: ``size`` over ``seconds``.
        ratio: its time over that of the bare operation, measured in turns, with 99 % bounds between processes.
        compile_seconds: the median over processes; ``None`` where nothing is compiled.
        recompilations: programs that a further call of the same shape compiled.
        counts: what is known of the computation without a clock.
        error: why it could not be measured, in one process at least; empty where it was.
    """

    benchmark: str
    target: str
    task: str
    mode: str
    size: int
    dtype: str
    device: str
    framework: str
    seconds: float | None
    elements_per_second: float | None
    ratio: Interval | None
    compile_seconds: float | None
    recompilations: int
    counts: dict[str, float]
    error: str

    @property
    def failed(self) -> bool:
        """Whether it could not be measured, though there is a way to run it."""
        return bool(self.error) and not self.error.startswith(NOT_OFFERED)


def rows(run: BenchRun) -> tuple[Row, ...]:
    """Every target in every benchmark of its framework, in the order of the header; of a gate, none."""
    if run.header["against"] is not None:
        return ()
    return tuple(
        _row(run, values, subject["target"])
        for values in run.header["benchmarks"]
        for subject in run.header["subjects"]
        if subject["framework"] == values["framework"]
    )


def _row(run: BenchRun, values: dict[str, dict[str, str]], target: str) -> Row:
    name, workload = str(values["id"]), values["workload"]
    samples = run.of(name)
    error = _error(samples, target)
    measured = [] if error else [s.arms[target] for s in samples]
    seconds = _median(np.median(m.seconds) for m in measured)
    size = int(workload["size"])
    return Row(
        benchmark=name,
        target=target,
        task=workload["task"],
        mode=workload["mode"],
        size=size,
        dtype=workload["dtype"],
        device=str(values["device"]),
        framework=str(values["framework"]),
        seconds=seconds,
        elements_per_second=None if seconds is None else size / seconds,
        ratio=None if error else ratio(samples, target, BARE, run.rule.confidence),
        compile_seconds=_compile_seconds(measured) if workload["mode"] == "compiled" else None,
        recompilations=max((m.recompilations for m in measured), default=0),
        counts=dict(measured[0].counts) if measured else {},
        error=error,
    )


def _error(samples: Sequence[Sample], target: str) -> str:
    """Why a target counts as not measured: it failed in any process, as in a gate, or there is none that asked it."""
    errors = [s.errors[target] for s in samples if target in s.errors]
    if 0 < len(errors) < len(samples):
        return f"failed in {len(errors)} of {len(samples)} processes: {errors[0]}"
    return errors[0] if errors else "" if samples else "the run was not finished"


def ratio(samples: Sequence[Sample], arm: str, base: str, confidence: float) -> Interval | None:
    """Time of one arm over that of another that took turns with it; ``None`` where no process measured both."""
    both = [s for s in samples if {arm, base} <= s.arms.keys()]
    if not both:
        return None
    logs = medians([s.arms[arm].seconds for s in both], [s.arms[base].seconds for s in both])
    if len(logs) > 1:
        return interval(logs, confidence)
    return Interval(math.exp(float(logs[0])), 0.0, math.inf)


def _compile_seconds(measured: list[Measured]) -> float | None:
    return _median(m.compile_seconds for m in measured)


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return float(np.median(found)) if found else None


UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (0.0, "ns"))


def in_units(seconds: float) -> str:
    """Seconds as a person reads them: ``12.3 µs``."""
    scale, unit = next((s, u) for s, u in UNITS if seconds >= s)
    return f"{seconds / (scale or 1e-9):.3g} {unit}"


def per_second(rate: float) -> str:
    """A rate as a person reads it: ``1.2 G``."""
    scale, prefix = next((s, p) for s, p in ((1e9, " G"), (1e6, " M"), (1e3, " k"), (0.0, "")) if rate >= s)
    return f"{rate / (scale or 1):.3g}{prefix}"
