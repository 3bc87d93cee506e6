"""`surrogate-core bench`: how fast, and whether slower than before."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from surrogate_core.commands.listed import listed
from surrogate_core.errors import BadInput

__all__ = ["bench"]

WIDTH = 110
"""Of the widest table; a narrower terminal breaks its lines."""


def bench(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="package.module:attribute, path/to/file.py:attribute, or a catalogue name.", show_default=False
        ),
    ] = None,
    against: Annotated[
        str, typer.Option(help="Compare with another target, or with an artifact that --freeze wrote.")
    ] = "",
    against_python: Annotated[
        str, typer.Option(help="Compare with the same target under this Python, in alternating processes.")
    ] = "",
    freeze: Annotated[Path | None, typer.Option(help="Keep the compiled programs here, to compare with later.")] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Measure this machine's noise, and which slowdowns it lets be seen.")
    ] = False,
    bench_: Annotated[
        list[str] | None, typer.Option("--bench", help="Benchmark or glob, such as 'lif/*'. Repeatable.")
    ] = None,
    large: Annotated[bool, typer.Option("--large", help="Time 2^24 elements too.")] = False,
    dtype: Annotated[
        list[str] | None, typer.Option(help="Formats in which everything is timed, as float16,float32. Repeatable.")
    ] = None,
    spec: Annotated[str | None, typer.Option(help="What the targets declare, as with check.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="A parameter's value, as alpha=2. Repeatable.")] = None,
    framework: Annotated[str, typer.Option(help="auto, jax or torch.")] = "auto",
    processes: Annotated[
        int | None, typer.Option(help="Fresh processes: 7 in a comparison, 21 with --calibrate, else 5.")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(help="Rounds in each, in which every arm has a turn: 20, with --calibrate 40.")
    ] = None,
    effect: Annotated[
        float | None, typer.Option(help="The least slowdown that counts, as a share.", show_default="0.02")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the order of turns.")] = 0,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 where anything is inconclusive.")] = False,
    results: Annotated[Path | None, typer.Option(help="Write every sample here while running (JSON lines).")] = None,
) -> None:
    """Time surrogates beside the bare operation; or tell whether one became slower."""
    from surrogate_core.perf import terminal, verdicts
    from surrogate_core.perf.decide import GATE, Rule
    from surrogate_core.perf.plan import plan
    from surrogate_core.perf.request import Request

    compared = bool(against or against_python)
    for given, other in (("--calibrate", calibrate), ("--results", results), ("--strict", strict)):
        if freeze is not None and other:
            raise BadInput(f"--freeze and {given}", "one of them", "keep the programs in a run of its own")
    for given, other in (("--strict", strict), ("--effect", effect is not None and not calibrate)):
        if other and not compared:
            raise BadInput(f"{given} without a comparison", "--against or --against-python", f"leave {given} out")
    usual = (21, 40) if calibrate else (7 if compared else 5, 20)
    rule = Rule(
        effect=GATE.effect if effect is None else effect,
        processes=usual[0] if processes is None else processes,
        rounds=usual[1] if rounds is None else rounds,
    )
    request = Request(
        targets=targets or (["surrogate_core:SlayerGrad"] if calibrate else []),
        against=against,
        against_python=against_python,
        spec=spec,
        params=_parameters(param or []),
        framework=framework,
        large=large,
        dtypes=listed(dtype),
        globs=bench_ or [],
        rule=rule,
        seed=seed,
        strict=strict,
    )
    console = Console(width=max(Console().width, WIDTH))
    if freeze is not None:
        _freeze(request, freeze, console)
        return
    if calibrate:
        from surrogate_core.commands.calibrate import run_calibration

        run_calibration(request, results, console)
        return
    run = _measured(plan(request), results)
    terminal.show(run, console)
    if results:
        console.print(f"wrote {results}", style="dim", highlight=False)
    raise typer.Exit(verdicts.exit_code(run, strict) if compared else terminal.exit_code(run))


def _parameters(given: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in given:
        name, equals, value = text.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise BadInput(f"--param {text!r}", "NAME=VALUE", "for example --param alpha=2")
    return found


def _measured(plan: Any, results: Path | None) -> Any:
    """The run, as far as it goes where it is interrupted."""
    from surrogate_core.perf.measure import measure
    from surrogate_core.perf.store import BenchRun, Writer

    writer = Writer(results, plan.header) if results else None
    done: list[Any] = []
    complete = False
    started = time.monotonic()
    try:
        with _progress(plan) as advance:
            for sample in measure(plan):
                done.append(sample)
                advance(sample)
                if writer:
                    writer.add(sample)
        complete = True
        if writer:
            writer.finish(time.monotonic() - started)
    except KeyboardInterrupt:
        kept = f"what is finished is in {results}" if results else "with --results FILE, what is finished is kept"
        Console().print(f"interrupted; {kept}", style="bold red", markup=False, highlight=False, soft_wrap=True)
    finally:
        if writer:
            writer.close()
    return BenchRun(plan.header, tuple(done), complete, time.monotonic() - started)


@contextlib.contextmanager
def _progress(plan: Any) -> Iterator[Callable[[Any], None]]:
    """A progress bar on stderr; nothing where stderr is no terminal."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    stderr = Console(stderr=True)
    expected = plan.rule.processes * sum(len(job.benchmarks) for _, job in plan.jobs)
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("starting", total=expected)

        def advance(sample: Any) -> None:
            what = f"process {sample.process + 1} of {plan.rule.processes}  {sample.benchmark}"
            if sample.look == 2:
                bar.update(task, total=None)
                what = f"seemed slower, once more: {what}"
            bar.update(task, advance=1, description=what)

        yield advance


def _freeze(request: Any, path: Path, console: Console) -> None:
    from surrogate_core.engine.telling import printable
    from surrogate_core.perf.freezing import freeze

    if request.against or request.against_python or len(request.targets) != 1:
        raise BadInput(
            "--freeze with several targets, or with --against", "one target", "freeze it in a run of its own"
        )
    kept, left_out = freeze(request, path)
    for name, why in left_out.items():
        said = f"left out: {name}: {printable(why)}"
        Console(stderr=True).print(said, style="yellow", markup=False, highlight=False, soft_wrap=True)
    console.print(f"wrote {path}: {len(kept)} compiled benchmarks", highlight=False)
