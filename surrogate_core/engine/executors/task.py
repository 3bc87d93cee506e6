"""Tasks: units of work that travel together, and what the process that judges them does.

A task is a plain value of a few kB. Units of one case share evaluations, so they stay together; spans of bit patterns
are dealt out by the handful. Where a task is judged, it has a process of its own.
"""

from __future__ import annotations

import atexit
import functools
import os
import platform
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from surrogate_core.engine.facts import Facts, digest
from surrogate_core.engine.isolation import Ended, Limits, Pool, Trouble, available
from surrogate_core.engine.plan import Implementation, Unit, here
from surrogate_core.engine.result import Result, to_json
from surrogate_core.engine.run import run
from surrogate_core.engine.versions import packages
from surrogate_core.errors import BadInput
from surrogate_core.spec.model import Parameters

__all__ = ["SPANS", "Answer", "Task", "cut", "work"]

SPANS = 16
"""Spans of bit patterns in a task: a quarter of float32, seconds of work against one start of a process."""


@dataclass(frozen=True)
class Task:
    """Units of one implementation and one case.

    Attributes:
        units: in the order in which they are judged.
        limits: of the process that judges them.
        versions: (package, version) of what their results depend on, where they were planned.
    """

    units: tuple[Unit, ...]
    limits: Limits
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    """What came of a task.

    Attributes:
        worker: who judged it, or refused to.
        results: as they are stored.
        troubles: what kept them from being all, in sentences.
        refused: why this worker may not judge the task: it would be another question there.
        seconds: that it took there.
    """

    worker: str
    results: tuple[dict[str, Any], ...] = ()
    troubles: tuple[str, ...] = ()
    refused: str = ""
    seconds: float = 0.0


def cut(units: Sequence[Unit], limits: Limits) -> list[Task]:
    """The units as tasks, in their order."""
    together: dict[Any, list[Unit]] = {}
    for unit in units:
        key = unit.implementation.name, unit.case, unit.property_id if unit.span else ""
        together.setdefault(key, []).append(unit)
    tasks = []
    for group in together.values():
        versions = tuple(sorted(_versions(group[0].implementation).items()))
        size = SPANS if group[0].span else len(group)
        tasks += [Task(tuple(group[i : i + size]), limits, versions) for i in range(0, len(group), size)]
    return tasks


def work(task: Task) -> Answer:
    """Judge a task, in the process of an executor's worker."""
    worker, start = _this_worker(), time.perf_counter()
    if refused := _refused(task):
        return Answer(worker, refused=refused)
    results: list[Result] = []
    troubles: list[str] = []
    for said in _pool(task.limits).run(task.units) if available() else run(task.units):
        if isinstance(said, Trouble):
            troubles.append(said.sentence)
        else:
            results.append(said)
    return Answer(worker, tuple(map(to_json, results)), tuple(troubles), seconds=time.perf_counter() - start)


def _this_worker() -> str:
    """This process by the name that its executor has for it, or else by machine and number."""
    if distributed := sys.modules.get("distributed"):
        try:
            return str(distributed.get_worker().address)
        except ValueError:
            pass
    return f"{platform.node()}:{os.getpid()}"


_turn = threading.Lock()
_pools: dict[Limits, Pool] = {}


def _pool(limits: Limits) -> Pool:
    with _turn:  # a worker may have several threads
        if limits not in _pools:
            _pools[limits] = Pool(limits, jobs=os.cpu_count() or 1)
            atexit.register(_pools[limits].close)
        return _pools[limits]


def _versions(implementation: Implementation) -> dict[str, str]:
    """What results depend on: the packages of every run, and the one that the implementation comes with."""
    name = implementation.target.distribution
    return packages() | ({name: implementation.target.version()} if name else {})


def _refused(task: Task) -> str:
    """How this worker differs from where the task was planned; empty where it does not."""
    there, mine = dict(task.versions), _versions(task.units[0].implementation)
    differing = [
        f"{name} is {_or_none(mine.get(name))} and not {_or_none(there.get(name))}"
        for name in sorted(there.keys() | mine.keys())
        if mine.get(name) != there.get(name)
    ]
    return "; ".join(differing) or _elsewhere(task.units[0], task.limits)


def _or_none(version: str | None) -> str:
    return version or "not there"


@functools.lru_cache(maxsize=256)
def _once(implementation: Implementation, parameters: Parameters, limits: Limits) -> Facts:
    found = _found(implementation, parameters, limits)
    if isinstance(found, str):
        raise LookupError(found)  # which is not remembered: it may have been mended when it is asked again
    return found


def _found(implementation: Implementation, parameters: Parameters, limits: Limits) -> Facts | str:
    asked = [(implementation.target, parameters)]
    (found,) = _pool(limits).facts(asked) if available() else here(asked)
    if isinstance(found, BadInput):
        return str(found).splitlines()[0]
    return found if isinstance(found, Facts) else (found.what if isinstance(found, Ended) else found.message)


def _elsewhere(unit: Unit, limits: Limits) -> str:
    """How the target or the device differs here."""
    asked, planned = (unit.implementation, unit.case.parameters, limits), unit.implementation.facts
    try:
        found = _once(*asked)
        if found.file and digest(found.file) != found.digest:
            _once.cache_clear()  # a worker lives for days, and the source is edited meanwhile
            found = _once(*asked)
    except (LookupError, OSError) as missing:
        return f"{unit.implementation.name} cannot be used: {missing}"
    if found.digest != planned.digest:
        return f"the source of {unit.implementation.name} differs ({found.file or 'not there'})"
    kinds = dict(found.devices)
    for name, kind in planned.devices:
        if name in unit.case.devices and kinds.get(name) != kind:
            return f"device {name} is {_or_none(kinds.get(name))} and not {kind}"
    return ""
