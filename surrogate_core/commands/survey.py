"""`surrogate-core survey`: every surrogate of every installed library against what its library declares."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from surrogate_core.commands.listed import listed
from surrogate_core.commands.outputs import expect_writable
from surrogate_core.commands.progress import progress, unfinished

__all__ = ["survey"]


def survey(
    library: Annotated[
        list[str] | None, typer.Option("--library", help="Only this library. Repeatable; by default all installed.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", min=1, help="Surrogates judged at a time.", show_default="one a core")
    ] = None,
    profile: Annotated[str, typer.Option(help="quick, standard or thorough.")] = "standard",
    property_: Annotated[
        list[str] | None, typer.Option("--property", help="Id or glob, such as 'gradient.*'. Repeatable.")
    ] = None,
    dtype: Annotated[
        list[str] | None, typer.Option(help="Formats, as float16,bfloat16. By default all. Repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random inputs.")] = 0,
    deviations: Annotated[
        Path | None, typer.Option(help="Known findings (TOML); what one explains is expected.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Write results here while running (JSON lines).")] = Path(
        "survey.jsonl"
    ),
    resume: Annotated[
        Path | None, typer.Option(help="Finish this interrupted results file; the other options as they were.")
    ] = None,
    html: Annotated[Path, typer.Option(help="Write the report here.")] = Path("survey.html"),
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write a Markdown summary here; $GITHUB_STEP_SUMMARY gets one anyway.")
    ] = None,
    badge: Annotated[Path | None, typer.Option(help="Write a badge here: SVG for .svg, else shields.io JSON.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for one property.")] = None,
    timeout_total: Annotated[float | None, typer.Option(help="Seconds for one surrogate.")] = None,
    memory: Annotated[int | None, typer.Option(help="MiB that one surrogate may hold in memory.")] = None,
    executor: Annotated[
        str | None, typer.Option(help="Judge elsewhere: processes, dask or dask://HOST:PORT, as in check.")
    ] = None,
) -> None:
    """Judge every surrogate of every installed library against what its library declares."""
    from surrogate_core import api
    from surrogate_core.commands import summaries
    from surrogate_core.drivers.aside import aside
    from surrogate_core.engine.interruption import terminated_like_interrupted
    from surrogate_core.report import junit as junit_file
    from surrogate_core.report import survey as surveyed

    console = Console()
    expect_writable({"--html": html, "--junit": junit, "--markdown": markdown, "--badge": badge})

    def drawing_loaded(plan: object) -> None:
        on_plan(plan)
        # Matplotlib takes half a second, which else comes when everything has been judged and nothing waits but this.
        aside(lambda: import_module("surrogate_core.report.page"))

    try:
        with terminated_like_interrupted(), progress() as (on_plan, on_result):
            report = api.survey(
                library or [],
                jobs=jobs,
                profile=profile,
                properties=property_ or [],
                dtypes=listed(dtype),
                seed=seed,
                deviations=deviations,
                results=None if resume else results,
                resume=resume,
                timeout=timeout,
                total_timeout=timeout_total,
                memory=memory,
                executor=executor,
                on_plan=drawing_loaded,
                on_result=on_result,
            )
    except api.Interrupted as interruption:
        report = interruption.report
        console.print(unfinished(resume or results), style="bold red", markup=False, highlight=False, soft_wrap=True)
    surveyed.show(report.run, console)
    for note in report.notes:
        console.print(note, style="bold yellow", markup=False, highlight=False, soft_wrap=True)
    if junit:
        junit_file.write(report.run, junit)
    report.to_html(html)
    summaries.write(report.run, markdown, badge)
    for path in filter(None, (resume or results, junit, html, markdown, badge)):
        console.print(f"wrote {path}", style="dim", highlight=False)
    raise typer.Exit(report.run.exit_code)
