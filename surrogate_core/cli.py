"""The command line. Thin: it reads options, calls the API, shows what came back."""

from __future__ import annotations

import fnmatch
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from surrogate_core.commands.bench import bench
from surrogate_core.commands.compare import compare
from surrogate_core.commands.deviations import deviations as deviations_commands
from surrogate_core.commands.explain import explain
from surrogate_core.commands.history import history
from surrogate_core.commands.listed import listed
from surrogate_core.commands.outputs import expect_writable
from surrogate_core.commands.progress import progress, unfinished
from surrogate_core.commands.project import Project, project
from surrogate_core.commands.replay import replay
from surrogate_core.commands.report import report
from surrogate_core.commands.survey import survey
from surrogate_core.errors import BadInput

if TYPE_CHECKING:
    from surrogate_core.engine import Run

__all__ = ["main"]

app = typer.Typer(
    name="surrogate-core",
    help="Judge surrogate gradients of spiking networks against what they declare.\n\n"
    "Exit codes: 0 conforms, 1 does not conform, 2 could not be carried out, "
    "3 nothing was judged or the ledger does not add up, 4 performance regression.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

listing = typer.Typer(help="What there is to choose from.", no_args_is_help=True)
app.add_typer(listing, name="list")
app.add_typer(deviations_commands, name="deviations")

Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TARGET...",
        help="package.module:attribute, path/to/file.py:attribute, or a catalogue name. By default those of the "
        "project.",
        show_default=False,
    ),
]


def _parameters(given: list[str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for text in given:
        name, equals, values = text.partition("=")
        try:
            numbers = [float(value) for value in values.split(",")]
        except ValueError:
            numbers = []
        if not equals or not name or not numbers:
            raise BadInput(f"--param {text!r}", "NAME=VALUE or NAME=VALUE,VALUE", "for example --param alpha=0.5,1,2")
        found.setdefault(name, []).extend(numbers)
    return found


@app.command()
def check(
    targets: Targets = None,
    spec: Annotated[
        str | None,
        typer.Option(
            help="What the targets declare: a name from `list specs`. By default what the catalogue says of a "
            "catalogue name, otherwise slayer."
        ),
    ] = None,
    param: Annotated[list[str] | None, typer.Option(help="Values to judge at, as alpha=0.5,1,2.")] = None,
    profile: Annotated[str | None, typer.Option(help="quick, standard or thorough.", show_default="standard")] = None,
    property_: Annotated[
        list[str] | None, typer.Option("--property", help="Id or glob, such as 'gradient.*'. Repeatable.")
    ] = None,
    dtype: Annotated[
        list[str] | None, typer.Option(help="Formats, as float16,bfloat16. By default all. Repeatable.")
    ] = None,
    framework: Annotated[str | None, typer.Option(help="auto, jax or torch.", show_default="auto")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the random inputs.", show_default="0")] = None,
    results: Annotated[Path | None, typer.Option(help="Write results here while running (JSON lines).")] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Finish this interrupted results file; the other options as they were.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", min=1, help="Implementations judged at a time.", show_default="1")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds for one property.", show_default="120, 600 or 3600 by profile")
    ] = None,
    timeout_total: Annotated[
        float | None, typer.Option(help="Seconds for one implementation.", show_default="ten times as much")
    ] = None,
    memory: Annotated[
        int | None, typer.Option(help="MiB that one implementation may hold in memory, its imports included.")
    ] = None,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Judge in this process, without limits: for debuggers.")
    ] = False,
    executor: Annotated[
        str | None,
        typer.Option(
            help="Judge elsewhere: processes; dask, a cluster of --jobs processes here; dask://HOST:PORT, a scheduler "
            "that exists.",
            show_default="this machine's own workers",
        ),
    ] = None,
    deviations: Annotated[
        Path | None, typer.Option(help="Known departures (TOML); a failure that one explains is expected.")
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            help="What does not pass beside failed and errored: unsupported,remark. Repeatable.",
            show_default="failed,errored",
        ),
    ] = None,
    max_failures: Annotated[int | None, typer.Option(min=1, help="Stop at so many failures.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report here.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write a Markdown summary here; $GITHUB_STEP_SUMMARY gets one anyway.")
    ] = None,
    badge: Annotated[Path | None, typer.Option(help="Write a badge here: SVG for .svg, else shields.io JSON.")] = None,
    durations: Annotated[
        int | None, typer.Option(min=0, help="Show where the time went: the N slowest properties, 0 for all.")
    ] = None,
) -> None:
    """Judge implementations against what they declare.

    What is not given is taken from the table tool.surrogate-core of the project's pyproject.toml.
    """
    from surrogate_core import api
    from surrogate_core.engine.interruption import terminated_like_interrupted
    from surrogate_core.engine.strict import DEFAULT, strictness

    console, own = Console(), project(Path.cwd())
    strict = strictness(own.get("fail-on", listed(fail_on), DEFAULT))
    results = None if resume else own.get("results", results)
    html, junit = own.get("html", html), own.get("junit", junit)
    markdown, badge = own.get("markdown", markdown), own.get("badge", badge)
    durations = own.get("durations", durations)
    expect_writable({"--html": html, "--junit": junit, "--markdown": markdown, "--badge": badge})
    try:
        with terminated_like_interrupted(), progress() as (on_plan, on_result):
            report = api.check(
                _targets(own, targets),
                own.get("spec", spec),
                params=_parameters(param) if param else own.get("params", None),
                profile=own.get("profile", profile, "standard"),
                properties=own.get("properties", property_, []),
                dtypes=own.get("dtypes", listed(dtype), []),
                seed=own.get("seed", seed, 0),
                framework=own.get("framework", framework, "auto"),
                results=results,
                resume=resume,
                deviations=own.get("deviations", deviations),
                max_failures=own.get("max-failures", max_failures),
                jobs=own.get("jobs", jobs, 1),
                timeout=own.get("timeout", timeout),
                total_timeout=own.get("timeout-total", timeout_total),
                memory=own.get("memory", memory),
                in_process=own.get("in-process", in_process or None),
                executor=own.get("executor", executor),
                on_plan=on_plan,
                on_result=on_result,
            )
    except api.Interrupted as interruption:
        report = interruption.report
        console.print(unfinished(results or resume), style="bold red", markup=False, highlight=False, soft_wrap=True)
    from surrogate_core.commands import summaries
    from surrogate_core.report import junit as junit_file
    from surrogate_core.report import terminal

    # Shown before any file is drawn: a path that cannot be written must not cost the answer.
    terminal.show(report.run, console)
    for note in report.notes:
        console.print(note, style="bold yellow", markup=False, highlight=False, soft_wrap=True)
    if durations is not None:
        terminal.show_durations(report.run, console, durations)
    if junit:
        junit_file.write(report.run, junit, strict)
    if html:
        report.to_html(html)
    summaries.write(report.run, markdown, badge)
    for path in filter(None, (results or resume, junit, html, markdown, badge)):
        console.print(f"wrote {path}", style="dim", highlight=False)
    if (stored := results or resume) and any(report.ledger.counts[state] for state in ("failed", "errored")):
        again = f"once it is mended, what failed is judged again by: surrogate-core replay {stored}"
        console.print(again, style="dim", markup=False, highlight=False, soft_wrap=True)
    _conclude(report.run, strict, console)


def _targets(own: Project, given: list[str] | None) -> list[str]:
    targets = own.get("targets", given, [])
    if not targets:
        raise BadInput(
            "no target",
            "at least one implementation to judge",
            "name one, or set targets under [tool.surrogate-core] in pyproject.toml",
        )
    return targets


def _conclude(run: Run, strict: tuple[str, ...], console: Console) -> None:
    """Tell GitHub, where it listens; leave with the exit code, and say why where the report alone does not."""
    from surrogate_core.engine.strict import DEFAULT, exit_code, offences
    from surrogate_core.report.annotations import annotations

    for line in annotations(run, os.environ):
        print(line)
    if strict != DEFAULT:
        said = ", ".join(f"{count} {name}" for name, count in offences(run, strict).items())
        console.print(f"fails on {', '.join(strict)}: {said or 'none of them'}", markup=False, highlight=False)
    raise typer.Exit(exit_code(run, strict))


Glob = Annotated[str, typer.Argument(help="Show only names that match this glob.")]


def _rows(rows: list[tuple[str, ...]], glob: str, what: str) -> None:
    from rich.table import Table
    from rich.text import Text

    matching = [row for row in rows if fnmatch.fnmatch(row[0], glob)]
    if not matching:
        from surrogate_core.errors import near_misses

        raise BadInput(
            f"{what} {glob!r}", "a name or glob that matches something", near_misses(glob, [r[0] for r in rows])
        )
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    for row in matching:
        # As text: rich would read the [extra] of a pip command as markup.
        table.add_row(*map(Text, row))
    Console(soft_wrap=not sys.stdout.isatty()).print(table)


@listing.command("specs")
def list_specs(glob: Glob = "*") -> None:
    """Specs: name, formula, source."""
    from surrogate_core.spec import get_spec, spec_names

    specs = [get_spec(name) for name in spec_names()]
    _rows([(s.name, str(s.gradient), s.source) for s in specs], glob, "spec")


@listing.command("properties")
def list_properties(glob: Glob = "*") -> None:
    """Properties: id, and the promise that a person reads."""
    from surrogate_core.properties import PROPERTIES

    _rows([(p.id, p.promise) for p in PROPERTIES], glob, "property")


@listing.command("implementations")
def list_implementations(glob: Glob = "*") -> None:
    """Known surrogates: name, the spec each declares, framework, and the installed version or what brings it."""
    from surrogate_core import libraries

    versions = {library.name: libraries.version(library) for library in libraries.libraries()}
    rows = [
        (name, surrogate.spec, surrogate.framework, versions[library.name] or f"missing: {library.install}")
        for name, (library, surrogate) in libraries.entries().items()
    ]
    _rows(rows, glob, "implementation")
    for sentence in libraries.broken():
        Console(stderr=True).print(sentence, style="bold red", markup=False, highlight=False, soft_wrap=True)


app.command()(compare)
app.command()(replay)
app.command()(explain)
app.command()(report)
app.command()(bench)
app.command()(survey)
app.add_typer(history, name="history")


def main() -> None:
    """Entry point. Targets are also looked for in the current folder, as with `python -m`."""
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        app()
    except BadInput as mistake:
        from surrogate_core.engine.telling import printable

        Console(stderr=True).print(
            printable(f"error: {mistake}"), style="bold red", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(2)
