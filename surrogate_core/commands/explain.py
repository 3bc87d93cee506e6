"""``surrogate-core explain``: what a property promises, why, and what to do where it is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from surrogate_core.properties.explanations import Explanation

__all__ = ["explain"]


def explain(
    properties: Annotated[
        list[str] | None, typer.Argument(metavar="PROPERTY", help="Ids or globs, such as 'gradient.*'.")
    ] = None,
) -> None:
    """Tell what a property promises, why training cares, and how it is observed, judged and mended.

    Without an argument, list all properties.
    """
    from surrogate_core.properties import PROPERTIES, select
    from surrogate_core.properties.explanations import explanation

    console = Console()
    if not properties:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        for judged in PROPERTIES:
            table.add_row(judged.id, judged.promise)
        console.print(table)
        console.print("\nsurrogate-core explain PROPERTY tells all about one of them.", style="dim")
        return
    for number, judged in enumerate(select(tuple(properties))):
        if number:
            console.rule(style="dim")
        _show(explanation(judged.id), console)


def _show(told: Explanation, console: Console) -> None:
    from rich.syntax import Syntax

    console.print(Text(told.property_id, style="bold"))
    console.print(_indented(told.promise))
    _section("Why training cares", told.why, console)
    _section("A surrogate that breaks it", told.slip, console)
    source = Syntax("", "python", theme="ansi_dark").highlight(told.broken.rstrip())
    console.print()
    for line in source.split("\n"):
        # Not wrapped: code that is broken at the terminal's width cannot be pasted.
        console.print(Text("    ").append_text(line), soft_wrap=True)
    console.print(f"\n  Saved as broken.py, it is {'caught' if told.told == 'failure' else 'remarked on'} by")
    console.print(Text(f"    {told.attempt}", style="cyan"), soft_wrap=True)
    for title, text in (("Observed", told.observed), ("Judged", told.judged), ("Mended", told.mended)):
        _section(title, text, console)
    console.print("\n  Once it is mended, what failed is judged again by")
    console.print(Text(f"    surrogate-core replay RESULTS {told.property_id}", style="cyan"), soft_wrap=True)


def _section(title: str, text: str, console: Console) -> None:
    console.print()
    console.print(Text(title, style="bold"))
    console.print(_indented(text))


def _indented(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2), expand=False)
