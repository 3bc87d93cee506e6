"""What a target is compared with: others of its framework, one other, itself elsewhere, or itself as it was."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from surrogate_core.errors import BadInput
from surrogate_core.libraries.target import Target
from surrogate_core.perf import artifact
from surrogate_core.perf.cases import Benchmark, benchmarks, select
from surrogate_core.perf.job import BARE, Arm, Job, Subject, target_from
from surrogate_core.perf.machine import differences, place
from surrogate_core.perf.request import Request
from surrogate_core.spec.formats import FORMATS

__all__ = [
    "NEW",
    "OLD",
    "Comparison",
    "Found",
    "first_of_each_kind",
    "side_by_side",
    "with_another",
    "with_another_python",
    "with_artifact",
]

NEW, OLD = "new", "old"
"""The arms of a gate."""


@dataclass(frozen=True)
class Found:
    """What a probe found under one interpreter.

    Attributes:
        subjects: by what the user typed, each target as it is judged.
        places: likewise, where it stands.
        devices: by framework, (name, kind) of each device.
        machine: versions, processor and system.
        origins: the files that the targets come from, in their order.
    """

    subjects: Mapping[str, Subject]
    places: Mapping[str, Target]
    devices: Mapping[str, Any]
    machine: Mapping[str, Any]
    origins: Sequence[str]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Found:
        """What the probing process wrote."""
        subjects = {s["target"]: Subject.from_json(s) for s in values["subjects"]}
        places = dict(zip(subjects, map(target_from, values["targets"]), strict=True))
        return cls(subjects, places, values["devices"], values["machine"], values["origins"])

    def arm(self, target: str) -> Arm:
        """A target, as it takes its turns."""
        return Arm("target", target=self.places[target], parameters=self.subjects[target].parameters)

    def has(self, benchmark: Benchmark) -> bool:
        """Whether there is the device that it runs on."""
        return benchmark.device in [name for name, _ in self.devices.get(benchmark.framework, ())]

    def offers(self, request: Request) -> tuple[Benchmark, ...]:
        """What can be timed, of what was asked for."""
        first = {f: first_of_each_kind(listed) for f, listed in self.devices.items()}
        return benchmarks(first, large=request.large, dtypes=request.dtypes)


@dataclass(frozen=True)
class Comparison:
    """What will be measured, in which processes, and what is told of it beforehand.

    Attributes:
        against: the other side, for the results file; ``None`` where targets stand side by side.
        benchmarks: what is compared.
        refused: by the name of a benchmark, why it is not.
        jobs: for a process: (interpreter, job) pairs, as in the plan.
        remarks: sentences for the report.
        same_versions: whether counts can be compared.
    """

    against: Mapping[str, Any] | None
    benchmarks: tuple[Benchmark, ...]
    refused: Mapping[str, str]
    jobs: tuple[tuple[str, Job], ...]
    remarks: tuple[str, ...] = ()
    same_versions: bool = True


def side_by_side(request: Request, here: Found) -> Comparison:
    """All targets of one framework take turns, with the bare operation.

    Raises:
        BadInput: a target of which nothing that was asked for can be timed.
    """
    chosen = _chosen(request, here, here.offers(request))
    jobs: list[tuple[str, Job]] = []
    for framework in here.devices:
        arms = {name: here.arm(name) for name in request.targets if here.subjects[name].framework == framework}
        mine = tuple(b for b in chosen if b.framework == framework)
        jobs.append(("", _job(request, mine, {**arms, BARE: Arm("bare")})))
    return Comparison(None, chosen, {}, tuple(jobs))


def with_another(request: Request, here: Found) -> Comparison:
    """The target and another one take turns.

    Raises:
        BadInput: that one is of another framework, or nothing that was asked for can be timed.
    """
    new, old = here.subjects[request.targets[0]], here.subjects[request.against]
    if old.framework != new.framework:
        raise BadInput(
            f"--against {request.against!r} of {old.framework}",
            f"a target of {new.framework}, as {new.target!r} is",
            "time both without --against, side by side",
        )
    chosen = _chosen(request, here, here.offers(request))
    job = _job(request, chosen, {NEW: here.arm(new.target), OLD: here.arm(old.target)})
    against = {"kind": "target", "subject": asdict(old)}
    return Comparison(against, chosen, {}, (("", job),), _other_parameters(new, old))


def with_another_python(request: Request, here: Found, there: Found) -> Comparison:
    """The target is timed under this interpreter and under another, each time beside the bare operation.

    Raises:
        BadInput: nothing that was asked for can be timed.
    """
    name, python = request.targets[0], request.against_python
    new, old = here.subjects[name], there.subjects[name]
    changed = differences(place(here.machine, here.devices), place(there.machine, there.devices))
    remarks = ["between two interpreters each side is timed relative to its own bare operation"]
    remarks += [f"here {change} there: counts are not comparable" for change in changed]
    remarks += _other_parameters(new, old)
    if here.origins == there.origins and not changed:
        same = f"both interpreters import {there.origins[0]}: this compares it with itself"
        remarks.append(f"{same}, unless what it imports has another version there")
    more = (b for b in there.offers(request) if not here.has(b))
    asked = _chosen(request, here, (*here.offers(request), *more))
    refused = {b.id: f"no device {b.device} here" for b in asked if not here.has(b)}
    refused |= {b.id: f"no device {b.device} under {python}" for b in asked if not there.has(b)}
    chosen = tuple(b for b in asked if b.id not in refused)
    jobs = (
        ("", _job(request, chosen, {NEW: here.arm(name), BARE: Arm("bare")})),
        (python, _job(request, chosen, {OLD: there.arm(name), BARE: Arm("bare")})),
    )
    against = {
        "kind": "python",
        "path": python,
        "subject": asdict(old),
        "machine": there.machine,
        "devices": there.devices,
    }
    return Comparison(against, chosen, refused, jobs, tuple(remarks), not changed)


def with_artifact(request: Request, frozen: artifact.Artifact, here: Found) -> Comparison:
    """The target and the compiled programs of a frozen one take turns; what those are decides what is compared.

    Raises:
        BadInput: they are of another framework.
    """
    new = here.subjects[request.targets[0]]
    chosen, refused = _held(request, frozen, here, new)
    remarks = ["an artifact holds compiled programs: eager calls are not compared"]
    if request.large or request.dtypes:
        remarks.append("--large and --dtype decide nothing here: what the artifact holds is compared")
    job = _job(request, chosen, {NEW: here.arm(new.target), OLD: Arm("artifact", request.against)})
    against = {"kind": "artifact", "path": request.against, "subject": asdict(frozen.subject)}
    return Comparison(against, chosen, refused, (("", job),), tuple(remarks))


def _held(
    request: Request, frozen: artifact.Artifact, here: Found, new: Subject
) -> tuple[tuple[Benchmark, ...], dict[str, str]]:
    """(what is compared, why what else the artifact holds is not): the artifact is the family."""
    kept = select(frozen.held, request.globs)
    if new.framework != frozen.subject.framework:
        raise BadInput(
            f"--against {request.against}, frozen from a target of {frozen.subject.framework}",
            f"an artifact of {new.framework}, as {new.target!r} is",
            "use --against-python, or freeze a target of the same framework",
        )
    reasons = artifact.objections(frozen, here.machine, here.devices, new)
    if importlib.util.find_spec("flatbuffers") is None:
        reasons = ("flatbuffers is missing: pip install 'surrogate_core[freeze]'",)
    if reasons:
        return (), {b.id: "; ".join(reasons) for b in kept}
    missing = {b.id: f"no device {b.device} here" for b in kept if not here.has(b)}
    names = {f: [name for name, _ in listed] for f, listed in here.devices.items()}
    there = {b.id for b in benchmarks(names, large=True, dtypes=[*FORMATS])}
    missing |= {b.id: "this version has no such benchmark" for b in kept if b.id not in there | missing.keys()}
    return tuple(b for b in kept if b.id not in missing), missing


def _job(request: Request, chosen: tuple[Benchmark, ...], arms: Mapping[str, Arm]) -> Job:
    return Job(chosen, arms, request.rule.rounds, request.seed)


def _chosen(request: Request, here: Found, known: Sequence[Benchmark]) -> tuple[Benchmark, ...]:
    """Those of the names that were asked for; something of every target."""
    chosen = select(known, request.globs)
    timed = {b.framework for b in chosen}
    for name in request.targets:
        if request.globs and here.subjects[name].framework not in timed:
            raise BadInput(
                f"--bench {', '.join(request.globs)} and {name!r} of {here.subjects[name].framework}",
                "a benchmark of every target",
                "the names of PyTorch's begin with torch/: add one with another --bench",
            )
    return chosen


def first_of_each_kind(devices: Sequence[Sequence[str]]) -> list[str]:
    """Two devices of one make are equally fast, and would take twice the time."""
    found: dict[tuple[str, str], str] = {}
    for name, kind in devices:
        found.setdefault((name.partition(":")[0], kind), name)
    return list(found.values())


def _other_parameters(new: Subject, old: Subject) -> tuple[str, ...]:
    """That the sides are timed at parameters that differ, if they do."""
    if new.parameters == old.parameters:
        return ()
    told = (", ".join(f"{name}={v:g}" for name, v in side.parameters) or "none" for side in (new, old))
    return ("each at parameters of its own: {}, compared with {}".format(*told),)
