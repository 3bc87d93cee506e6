"""`surrogate-core history`: the speed of surrogates over time."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

__all__ = ["history"]

history = typer.Typer(help="The speed of surrogates over time: an append-only folder.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The folder of the history.", show_default=False)]

Effect = Annotated[float, typer.Option(help="The least rise that counts, as a share.")]

SIGNS = {"step": "✗", "drift": "✗", "steady": "✓", "inconclusive": "?", "too few": "?"}


@history.command()
def add(
    folder: Folder,
    results: Annotated[Path, typer.Argument(help="A file that `bench --results` wrote.", show_default=False)],
    label: Annotated[str, typer.Option(help="What to call the run, such as a commit.")] = "",
) -> None:
    """Append a run; what failed in any process is left out, and named."""
    from surrogate_core.engine.telling import printable
    from surrogate_core.perf import history as store
    from surrogate_core.perf.store import read

    run = read(results)
    path, differences = store.add(folder, run, label)
    console = Console(soft_wrap=True)
    console.print(f"added to {path}", highlight=False, markup=False)
    for line in store.left_out(run):
        console.print(f"left out: {printable(line)}", style="yellow", highlight=False, markup=False)
    if differences:
        said = f"not comparable with the run before, and kept apart: {'; '.join(differences)}"
        console.print(said, style="bold magenta", highlight=False, markup=False)


@history.command()
def show(folder: Folder) -> None:
    """Every run: its ratios to the bare operation, by place."""
    from surrogate_core.perf import history as store

    console = Console(soft_wrap=True)
    for series in store.load(folder):
        console.print(_where(series.place), style="bold", highlight=False, markup=False)
        names = dict.fromkeys((t, e.parameters.get(t), b) for e in series.entries for t, b in e.pairs)
        for target, parameters, benchmark in names:
            with_ = f" with {parameters}" if parameters else ""
            console.print(f"  {target}{with_}  {benchmark}", highlight=False, markup=False)
            for entry in series.entries:
                if target in entry.ratios and entry.parameters.get(target) != parameters:
                    continue
                ratio = entry.ratios.get(target, {}).get(benchmark)
                told = "not measured" if ratio is None else f"{math.exp(ratio):.3f} of the bare operation"
                line = f"    {entry.started}  {told}  {entry.called(target)}".rstrip()
                console.print(line, highlight=False, markup=False)


@history.command()
def check(
    folder: Folder,
    effect: Effect = 0.02,
) -> None:
    """Tell whether anything became slower: exit code 4 where it did, 3 where nothing could be decided."""
    from surrogate_core.perf import watch

    found = watch.check(folder, effect)
    console = Console(soft_wrap=True)
    console.print(_where(found.series.place), style="bold", highlight=False, markup=False)
    for (target, benchmark), trend in found.trends.items():
        said = found.sentence(target, benchmark)
        console.print(f"{SIGNS[trend.state]} {target}  {benchmark}  {said}", highlight=False, markup=False)
    for target, benchmark in found.vanished:
        said = "not comparable: it vanished from the latest run"
        console.print(f"! {target}  {benchmark}  {said}", style="bold magenta", highlight=False, markup=False)
    for (target, benchmark), phrases in found.changed.items():
        console.print(f"without a clock: {target}  {benchmark}  {'; '.join(phrases)}", highlight=False, markup=False)
    for remark in found.remarks:
        console.print(f"remark: {remark}", style="dim", highlight=False, markup=False)
    raise typer.Exit(found.exit_code)


@history.command()
def accept(
    folder: Folder,
    bench: Annotated[list[str] | None, typer.Option(help="Benchmark or glob, such as 'lif/*'. Repeatable.")] = None,
    effect: Effect = 0.02,
) -> None:
    """Take what rose or vanished for the new normal: later runs are held against the latest one."""
    from surrogate_core.perf import watch

    for (target, benchmark), said in watch.accept(folder, bench or (), effect).items():
        Console(soft_wrap=True).print(f"accepted: {target}  {benchmark}  {said}", highlight=False, markup=False)


def _where(place: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in place.items() if value != "none")
