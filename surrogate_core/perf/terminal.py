"""What `bench` shows on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from surrogate_core.engine.telling import printable
from surrogate_core.perf.decide import Interval
from surrogate_core.perf.store import BenchRun
from surrogate_core.perf.summary import Row, in_units, per_second, rows
from surrogate_core.perf.verdicts import Comparison, compare, first_line

__all__ = ["cost", "exit_code", "show", "sides"]

SHOWN = {
    "regressed": ("✗", "bold red"),
    "no regression": ("✓", "green"),
    "inconclusive": ("?", "yellow"),
    "not comparable": ("!", "bold magenta"),
}
"""A sign and a colour for every state; the colour never stands alone."""


def show(run: BenchRun, console: Console) -> None:
    """The whole of a run."""
    found = rows(run)
    if run.header["against"] is None:
        for target in dict.fromkeys(r.target for r in found):
            _timed(target, [r for r in found if r.target == target], console)
        console.print(
            "ratio: time over that of the bare operation (a step, and x times the cotangent), measured in turns, "
            f"with bounds of {run.rule.confidence:.0%} between {run.rule.processes} processes",
            style="dim",
            highlight=False,
        )
    else:
        _compared(run, compare(run), console)
    for remark in run.header["remarks"]:
        console.print(f"remark: {remark}", style="dim", highlight=False, markup=False, soft_wrap=True)
    if run.seconds and run.benchmarks:
        console.print(cost(run), style="dim", highlight=False)
    if not run.complete:
        console.print("the run was not finished", style="bold red")


def cost(run: BenchRun) -> str:
    """What a run took, in words."""
    each = run.seconds / len(run.benchmarks)
    return f"took {run.seconds:.1f} s in {run.processes} fresh processes: {each:.1f} s for each benchmark"


def _timed(target: str, found: list[Row], console: Console) -> None:
    table = Table(title=printable(target), title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("benchmark", no_wrap=True)
    for name in ("per call", "elements/s", "ratio to bare", "compiling"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in found:
        if row.seconds is None or row.elements_per_second is None:
            table.add_row(row.benchmark, Text(f"not measured: {printable(first_line(row.error))}", style="yellow"))
            continue
        table.add_row(
            row.benchmark,
            in_units(row.seconds),
            per_second(row.elements_per_second),
            _interval(row.ratio),
            "" if row.compile_seconds is None else in_units(row.compile_seconds),
        )
    console.print(table)
    for row in found:
        if row.recompilations:
            console.print(
                f"{row.benchmark}: a further call of the same shape compiles {row.recompilations} programs",
                style="yellow",
                highlight=False,
            )


def sides(run: BenchRun) -> str:
    """What is compared with what, in words, with versions."""
    against = run.header["against"]

    def told(subject: Mapping[str, Any]) -> str:
        version = " ".join(filter(None, (subject["package"], subject["version"])))
        return f"{subject['target']}{f' ({version})' if version else ''}"

    other = told(against["subject"])
    if path := against.get("path"):
        other += f" {'under' if against['kind'] == 'python' else 'as frozen in'} {path}"
    return f"{told(run.header['subjects'][0])} compared with {other}"


def _compared(run: BenchRun, found: tuple[Comparison, ...], console: Console) -> None:
    console.print(printable(sides(run)), highlight=False, markup=False, soft_wrap=True)
    for c in found:
        sign, style = SHOWN[c.verdict.state]
        times = f"{in_units(c.old)} → {in_units(c.new)}, " if c.old is not None and c.new is not None else ""
        ratio = f"{times}ratio {_interval(c.verdict.ratio)}: " if c.verdict.ratio else ""
        console.print(Text(printable(f"{sign} {c.benchmark}  {c.verdict.state}"), style=style), soft_wrap=True)
        console.print(printable(f"    {ratio}{c.verdict.reason}"), highlight=False, markup=False, soft_wrap=True)
        for phrase in c.evidence or ():
            console.print(printable(f"    without a clock: {phrase}"), highlight=False, markup=False, soft_wrap=True)
    errors = dict.fromkeys(c.error for c in found if c.error)
    for error in errors:
        console.print(printable(error.rstrip()), style="red", highlight=False, markup=False, soft_wrap=True)
    counts = {state: sum(c.verdict.state == state for c in found) for state in SHOWN}
    console.print(
        "; ".join(f"{count} {state}" for state, count in counts.items() if count) or "nothing was compared",
        style="bold",
        highlight=False,
    )


def _interval(ratio: Interval | None) -> str:
    return "" if ratio is None else f"{ratio.value:.3g} ({ratio.low:.3g} to {ratio.high:.3g})"


def exit_code(run: BenchRun) -> int:
    """Of a run that compares nothing: 3 where it was not finished, or not everything could be measured; else 0.

    What a framework offers no way to run is missed only where nothing else of a target was measured.
    """
    found = rows(run)
    everywhere, measured = {r.target for r in found}, {r.target for r in found if r.seconds is not None}
    failed = not measured or measured != everywhere or any(r.failed for r in found)
    return 0 if run.complete and not failed else 3
