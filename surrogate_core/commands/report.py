"""``surrogate-core report``: stored results, timings and histories as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from surrogate_core.errors import BadInput

__all__ = ["report"]


def report(
    results: Annotated[
        list[Path],
        typer.Argument(
            help="Results files written by check, survey or bench, and folders of a history.", show_default=False
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The HTML file to write.")] = Path("report.html"),
) -> None:
    """Draw stored results as one offline HTML file. Nothing is run again."""
    from surrogate_core import engine
    from surrogate_core.commands import timings
    from surrogate_core.engine.telling import printable
    from surrogate_core.perf import watch
    from surrogate_core.perf.store import is_bench
    from surrogate_core.report import html
    from surrogate_core.report.verdict import verdict

    histories = [watch.check(path) for path in results if path.is_dir()]
    files = [path for path in results if not path.is_dir()]
    timed = timings.load(path for path in files if is_bench(path))
    runs = [engine.read(path) for path in files if not is_bench(path)]
    try:
        html.write(runs, output, [*map(timings.timing, timed), *map(timings.trends, histories)])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # Figures are drawn, not checked: what check writes can be drawn, what was changed since perhaps not.
        raise BadInput(
            f"results file {', '.join(map(str, results))}, which cannot be drawn ({type(error).__name__}: {error})",
            "figures as they were written with --results",
            "run the check again, or draw the files one by one to find the one",
        ) from error
    console = Console()
    for run in runs:
        for implementation in run.header["implementations"]:
            line = printable(verdict(run, str(implementation["name"])).line)
            console.print(line, highlight=False, markup=False)
    console.print(f"wrote {output}", style="dim", highlight=False)
    codes = [*(run.exit_code for run in runs), *map(timings.exit_code, timed), *(h.exit_code for h in histories)]
    raise typer.Exit(max(codes, default=3))
