"""From what a user asks of `bench` to the jobs of fresh processes."""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from surrogate_core.errors import BadInput
from surrogate_core.libraries import entries
from surrogate_core.libraries.target import Target
from surrogate_core.perf import artifact
from surrogate_core.perf.cases import Benchmark, benchmarks, select
from surrogate_core.perf.decide import GATE, Rule
from surrogate_core.perf.job import BARE, Arm, Job, Subject, benchmark_to, target_from
from surrogate_core.perf.machine import differences, place
from surrogate_core.perf.processes import probe
from surrogate_core.perf.store import SCHEMA
from surrogate_core.spec.formats import FORMATS

__all__ = ["NEW", "OLD", "Plan", "Request", "first_of_each_kind", "plan"]

NEW, OLD = "new", "old"
"""The arms of a gate."""

FEWEST = 3
"""Processes: a bound between two of them says next to nothing."""


@dataclass(frozen=True)
class Request:
    """What was asked.

    Attributes:
        targets: what is timed; one where ``against`` or ``against_python`` is given.
        against: another target, or the path of a frozen artifact.
        against_python: another interpreter, for the same target.
        spec: what the targets declare; by default what the catalogue says, otherwise ``slayer``.
        params: parameter values; by default the spec's own.
        framework: ``auto``, ``jax`` or ``torch``.
        large: whether 2^24 elements are timed too.
        dtypes: formats in which everything is timed.
        globs: names of benchmarks; by default all.
        rule: how many processes and rounds, and how to decide.
        seed: of the order of turns.
        strict: whether what is inconclusive counts as not passed.
    """

    targets: Sequence[str]
    against: str = ""
    against_python: str = ""
    spec: str | None = None
    params: Mapping[str, float] = field(default_factory=dict)
    framework: str = "auto"
    large: bool = False
    dtypes: Sequence[str] = ()
    globs: Sequence[str] = ()
    rule: Rule = GATE
    seed: int = 0
    strict: bool = False


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
    _consistent(request)
    frozen = artifact.read(request.against) if artifact.is_artifact(request.against) else None
    named = [*request.targets, *([request.against] if request.against and frozen is None else [])]
    asked: dict[str, Any] = {"spec": request.spec, "params": dict(request.params), "framework": request.framework}
    found = probe({**asked, "targets": list(dict.fromkeys(named)), "frameworks": []})
    subjects, places = _subjects(found)
    first = {f: first_of_each_kind(listed) for f, listed in found["devices"].items()}
    known = benchmarks(first, large=request.large, dtypes=request.dtypes)
    news = [subjects[name] for name in request.targets]
    refused: dict[str, str] = {}
    there: Mapping[str, Any] = {}
    remarks: list[str] = []
    changed: tuple[str, ...] = ()
    against: dict[str, Any] | None = None
    if frozen is not None:
        against = {"kind": "artifact", "path": request.against, "subject": asdict(frozen.subject)}
        known, refused = _against_artifact(request, frozen, found, news[0])
        pairs = [("", {NEW: _arm(news[0], places), OLD: Arm("artifact", request.against)})]
        remarks.append("an artifact holds compiled programs: eager calls are not compared")
        if request.large or request.dtypes:
            remarks.append("--large and --dtype decide nothing here: what the artifact holds is compared")
    elif request.against:
        old = subjects[request.against]
        if old.framework != news[0].framework:
            raise BadInput(
                f"--against {request.against!r} of {old.framework}",
                f"a target of {news[0].framework}, as {news[0].target!r} is",
                "time both without --against, side by side",
            )
        against = {"kind": "target", "subject": asdict(old)}
        remarks += _other_parameters(news[0], old)
        pairs = [("", {NEW: _arm(news[0], places), OLD: _arm(old, places)})]
    elif request.against_python:
        there = probe({**asked, "targets": [request.targets[0]], "frameworks": []}, request.against_python)
        old = Subject.from_json(there["subjects"][0])
        against = {
            "kind": "python",
            "path": request.against_python,
            "subject": asdict(old),
            "machine": there["machine"],
            "devices": there["devices"],
        }
        changed = differences(place(found["machine"], found["devices"]), place(there["machine"], there["devices"]))
        remarks.append("between two interpreters each side is timed relative to its own bare operation")
        remarks += [f"here {change} there: counts are not comparable" for change in changed]
        remarks += _other_parameters(news[0], old)
        if found["origins"] == there["origins"] and not changed:
            same = f"both interpreters import {there['origins'][0]}: this compares it with itself"
            remarks.append(f"{same}, unless what it imports has another version there")
        theirs = {f: first_of_each_kind(listed) for f, listed in there["devices"].items()}
        more = benchmarks(theirs, large=request.large, dtypes=request.dtypes)
        known = (*known, *(b for b in more if not _has(found, b)))
        pairs = [
            ("", {NEW: _arm(news[0], places), BARE: Arm("bare")}),
            (request.against_python, {OLD: _arm(old, _subjects(there)[1]), BARE: Arm("bare")}),
        ]
    else:
        pairs = []
    chosen = known if frozen is not None else select(known, request.globs)
    if frozen is None:
        _none_left_out(news, chosen, request)
    if there:
        refused = _without_device(chosen, found, there, request.against_python)
        chosen = tuple(b for b in chosen if b.id not in refused)
    if not pairs:
        jobs = [("", _side_by_side(framework, news, places, chosen, request)) for framework in first]
    else:
        jobs = [(python, Job(chosen, arms, request.rule.rounds, request.seed)) for python, arms in pairs]
    head = {
        "kind": "bench",
        "schema": SCHEMA,
        "subjects": [asdict(s) for s in news],
        "against": against,
        "benchmarks": [benchmark_to(b) for b in chosen],
        "not_comparable": refused,
        "remarks": remarks,
        "same_versions": not changed,
        "rule": asdict(request.rule),
        "seed": request.seed,
        "strict": request.strict,
        "machine": found["machine"],
        "devices": found["devices"],
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    return Plan(head, tuple(jobs), chosen)


def _consistent(request: Request) -> None:
    if not request.targets:
        raise BadInput("no target", "at least one implementation to time", "see `surrogate-core list implementations`")
    if request.against and request.against_python:
        raise BadInput("--against and --against-python", "one of them", "two comparisons are two runs")
    if (request.against or request.against_python) and len(request.targets) > 1:
        raise BadInput(f"{len(request.targets)} targets and --against", "one target", "compare one at a time")
    if not (math.isfinite(request.rule.effect) and request.rule.effect >= 0):
        given = f"--effect {request.rule.effect:g}"
        raise BadInput(given, "a share of the old time, 0 or more", "0.02 stands for 2 %")
    known = not request.against or ":" in request.against or artifact.is_artifact(request.against)
    if not known and request.against not in entries():
        raise BadInput(
            f"--against {request.against!r}: no such file, nor surrogate of the catalogue",
            "another target, or a file that --freeze wrote",
            "check the path, or see `surrogate-core list implementations`",
        )
    if twice := {t for t in request.targets if list(request.targets).count(t) > 1}:
        raise BadInput(f"target {twice.pop()!r}, given twice", "each target once", "drop one of them")
    if request.rule.processes < FEWEST or request.rule.rounds < 1:
        raise BadInput(
            f"{request.rule.processes} processes of {request.rule.rounds} rounds",
            f"{FEWEST} processes or more, of at least one round",
            "leave them out for 7 x 20",
        )


def _none_left_out(subjects: Sequence[Subject], chosen: Sequence[Benchmark], request: Request) -> None:
    timed = {b.framework for b in chosen}
    for subject in subjects:
        if request.globs and subject.framework not in timed:
            raise BadInput(
                f"--bench {', '.join(request.globs)} and {subject.target!r} of {subject.framework}",
                "a benchmark of every target",
                "the names of PyTorch's begin with torch/: add one with another --bench",
            )


def _side_by_side(
    framework: str,
    subjects: Sequence[Subject],
    places: Mapping[str, Target],
    chosen: Sequence[Benchmark],
    request: Request,
) -> Job:
    """All targets of one framework, and the bare operation."""
    arms = {s.target: _arm(s, places) for s in subjects if s.framework == framework}
    mine = tuple(b for b in chosen if b.framework == framework)
    return Job(mine, {**arms, BARE: Arm("bare")}, request.rule.rounds, request.seed)


def _subjects(found: Mapping[str, Any]) -> tuple[dict[str, Subject], dict[str, Target]]:
    """What a probe found, by what the user typed: (as it is judged, where it stands)."""
    subjects = {s["target"]: Subject.from_json(s) for s in found["subjects"]}
    return subjects, dict(zip(subjects, map(target_from, found["targets"]), strict=True))


def _arm(subject: Subject, places: Mapping[str, Target]) -> Arm:
    return Arm("target", target=places[subject.target], parameters=subject.parameters)


def first_of_each_kind(devices: Sequence[Sequence[str]]) -> list[str]:
    """Two devices of one make are equally fast, and would take twice the time."""
    found: dict[tuple[str, str], str] = {}
    for name, kind in devices:
        found.setdefault((name.partition(":")[0], kind), name)
    return list(found.values())


def _without_device(
    chosen: Sequence[Benchmark], here: Mapping[str, Any], there: Mapping[str, Any], python: str
) -> dict[str, str]:
    """Why what cannot be timed on both sides is not compared."""
    lost = {b.id: f"no device {b.device} here" for b in chosen if not _has(here, b)}
    return lost | {b.id: f"no device {b.device} under {python}" for b in chosen if not _has(there, b)}


def _other_parameters(new: Subject, old: Subject) -> list[str]:
    """That the sides are timed at parameters that differ, if they do."""
    if new.parameters == old.parameters:
        return []
    told = (", ".join(f"{name}={v:g}" for name, v in side.parameters) or "none" for side in (new, old))
    return ["each at parameters of its own: {}, compared with {}".format(*told)]


def _has(there: Mapping[str, Any], benchmark: Benchmark) -> bool:
    return benchmark.device in [name for name, _ in there["devices"].get(benchmark.framework, ())]


def _against_artifact(
    request: Request, frozen: artifact.Artifact, found: Mapping[str, Any], new: Subject
) -> tuple[tuple[Benchmark, ...], dict[str, str]]:
    """(what is compared, why what else the artifact holds is not): the artifact is the family."""
    kept = select(frozen.held, request.globs)
    if new.framework != frozen.subject.framework:
        raise BadInput(
            f"--against {request.against}, frozen from a target of {frozen.subject.framework}",
            f"an artifact of {new.framework}, as {new.target!r} is",
            "use --against-python, or freeze a target of the same framework",
        )
    reasons = artifact.objections(frozen, found["machine"], found["devices"], new)
    if importlib.util.find_spec("flatbuffers") is None:
        reasons = ("flatbuffers is missing: pip install 'surrogate_core[freeze]'",)
    if reasons:
        return (), {b.id: "; ".join(reasons) for b in kept}
    missing = {b.id: f"no device {b.device} here" for b in kept if not _has(found, b)}
    names = {f: [name for name, _ in listed] for f, listed in found["devices"].items()}
    there = {b.id for b in benchmarks(names, large=True, dtypes=[*FORMATS])}
    missing |= {b.id: "this version has no such benchmark" for b in kept if b.id not in there | missing.keys()}
    return tuple(b for b in kept if b.id not in missing), missing
