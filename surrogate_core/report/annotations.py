"""Workflow commands of GitHub Actions: what is broken, beside the line that a change touches.

The form, and what is escaped in it: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
and ``toolkit/packages/core/src/command.ts``.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from surrogate_core.engine import Run
from surrogate_core.engine.telling import printable
from surrogate_core.properties.outcome import Errored, Failed
from surrogate_core.report.cells import Cell, cells
from surrogate_core.report.words import clip

__all__ = ["annotations", "command"]

MOST = 10
"""GitHub shows so many errors of one step."""

LONGEST, LONGEST_TITLE = 2_000, 300


def annotations(run: Run, environment: Mapping[str, str]) -> list[str]:
    """The commands for a run, one a line; none outside GitHub Actions.

    Args:
        run: what was found.
        environment: its variables ``GITHUB_ACTIONS`` and ``GITHUB_WORKSPACE`` are looked at.
    """
    if environment.get("GITHUB_ACTIONS") != "true":
        return []
    root = Path(environment.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    places = {str(i["name"]): _place(i, root) for i in run.header["implementations"]}
    lines = [_complaint(text, root) for text in run.complaints]
    lines += [command("error", {"title": "surrogate-core"}, text) for text in run.objections]
    lines += [
        command("error", {**places[cell.implementation], "title": _title(cell)}, said)
        for cell in cells(run)
        if cell.state in ("failed", "errored")
        for said in [_said(cell)]
    ]
    if len(lines) > MOST:
        more = len(lines) - MOST + 1
        lines[MOST - 1 :] = [command("error", {"title": "surrogate-core"}, f"{more} more are told in the log")]
    return lines


def command(name: str, properties: Mapping[str, str], message: str) -> str:
    """``::error file=a.py,line=3::what is wrong``, with everything escaped that GitHub would take for its own."""
    said = ",".join(f"{key}={_escaped(value, (':', ','))}" for key, value in properties.items())
    return f"::{name}{' ' if said else ''}{said}::{_escaped(message)}"


def _escaped(text: str, more: tuple[str, ...] = ()) -> str:
    # The other controls could still write on the terminal of who reads the log.
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    for sign in more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return printable(text)


def _place(implementation: Mapping[str, object], root: Path) -> dict[str, str]:
    """File and line of an implementation, where it is in the repository: what is installed has no line in it."""
    file, line = str(implementation.get("file") or ""), implementation.get("line") or 0
    return {**_within(file, root), **({"line": str(line)} if line else {})} if _within(file, root) else {}


def _within(file: str, root: Path) -> dict[str, str]:
    path = Path(file).resolve() if file else None
    if path is None or not path.is_relative_to(root) or "site-packages" in path.parts:
        return {}
    return {"file": path.relative_to(root).as_posix()}


def _complaint(text: str, root: Path) -> str:
    found = re.match(r"(.+?):(\d+): (.*)", text, flags=re.DOTALL)
    if found is None:
        return command("error", {"title": "deviations"}, text)
    where = _within(found[1], root)
    return command("error", {**where, **({"line": found[2]} if where else {}), "title": "deviations"}, found[3])


def _title(cell: Cell) -> str:
    return clip(f"{cell.implementation}: {cell.property_id}", LONGEST_TITLE)


def _said(cell: Cell) -> str:
    outcome = cell.first.outcome
    if isinstance(outcome, Failed):
        said = f"{cell.promise}\ngiven {outcome.given}\nmeasured {outcome.measured}\nallowed {outcome.allowed}"
    else:
        said = f"{cell.promise}\nraised {outcome.message if isinstance(outcome, Errored) else cell.detail}"
    return clip(f"{said}\nin {cell.count} of {len(cell.results)} cases, such as {cell.first.case}", LONGEST)
