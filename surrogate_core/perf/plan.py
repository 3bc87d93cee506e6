"""From what a user asks of `bench` to the jobs of fresh processes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from surrogate_core.perf import artifact
from surrogate_core.perf.cases import Benchmark
from surrogate_core.perf.comparison import (
    Comparison,
    Found,
    side_by_side,
    with_another,
    with_another_python,
    with_artifact,
)
from surrogate_core.perf.decide import Rule
from surrogate_core.perf.job import Arm, Job, benchmark_to
from surrogate_core.perf.processes import probe
from surrogate_core.perf.request import Request, consistent
from surrogate_core.perf.store import SCHEMA

__all__ = ["Plan", "plan"]


@dataclass(frozen=True)
class Plan:
    """What one run will do.

    Attributes:
        header: of its results file.
        jobs: for a process: (interpreter, job) pairs, one after the other; empty interpreter for this one.
        benchmarks: what will be measured; what is not comparable is in the header.
    """

    header: Mapping[str, Any]
    jobs: tuple[tuple[str, Job], ...]
    benchmarks: tuple[Benchmark, ...]

    @property
    def rule(self) -> Rule:
        return Rule(**self.header["rule"])

    @property
    def target(self) -> Arm:
        """The first target, as it takes its turns."""
        return next(arm for _, job in self.jobs for arm in job.arms.values() if arm.kind == "target")


def plan(request: Request) -> Plan:
    """Find out what there is to measure, and where.

    Raises:
        BadInput: a target, option, artifact or interpreter that cannot be used.
    """
    consistent(request)
    here, compared = _compared(request)
    head = {
        "kind": "bench",
        "schema": SCHEMA,
        "subjects": [asdict(here.subjects[name]) for name in request.targets],
        "against": compared.against,
        "benchmarks": [benchmark_to(b) for b in compared.benchmarks],
        "not_comparable": compared.refused,
        "remarks": list(compared.remarks),
        "same_versions": compared.same_versions,
        "rule": asdict(request.rule),
        "seed": request.seed,
        "strict": request.strict,
        "machine": here.machine,
        "devices": here.devices,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    return Plan(head, compared.jobs, compared.benchmarks)


def _compared(request: Request) -> tuple[Found, Comparison]:
    """What was found here, and what of it is compared with what."""
    if artifact.is_artifact(request.against):
        frozen = artifact.read(request.against)
        here = _found(request, request.targets)
        return here, with_artifact(request, frozen, here)
    if request.against:
        here = _found(request, [*request.targets, request.against])
        return here, with_another(request, here)
    here = _found(request, request.targets)
    if request.against_python:
        return here, with_another_python(request, here, _found(request, request.targets, request.against_python))
    return here, side_by_side(request, here)


def _found(request: Request, targets: Sequence[str], interpreter: str = "") -> Found:
    asked = {"spec": request.spec, "params": dict(request.params), "framework": request.framework}
    return Found.from_json(probe({**asked, "targets": list(dict.fromkeys(targets)), "frameworks": []}, interpreter))
