"""``surrogate-core replay``: the counterexamples of a stored run, once more."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from surrogate_core.commands.progress import progress
from surrogate_core.commands.project import project
from surrogate_core.errors import BadInput

if TYPE_CHECKING:
    from surrogate_core.engine import Result, Run
    from surrogate_core.engine.replay import Replay, Replayed

__all__ = ["replay"]


def replay(
    results: Annotated[Path, typer.Argument(help="A results file written by check or survey.", show_default=False)],
    wanted: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="A result's id, a property's, an implementation's name, or a glob of one. By default all that fail "
            "and are not known.",
            show_default=False,
        ),
    ] = None,
    script: Annotated[
        Path | None, typer.Option(help="Also write each as a script that needs only the framework and the target.")
    ] = None,
    spec: Annotated[
        str | None, typer.Option(help="Where a spec is found that the catalogue lacks: package.module:ATTRIBUTE.")
    ] = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Implementations judged at a time.")] = 1,
    timeout: Annotated[float | None, typer.Option(help="Seconds for one property.")] = None,
    timeout_total: Annotated[float | None, typer.Option(help="Seconds for one implementation.")] = None,
    memory: Annotated[int | None, typer.Option(help="MiB that one implementation may hold in memory.")] = None,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Judge in this process, without limits: for debuggers.")
    ] = False,
) -> None:
    """Judge the failing counterexamples of a stored run once more, and nothing else. It imports what the file names.

    Exit codes: 0 all pass now, 1 something still fails or fails differently, 2 something cannot be run, 3 there was
    nothing to replay, or it was interrupted.
    """
    from surrogate_core import engine
    from surrogate_core.engine import replay as replaying
    from surrogate_core.report import replayed
    from surrogate_core.spec import get_spec

    console = Console(soft_wrap=True, highlight=False, markup=False)
    run = engine.read(results)
    chosen = replaying.counterexamples(run, wanted)
    if not run.complete:
        console.print(f"{results} is incomplete: what it lacks is not replayed", style="yellow")
    if not chosen:
        console.print(_nothing(run, wanted))
        raise typer.Exit(3)
    name = project(Path.cwd()).get("spec", spec)
    options = {
        "spec": get_spec(name) if name else None,
        "jobs": jobs,
        "in_process": in_process or None,
        "allowed": engine.limits(str(run.header["profile"]), timeout, timeout_total, memory),
    }
    found = _replayed(console, run, chosen, options)
    console.print(replayed.summary(found), style="bold")
    if script:
        _write(found, script, console)
    if left := len(chosen) - len(found):
        console.print(f"interrupted: {left} of {len(chosen)} were not replayed", style="bold red")
        raise typer.Exit(3)
    raise typer.Exit(replaying.exit_code(found))


def _replayed(console: Console, run: Run, chosen: Sequence[Result], options: Mapping[str, Any]) -> list[Replayed]:
    """What comes of each, shown as it happens; as far as it goes, where that is interrupted."""
    from surrogate_core.engine import replay as replaying
    from surrogate_core.engine.interruption import terminated_like_interrupted
    from surrogate_core.engine.telling import printable
    from surrogate_core.report import replayed

    found: list[Replayed] = []
    with (
        contextlib.suppress(KeyboardInterrupt),
        terminated_like_interrupted(),
        progress() as (on_plan, on_result),
    ):

        def on_begin(begun: Replay) -> None:
            on_plan(begun)
            for what in begun.moved:
                console.print(printable(f"since then: {what}"), style="yellow")

        with contextlib.closing(replaying.replay(run, chosen, on_begin=on_begin, **options)) as judged:
            for each in judged:
                told = found[-1].sentence if found else ""
                found.append(each)
                replayed.show(each, console, told)
                on_result(each.before)
    return found


def _nothing(run: Run, wanted: str | None) -> str:
    known = run.ledger.counts["expected failure"]
    if wanted is not None:
        return f"nothing to replay: what matches {wanted!r} does not fail"
    more = f" but {known} known failures: surrogate-core replay … '*' replays them, too" if known else ""
    return f"nothing to replay: nothing fails{more}"


def _write(found: Sequence[Replayed], folder: Path, console: Console) -> None:
    """Write what can be written; say of what it cannot."""
    from surrogate_core.engine.telling import printable

    names: set[str] = set()
    lacking = [each.before.id for each in found if not each.script]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in found:
            if each.script:
                name = _name(each.before.id, names)
                names.add(name)
                (folder / name).write_text(each.script, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise BadInput(f"folder {folder}: {error.strerror}", "a folder that can be written", "choose another") from None
    console.print(f"wrote {len(names)} {'script' if len(names) == 1 else 'scripts'} to {folder}", style="dim")
    for name in lacking:
        console.print(printable(f"no script shows {name}: it takes more than evaluating the surrogate"), style="dim")


def _name(identity: str, taken: set[str]) -> str:
    """The name of a script: the end of the id, without what a file system might not take."""
    stem = re.sub(r"[^A-Za-z0-9_.=-]+", "_", identity)[-LONGEST:].strip("_.-")
    names = (f"{stem}{f'-{number}' if number else ''}.py" for number in itertools.count())
    return next(name for name in names if name not in taken)


LONGEST = 120
"""Characters of a script's name."""
