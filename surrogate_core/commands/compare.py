"""``surrogate-core compare``: what changed between two stored runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["compare"]


def compare(
    old: Annotated[Path, typer.Argument(help="Results file of the earlier run.", show_default=False)],
    new: Annotated[Path, typer.Argument(help="Results file of the later run.", show_default=False)],
    markdown: Annotated[Path | None, typer.Option(help="Write the comparison here, as Markdown.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the comparison here, as one offline HTML file.")] = None,
) -> None:
    """Tell what changed between two stored runs. Nothing is run again.

    Exit codes: 0 nothing newly fails, 1 something does, 2 a file cannot be used, 3 the new run is incomplete or does
    not add up.
    """
    from surrogate_core import engine
    from surrogate_core.report import changes
    from surrogate_core.report import comparison as comparing
    from surrogate_core.report import markdown as as_markdown

    found = comparing.compare(engine.read(old), engine.read(new))
    console = Console()
    changes.show(found, console)
    if markdown:
        as_markdown.write(changes.to_markdown(found), markdown)
    if html:
        changes.write_html(found, html)
    for path in filter(None, (markdown, html)):
        console.print(f"wrote {path}", style="dim", highlight=False, markup=False)
    raise typer.Exit(found.exit_code)
