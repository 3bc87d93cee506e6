"""Resuming: what an interrupted results file lacks, once it is known to belong to the same question."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from surrogate_core.engine.plan import Plan
from surrogate_core.engine.store import Run, header, read
from surrogate_core.errors import BadInput

__all__ = ["moved", "resume"]

QUESTION = ("specs", "profile", "seed", "dtypes", "grid", "planned", "implementations")
"""Parts of the header that say what was asked, of whom, in which version."""

MOVED = ("environment", "devices")
"""Parts that say where: results from two places do not make one run."""


def resume(path: str | os.PathLike[str], plan: Plan) -> Run:
    """The run stored at ``path``, once it is the beginning of ``plan``.

    Raises:
        BadInput: no such file, nothing left to do, or another question, version or place than the plan's.
    """
    run = read(path)
    if run.complete:
        raise BadInput(f"results file {path}, which is complete", "an interrupted one", "draw it with report")
    now = header(plan)
    if changes := moved(run.header, now):
        raise BadInput(
            f"results file {path}, which was begun before something changed: {'; '.join(changes)}",
            "the versions and the code of the interrupted run: results of two do not make one",
            "go back to them, or start anew with --results",
        )
    for part in (*QUESTION, *MOVED):
        if run.header.get(part) != now.get(part):
            raise BadInput(
                f"results file {path}, whose {part} differs: {_shown(run.header, part)} there, {_shown(now, part)} now",
                "the targets, options and versions of the interrupted run",
                "give the same ones, or start anew with --results",
            )
    planned = {unit.id for unit in plan.units} | {result.id for result in plan.settled}
    strangers = {result.id for result in run.results} - planned
    if strangers:
        raise BadInput(
            f"results file {path} with results that are not planned now, such as {min(strangers)}",
            "the options of the interrupted run",
            "give the same ones, or start anew with --results",
        )
    return run


def moved(there: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What of versions and code is not as it was, a few words each."""
    found = []
    before, after = (head["environment"]["packages"] for head in (there, now))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            found.append(f"{name} was {before.get(name, 'not there')} and is {after.get(name, 'not there')}")
    entries = {i["name"]: i for i in there["implementations"]}
    for entry in now["implementations"]:
        old = entries.get(entry["name"], entry)
        if old["version"] != entry["version"]:
            found.append(f"{entry['name']} was of version {old['version'] or '?'} and is of {entry['version'] or '?'}")
        elif old.get("digest") != entry["digest"]:
            found.append(f"the source of {entry['name']} has changed ({entry['file']})")
    return found


def _shown(head: Mapping[str, Any], part: str) -> str:
    text = repr(head.get(part))
    return text if len(text) <= 200 else f"{text[:200]} …"
