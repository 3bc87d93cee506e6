"""What a long check shows while it runs, and what it says when it is interrupted."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["progress", "unfinished"]


def unfinished(kept: Path | None) -> str:
    """What a person is told who interrupted a check; ``kept`` is its results file."""
    if kept is None:
        return "interrupted; nothing was kept: with --results FILE, what is finished stays"
    return f"interrupted; what is finished is in {kept}: add --resume {kept} to the same command to go on"


@contextlib.contextmanager
def progress() -> Iterator[tuple[Callable[[Any], None], Callable[[Any], None]]]:
    """A progress bar on stderr, gone when it is done; none where stderr is no terminal.

    Where nothing can be isolated, that is said first, and stays.
    """
    from surrogate_core.engine import unavailable

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    stderr = Console(stderr=True)
    if warned := unavailable():
        stderr.print(warned, style="bold red", markup=False, highlight=False, soft_wrap=True)
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("planning", total=None)

        def on_plan(plan: Any) -> None:
            bar.update(task, total=len(plan.units) + len(plan.settled))

        def on_result(result: Any) -> None:
            bar.update(task, advance=1, description=f"{result.implementation} {result.property_id}")

        yield on_plan, on_result
