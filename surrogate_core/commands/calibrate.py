"""`surrogate-core bench --calibrate`: what this machine lets be seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from surrogate_core.errors import BadInput

__all__ = ["run_calibration"]

USUAL = ("*forward+backward/*/1024/float32/*", "*forward+backward/*/2^20/float32/*")
"""Of the compiled ones in JAX and the eager ones in PyTorch: where work can be added in small steps."""


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
    laid = plan(replace(request, globs=request.globs or USUAL))
    if not request.globs:
        kept = tuple(b for b in laid.benchmarks if (b.workload.mode == "compiled") == (b.framework == "jax"))
        laid = replace(laid, benchmarks=kept)
    added = calibrate.extras(laid)
    records: dict[str, list[Any]] = {}
    total = laid.rule.processes * len(laid.benchmarks)
    stderr = Console(stderr=True)
    found = track(
        calibrate.samples(laid, added),
        "measuring",
        total,
        console=stderr,
        transient=True,
        disable=not stderr.is_terminal,
    )
    try:
        for process, benchmark, record in found:
            records.setdefault(benchmark, []).append(record)
            if results:
                _keep(results, laid.header if process == 0 and len(records) == 1 else None, process, benchmark, record)
    except KeyboardInterrupt:
        console.print("interrupted; what follows is of the processes that were finished", style="bold red")
    gate = replace(GATE, effect=request.rule.effect, rounds=min(GATE.rounds, request.rule.rounds))
    whole = {name: measured for name, measured in records.items() if len(measured) >= gate.processes}
    if not whole:
        raise BadInput(f"fewer than {gate.processes} processes", "enough for one gate", "let it run longer")
    for name, calibration in calibrate.calibration(whole, gate).items():
        _show(name, calibration, gate, len(whole), console)


def _keep(path: Path, header: Mapping[str, Any] | None, process: int, benchmark: str, record: Any) -> None:
    with path.open("w" if header else "a", encoding="utf-8") as file:
        if header:
            file.write(json.dumps({**header, "kind": "calibration"}) + "\n")
        line = {"kind": "record", "process": process, "benchmark": benchmark, "seconds": record}
        file.write(json.dumps(line) + "\n")


def _show(name: str, found: Any, gate: Any, family: int, console: Console) -> None:
    from surrogate_core.perf.calibrate import needed

    console.print(f"\n{name}", style="bold", highlight=False)
    spreads = ", ".join(f"{100 * value:.2g} % with {rounds} rounds" for rounds, value in found.spread.items())
    console.print(
        f"the same beside the same, in {found.processes} processes: spread {spreads}; bias {100 * found.bias:.2g} %",
        highlight=False,
    )
    for arm, (caught, gates) in found.gates.items():
        amount = f"{arm}, in truth {100 * found.achieved[arm]:.3g} %" if arm != "same" else "the same"
        console.print(
            f"{amount}: called regressed by {caught} of {gates} gates of {gate.processes} x {gate.rounds}",
            highlight=False,
        )
    table = Table("processes x rounds", *("+3 %", "+5 %", "+10 %", "+20 %"), box=None, padding=(0, 2, 0, 0))
    rows: dict[tuple[int, int], list[str]] = {}
    for point in found.curve:
        rows.setdefault((point.processes, point.rounds), []).append(f"{100 * point.power:.0f} %")
    for (processes, rounds), powers in rows.items():
        table.add_row(f"{processes} x {rounds}", *powers)
    console.print("chance of seeing a slowdown, predicted from the spread:")
    console.print(table)
    for slowdown in (0.05, 0.10):
        for rounds, spread in found.spread.items():
            count = needed(spread, slowdown, gate, family)
            what = (
                f"--processes {count} --rounds {rounds}" if count else f"with {rounds} rounds, more than 60 processes"
            )
            console.print(f"to see +{100 * slowdown:.0f} % 95 times in 100: {what}", highlight=False)
