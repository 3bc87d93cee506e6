"""A run as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from surrogate_core.engine import Run
from surrogate_core.engine.telling import printable
from surrogate_core.properties.outcome import Errored
from surrogate_core.report.cells import Cell, cells
from surrogate_core.report.failure import explain
from surrogate_core.report.verdict import verdict

__all__ = ["show", "show_durations"]

STYLES = {
    "passed": "green",
    "failed": "bold red",
    "errored": "bold magenta",
    "unsupported": "yellow",
    "skipped": "dim",
    "expected failure": "cyan",
}


def show(run: Run, console: Console) -> None:
    """Print the verdict per property, every failure with its script, the ledger, and the answer."""
    for implementation in run.header["implementations"]:
        name = str(implementation["name"])
        mine = cells(run, name)
        about = " ".join(
            filter(None, (implementation["package"], implementation["version"], f"({implementation['framework']})"))
        )
        console.print()
        console.print(Text.assemble((printable(name), "bold"), f"  {about}"))
        console.print(_table(mine))
        told: dict[str, str] = {}
        for cell in mine:
            if cell.state in ("failed", "errored"):
                # Not wrapped: a script that is broken at the terminal's width cannot be pasted.
                console.print(_evidence(cell, told), soft_wrap=True)
    console.print()
    console.print(escape(_where(run)), highlight=False, style="dim", soft_wrap=True)
    console.print(escape(f"ledger: {run.ledger.sentence()}"), highlight=False, style="dim")
    for complaint in run.complaints:
        console.print(Text(printable(complaint), style="bold red"), soft_wrap=True)
    broken = list(dict.fromkeys(c.property_id for c in cells(run) if c.state in ("failed", "errored")))
    if broken:
        more = "" if len(broken) == 1 else " (and so on)"
        console.print(f"why it matters, and how it is mended: surrogate-core explain {broken[0]}{more}", style="dim")
    for implementation in run.header["implementations"]:
        judged = verdict(run, str(implementation["name"]))
        style = "bold green" if judged.answer == "conforms" else "bold red"
        console.print(Text(printable(judged.line), style=style), soft_wrap=True)


def show_durations(run: Run, console: Console, number: int) -> None:
    """Print where the time went: the ``number`` slowest properties (all for 0), and the programs compiled."""
    spent: dict[str, tuple[float, int]] = {}
    for result in run.results:
        seconds, compiled = spent.get(result.property_id, (0.0, 0))
        spent[result.property_id] = seconds + result.seconds, compiled + result.compilations
    table = Table(box=None, padding=(0, 1), title="slowest properties", title_justify="left", title_style="bold")
    table.add_column("seconds", justify="right")
    table.add_column("compilations", justify="right")
    table.add_column("property")
    slowest = sorted(spent.items(), key=lambda item: -item[1][0])
    for name, (seconds, compiled) in slowest[: number or None]:
        table.add_row(f"{seconds:.2f}", str(compiled), name)
    table.add_section()
    table.add_row(f"{sum(s for s, _ in spent.values()):.2f}", str(sum(c for _, c in spent.values())), "in all")
    console.print(table)
    console.print("What properties of one case share is counted where it first happened.", style="dim")


def _table(mine: Sequence[Cell]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1), expand=True)
    table.add_column("verdict", no_wrap=True, width=18)
    table.add_column("property", no_wrap=True, width=23)
    table.add_column("cases", no_wrap=True, width=8, justify="right")
    table.add_column("detail", ratio=1)
    for cell in mine:
        style = STYLES[cell.state]
        cases = f"{cell.count}/{len(cell.results)}"
        detail = Text(cell.detail)
        for lack in cell.lacking:
            detail.append(f"\n{lack}", style="yellow")
        for remark in cell.remarks:
            detail.append(f"\nremark: {remark}", style="yellow")
        table.add_row(Text(f"{cell.glyph} {cell.state}", style=style), cell.property_id, cases, detail)
    return table


def _evidence(cell: Cell, told: dict[str, str]) -> Text:
    """The failure in full; an exception already ``told`` for another property is only referred to."""
    outcome = cell.first.outcome
    earlier = told.setdefault(outcome.message, cell.property_id) if isinstance(outcome, Errored) else cell.property_id
    head, _, rest = explain(cell, with_traceback=earlier == cell.property_id).partition("\n")
    if earlier != cell.property_id:
        rest += f"\n  see       {earlier}, which met the same"
    return Text.assemble("\n", (head, STYLES[cell.state]), "\n", rest)


def _where(run: Run) -> str:
    devices = [f"{name} ({kind})" for found in run.header["devices"].values() for name, kind in found]
    absent = [f"{name} ({framework})" for framework, names in run.header["absent"].items() for name in names]
    searched = f"; no accelerator found for: {', '.join(absent)}" if absent else ""
    asked = f"profile {run.header['profile']}, seed {run.header['seed']}"
    said = f"{asked}; devices: {', '.join(dict.fromkeys(devices))}{searched}"
    return printable("\n".join(filter(None, (said, str(run.header.get("unlimited", ""))))))
