"""Proof of the gate: how often it accuses what did not change, and how often it sees what did, in real processes.

    make proofs
    python benchmarks/proof_gate.py measure quiet reports/proof-quiet.jsonl --gates 300
    python benchmarks/proof_gate.py summary reports/proof-quiet.jsonl

Every fresh process measures three benchmarks of SlayerGrad, the arms in turns: as it is, as it is once more, and in
one process of four with real work added that makes it about 10 % slower. On a quiet machine another of the four adds
about 5 %, in as many rounds as a nightly gate takes. So one process counts for false alarms and for power at once. Of
300 gates' processes a quarter makes some 37 gates that each look twice, or 26 nightly ones: where each of them sees it,
that shows a power above 92 %, or 89 %, with 95 % confidence. What a process measured is one line on disk; interrupted,
the same command goes on.

Gates are then formed of processes, and decided by the very code of `bench --against`. What is independent of what:
gates of the same row of the table share no process, a second look has processes of its own, and every process is a
fresh one. Rows do share processes, so that their rates are not independent of each other. Beside them stands the rule
`mean:10%` of pytest-benchmark, on the same data, each pair of neighbouring processes one comparison: its means are of
all goes, as by itself it takes them of its rounds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from proof_scores import CYCLES, NIGHT, PUSH, SECONDS, Process, asked, claim, left, missed, scores, seconds
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from surrogate_core.errors import BadInput
from surrogate_core.perf import calibrate
from surrogate_core.perf.calibrate import WANTED, logs, proportion
from surrogate_core.perf.decide import Rule, interval
from surrogate_core.perf.inject import Added, inject
from surrogate_core.perf.job import PROTOCOL
from surrogate_core.perf.machine import place
from surrogate_core.perf.plan import Plan, plan
from surrogate_core.perf.request import Request

TARGET = "surrogate_core:SlayerGrad"
FAMILY = (
    "forward+backward/compiled/1024/float32/cpu:0",
    "forward+backward/compiled/2^20/float32/cpu:0",
    "lif/compiled/1024/float32/cpu:0",
)
BURNERS = 2

WIDTH = 160
"""Of the table, whose lines would else break."""

BURN = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    for _ in range(1_000_000):
        pass
"""
"""Computes, for as long as the process of that number is its parent."""

app = typer.Typer(help=__doc__, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def measure(
    condition: Annotated[str, typer.Argument(help="quiet, or burners: two processes that only compute.")],
    file: Annotated[Path, typer.Argument(help="JSON lines, continued where it ends.")],
    count: Annotated[int, typer.Option("--gates", help="How many of 7 x 20, of what did not change.")] = 300,
    minutes: Annotated[float, typer.Option(help="Stop after so many, whatever is done.")] = float("inf"),
    work_from: Annotated[
        Path | None, typer.Option(help="Add the work that was found for this file, and do not look for it anew.")
    ] = None,
) -> None:
    """Measure, one process after the other."""
    if condition not in CYCLES:
        raise typer.BadParameter("quiet or burners")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the burners end with it
    until = time.monotonic() + 60 * minutes
    laid = plan(Request([TARGET], globs=FAMILY, rule=NIGHT))
    console = Console(stderr=True)
    head, done = _begun(file, condition, laid, work_from, console)
    known = [line["records"] for line in done]
    added = _added_from(head)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        burners(BURNERS if condition == "burners" else 0),
        file.open("a", encoding="utf-8") as lines,
        Progress(*columns, console=console) as bar,
    ):
        total = len(known) + left(known, count)
        task = bar.add_task(f"{condition}: processes", total=total, completed=len(known))
        begun = time.monotonic()
        while left(known, count) and time.monotonic() < until:
            line = _one_process(laid, added, CYCLES[condition], len(known))
            lines.write(json.dumps(line) + "\n")
            lines.flush()
            known.append(line["records"])
            bar.update(task, advance=1, total=len(known) + left(known, count))
            if (new := len(known) - len(done)) in (1, 10):
                rest = left(known, count) * (time.monotonic() - begun) / new
                console.print(f"{left(known, count)} processes to go: about {_hours(rest)}")
    console.print(f"{len(known)} processes are in {file}; {left(known, count)} to go")


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds > 5400 else f"{seconds / 60:.0f} min"


def _one_process(
    laid: Plan, added: Added, cycle: Sequence[tuple[Rule, tuple[str, ...]]], process: int
) -> dict[str, Any]:
    """What it measured, how long it took, and how many cores others kept busy meanwhile."""
    rule, arms = cycle[process % len(cycle)]
    laid = dataclasses.replace(laid, header={**laid.header, "rule": dataclasses.asdict(rule)})
    start, busy, own = time.perf_counter(), _busy(), _own()
    records = {b: record for _, b, record in calibrate.samples(laid, added, [process], arms)}
    seconds = time.perf_counter() - start
    return {
        "kind": "process",
        "process": process,
        "arms": len(arms) + 1,
        "rounds": rule.rounds,
        "seconds": round(seconds, 3),
        "load": round(os.getloadavg()[0], 2),
        "others": round(max(0.0, _busy() - busy - (_own() - own)) / seconds, 2),
        "records": records,
    }


def _busy() -> float:
    """Seconds that all cores together were busy since the machine started; 0 where the system does not say."""
    try:
        user, nice, system, _, _, irq, soft, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    except (OSError, ValueError):
        return 0.0
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    """Seconds that this process and the measuring ones that ended have computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _begun(
    file: Path, condition: str, laid: Plan, work_from: Path | None, console: Console
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The header, and the processes that there are already; of a file that was cut, its whole lines."""
    same = {
        "condition": condition,
        "place": place(laid.header["machine"], laid.header["devices"]),
        "protocol": PROTOCOL,
        "family": list(FAMILY),
    }
    if file.exists() and b"\n" in (content := file.read_bytes()):
        file.write_bytes(content[: content.rfind(b"\n") + 1])
        head, processes = read(file)
        if changed := [name for name, value in same.items() if head.get(name) != value]:
            raise typer.BadParameter(f"{file} was begun with another {', '.join(changed)}: choose another file")
        return head, processes
    if work_from is not None:
        known, _ = read(work_from)
        work = {name: known[name] for name in ("units", "refused")}
    else:
        console.print("finding the work that makes it 5 % and 10 % slower")
        added = inject(laid, WANTED, processes=15)
        work = {
            "units": [[*where, units] for where, units in added.units.items()],
            "refused": [[*where, why] for where, why in added.refused.items()],
        }
    for benchmark, arm, why in work["refused"]:
        console.print(f"{benchmark} {arm}: left out: {why}")
    head = {"kind": "proof", **same, **work}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(head) + "\n", encoding="utf-8")
    return head, []


def _added_from(head: Mapping[str, Any]) -> Added:
    units = {(benchmark, arm): int(units) for benchmark, arm, units in head["units"]}
    return Added(units, {}, {(benchmark, arm): why for benchmark, arm, why in head["refused"]})


@contextlib.contextmanager
def burners(count: int) -> Iterator[None]:
    """So many processes that only compute, for as long as it lasts."""
    started = [subprocess.Popen([sys.executable, "-c", BURN, str(os.getpid())]) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def read(file: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(header, processes) of a file."""
    try:
        head, *processes = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError) as error:
        raise BadInput(f"{file}: {error}", "a file that `measure` wrote", "check the path") from None
    return head, processes


@app.command()
def summary(files: Annotated[list[Path], typer.Argument(help="What `measure` wrote.")]) -> None:
    """Show what the processes so far say."""
    console = Console(width=max(Console().width, WIDTH))
    behind = False
    for file in files:
        head, processes = read(file)
        if not processes:
            console.print(f"{file}: nothing was measured yet")
            continue
        behind |= _show(head, processes, console)
    raise typer.Exit(int(behind))


def _show(head: Mapping[str, Any], processes: Sequence[Mapping[str, Any]], console: Console) -> bool:
    """Show a file; whether a target is missed."""
    records: list[Process] = [p["records"] for p in processes]
    where = head["place"]
    title = f"{head['condition']}: {len(processes)} processes; {where['processor']}, {where['cores']} cores, jax "
    table = Table("rule", "compared", "slower benchmark", "flagged", "gates", "rate", "exact 95 % interval", box=None)
    table.title, table.title_justify = title + where["jax"], "left"
    found = scores(records)
    for score in found:
        low, high = proportion(score.flagged, score.of)
        rate = f"{100 * score.flagged / score.of:.1f} %"
        benchmark = score.benchmark or "none of the family"
        of = str(score.of)
        exact = f"{100 * low:.1f} to {100 * high:.1f} %"
        table.add_row(score.rule, score.arm, benchmark, str(score.flagged), of, rate, exact)
    console.print(table)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    unchanged = [s for s in found if s.arm == "same" and s.rule.startswith("paired")]
    say(claim(unchanged[0]) if unchanged else "too few processes for a gate")
    behind = missed(found, asked(head["condition"], records[0]))
    took = seconds(processes)
    behind += [f"7 x 20 takes {took:.3g} s for a benchmark, where {SECONDS:g} s are wanted"] * (took > SECONDS)
    say("missed: " + "; ".join(behind) if behind else "every target is met")
    say(f"7 x 20 takes {took:.3g} s for a benchmark, and as much again where it looks twice")
    for benchmark, arm, why in head["refused"]:
        say(f"{benchmark}: no work was found for {arm}: {why}")
    for benchmark in records[0]:
        measured = [r[benchmark] for r in records]
        spread = 100 * float(logs(measured, "same", PUSH.rounds).std(ddof=1)) if len(measured) > 1 else 0.0
        for arm in calibrate.ARMS:
            having = [m for m in measured if arm in m]
            if len(having) > 1:
                ratio = interval(logs(having, arm, PUSH.rounds), NIGHT.confidence)
                say(f"{benchmark} {arm}: in truth {ratio} times as long, in {len(having)} processes")
        say(f"{benchmark}: standard deviation between processes {spread:.2g} %")
    for arms, rounds in sorted({(p["arms"], p["rounds"]) for p in processes}):
        took = np.median([p["seconds"] for p in processes if (p["arms"], p["rounds"]) == (arms, rounds)])
        say(f"a process with {arms} arms of {rounds} rounds took {took:.1f} s, for three benchmarks")
    load, others = (np.array([p[name] for p in processes]) for name in ("load", "others"))
    say(
        f"load average {np.median(load):.1f} ({load.min():.1f} to {load.max():.1f}); "
        f"others kept {np.median(others):.1f} cores busy ({others.min():.1f} to {others.max():.1f})"
    )
    return bool(behind)


if __name__ == "__main__":
    try:
        app()
    except BadInput as mistake:
        sys.exit(f"error: {mistake}")
