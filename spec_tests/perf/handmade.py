"""Hand-made measurements: what processes answer, without a process."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from surrogate_core.drivers.workload import Workload
from surrogate_core.perf.cases import Benchmark
from surrogate_core.perf.job import Measured, benchmark_to
from surrogate_core.perf.store import BenchRun, Sample

A = Benchmark(Workload("forward", "compiled", 1024, "float32"), "jax", "cpu:0")
B = Benchmark(Workload("lif", "compiled", 1024, "float32"), "jax", "cpu:0")

MACHINE = {
    "processor": "a processor",
    "cores": 2,
    "system": "Linux x86_64",
    "node": "here",
    "python": "3.11.0",
    "packages": {"jax": "0.10.2", "jaxlib": "0.10.2", "numpy": "2.4.6", "surrogate_core": "0.1.0"},
}
DEVICES = {"jax": [["cpu:0", "cpu"]]}
SUBJECT = {"target": "m:new", "framework": "jax", "parameters": [["alpha", 1.0]], "package": "m", "version": "1.0"}


def measured(seconds: float, counts: Mapping[str, float] | None = None, again: int = 0) -> Measured:
    """Five rounds of two goes that took about so long."""
    rounds = tuple((seconds * (1 + 0.001 * i),) * 2 for i in range(5))
    return Measured(rounds, 0.1, 1, again, counts or {"traced exp": 1.0})


def sample(benchmark: Benchmark, process: int, look: int = 1, **arms: float) -> Sample:
    """One process's arms, by how long they took."""
    return Sample(look, process, benchmark.id, {name: measured(s) for name, s in arms.items()}, {}, 10)


def failing(benchmark: Benchmark, *processes: int, of: int = 5, error: str = "Boom: no\nTraceback…") -> list[Sample]:
    """A target beside the bare operation, that fails in some processes."""
    right = [sample(benchmark, p, 1, **{"m:new": 1.0, "bare": 1.0}) for p in range(of)]
    failed = [dataclasses.replace(s, arms={"bare": s.arms["bare"]}, errors={"m:new": error}) for s in right]
    return [failed[p] if p in processes else right[p] for p in range(of)]


def header(against: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "bench",
        "schema": 2,
        "subjects": [SUBJECT],
        "against": against,
        "benchmarks": [benchmark_to(A), benchmark_to(B)],
        "not_comparable": {},
        "remarks": [],
        "same_versions": True,
        "rule": {"effect": 0.02, "confidence": 0.99, "processes": 4, "rounds": 5},
        "seed": 0,
        "machine": MACHINE,
        "devices": DEVICES,
        "started": "2026-01-01T00:00:00Z",
        **changes,
    }


def gate(*samples: Sample, complete: bool = True, **changes: Any) -> BenchRun:
    """A stored comparison with another target."""
    return BenchRun(header({"kind": "target", "subject": SUBJECT}, **changes), samples, complete)


def side_by_side(*samples: Sample, complete: bool = True) -> BenchRun:
    """A stored run that compares nothing."""
    return BenchRun(header(), samples, complete)
