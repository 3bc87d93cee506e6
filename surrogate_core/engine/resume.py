"""Resuming: what an interrupted results file lacks, once it is known to belong to the same question."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from surrogate_core.engine.plan import Plan
from surrogate_core.engine.store import Run, header, read
from surrogate_core.errors import BadInput

__all__ = ["resume"]

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
    for part in (*QUESTION, *MOVED):
        if run.header.get(part) != now.get(part):
            raise BadInput(
                f"results file {path}, whose {part} differs: {_shown(run.header, part)} there, {_shown(now, part)} now",
                "the targets, options and versions of the interrupted run",
                "give the same ones, or start anew with --results",
            )
    strangers = {result.id for result in run.results} - {unit.id for unit in plan.units}
    if strangers:
        raise BadInput(
            f"results file {path} with results that are not planned now, such as {min(strangers)}",
            "the options of the interrupted run",
            "give the same ones, or start anew with --results",
        )
    return run


def _shown(head: Mapping[str, Any], part: str) -> str:
    text = repr(head.get(part))
    return text if len(text) <= 200 else f"{text[:200]} …"
