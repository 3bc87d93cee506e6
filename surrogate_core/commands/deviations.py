"""``surrogate-core deviations``: the file of known departures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["deviations"]

deviations = typer.Typer(help="Known departures of implementations from their specs.", no_args_is_help=True)


@deviations.callback()
def _deviations() -> None:
    """Known departures of implementations from their specs."""


@deviations.command("update")
def update(
    results: Annotated[Path, typer.Argument(help="A results file written by check.", show_default=False)],
    file: Annotated[Path, typer.Option("--file", help="The deviations file.")] = Path("deviations.toml"),
    by_property: Annotated[
        bool, typer.Option("--by-property", help="An entry for each property, not for each implementation.")
    ] = False,
) -> None:
    """Write an entry for every failure that is not explained yet. The reasons are yours to write."""
    from surrogate_core import engine
    from surrogate_core.engine.deviations.update import update as written

    found = written(engine.read(results), file, by_property=by_property)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    anew = f", {found.repinned} pinned anew" if found.repinned else ""
    console.print(f"{file}: {found.added} entries added{anew}")
    for complaint in found.complaints:
        console.print(f"left alone: {complaint}")
    for line in found.todo:
        console.print(f"{file}:{line}: write the reason; until then check refuses the file")
