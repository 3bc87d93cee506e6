"""`surrogate-core bench --calibrate`: what this machine lets be seen."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from surrogate_core.errors import BadInput

__all__ = ["run_calibration"]

USUAL = ("*forward+backward/*/1024/float32/*", "*forward+backward/*/2^20/float32/*")
"""Of the compiled ones in JAX and the eager ones in PyTorch: where work can be added in small steps."""

SLOWER = 1.2
"""How much longer a measuring process takes than one that looks for work: it has an arm more."""


def run_calibration(request: Any, results: Path | None, console: Console) -> None:
    """Measure, then show the noise, the power, and what to use.

    Raises:
        BadInput: a comparison or several targets were asked for, too, or the target cannot be timed.
    """
    from surrogate_core.perf import calibrate
    from surrogate_core.perf.decide import GATE
    from surrogate_core.perf.plan import plan

    if request.against or request.against_python or len(request.targets) != 1:
        given = "--calibrate with several targets, or with --against"
        raise BadInput(given, "one target", "calibrate in a run of its own")
    if request.rule.processes < GATE.processes:
        given = f"--calibrate with {request.rule.processes} processes"
        raise BadInput(given, f"{GATE.processes} or more: enough for one gate", "leave --processes out for 21")
    laid = plan(replace(request, globs=request.globs or USUAL))
    if not request.globs:
        kept = tuple(b for b in laid.benchmarks if (b.workload.mode == "compiled") == (b.framework == "jax"))
        laid = replace(laid, benchmarks=kept)
    added = _injected(laid, console)
    records: dict[str, list[Any]] = {}
    try:
        with _progress("measuring", laid.rule.processes * len(laid.benchmarks)) as advance:
            for process, benchmark, record in calibrate.samples(laid, added, range(laid.rule.processes)):
                records.setdefault(benchmark, []).append(record)
                advance()
                if results:
                    _keep(results, laid, added, process, benchmark, record)
    except KeyboardInterrupt:
        console.print("interrupted; what follows is of the processes that were finished", style="bold red")
    gate = replace(GATE, effect=request.rule.effect, rounds=min(GATE.rounds, request.rule.rounds))
    whole = {name: measured for name, measured in records.items() if len(measured) >= gate.processes}
    if not whole:
        wanted = f"{gate.processes} processes: enough for one gate"
        raise BadInput("a calibration that was interrupted before", wanted, "let it run longer")
    for name, calibration in calibrate.calibration(whole, gate).items():
        refused = {arm: why for (benchmark, arm), why in added.refused.items() if benchmark == name}
        _show(name, calibration, gate, len(whole), refused, console)


def _injected(laid: Any, console: Console) -> Any:
    """The work that makes the slower arms slower, found before anything else is measured."""
    from surrogate_core.perf.calibrate import WANTED
    from surrogate_core.perf.inject import inject

    started, processes = time.monotonic(), 0
    with _progress("finding work that makes it slower", None) as advance:

        def counted() -> None:
            nonlocal processes
            processes += 1
            advance()

        added = inject(laid, WANTED, advance=counted)
    each = (time.monotonic() - started) / max(1, processes)
    console.print(
        f"{laid.rule.processes} fresh processes of {laid.rule.rounds} rounds will take about "
        f"{each * laid.rule.processes * SLOWER:.0f} s",
        style="dim",
        highlight=False,
    )
    return added


@contextlib.contextmanager
def _progress(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr; nothing where stderr is no terminal."""
    stderr = Console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.update(task, advance=1)


def _keep(path: Path, laid: Any, added: Any, process: int, benchmark: str, record: Any) -> None:
    """Append to the file that the first record begins."""
    first = process == 0 and benchmark == laid.benchmarks[0].id
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if first else "a", encoding="utf-8") as file:
            if first:
                units = [[*where, units] for where, units in added.units.items()]
                file.write(json.dumps({**laid.header, "kind": "calibration", "added": units}) + "\n")
            line = {"kind": "record", "process": process, "benchmark": benchmark, "seconds": record}
            file.write(json.dumps(line) + "\n")
    except OSError as error:
        given = f"--results {path}: {error.strerror}"
        raise BadInput(given, "a path that can be written", "choose another") from None


def _show(name: str, found: Any, gate: Any, family: int, refused: Mapping[str, str], console: Console) -> None:
    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    console.print(f"\n{name}", style="bold", highlight=False)
    spreads = ", ".join(f"{100 * value:.2g} % with {rounds} rounds" for rounds, value in found.spread.items())
    say(
        f"the same beside the same, in {found.processes} fresh processes: they differ by {spreads} (standard deviation)"
    )
    for arm, (caught, gates) in found.gates.items():
        looked = f"{_counted(caught, gates)} of {gate.processes} x {gate.rounds}"
        say(f"{arm}: in truth {found.achieved[arm]} times as long; called regressed by {looked}")
    for arm, why in refused.items():
        say(f"{arm}: not measured: {why}")
    table = Table("processes x rounds", *("+3 %", "+5 %", "+10 %", "+20 %"), box=None, padding=(0, 2, 0, 0))
    rows: dict[tuple[int, int], list[str]] = {}
    for point in found.curve:
        rows.setdefault((point.processes, point.rounds), []).append(f"{100 * point.power:.0f} %")
    for (processes, rounds), powers in rows.items():
        table.add_row(f"{processes} x {rounds}", *powers)
    say("chance of seeing a slowdown, predicted from how much the processes differ:")
    console.print(table)
    for slowdown in (0.05, 0.10):
        for rounds, spread in found.spread.items():
            advice = _advice(spread, slowdown, rounds, found, gate, family)
            say(f"to see +{100 * slowdown:.0f} % 95 times in 100 {advice}")


def _advice(spread: float, slowdown: float, rounds: int, found: Any, gate: Any, family: int) -> str:
    from surrogate_core.perf.calibrate import at_most, needed

    likely = needed(spread, slowdown, gate, family)
    careful = needed(at_most(spread, found.processes), slowdown, gate, family)
    if likely is None:
        return f"with {rounds} rounds: more than 60 processes"
    sure = "more than 60" if careful is None else str(careful)
    return f"with {rounds} rounds: --processes {likely} (to be sure of it after so few processes: {sure})"


def _counted(caught: int, gates: int) -> str:
    """How many of the gates, and what rates so few of them leave open."""
    from surrogate_core.perf.calibrate import proportion

    if not gates:
        return "none of 0 gates: too few processes for one"
    low, high = proportion(caught, gates)
    return f"{caught} of {gates} gates (rates of {100 * low:.0f} to {100 * high:.0f} % are not excluded)"
