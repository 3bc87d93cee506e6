"""Proof of the gate: how often it accuses what did not change, and how often it sees what did, in real processes.

    make proofs
    python benchmarks/proof_gate.py measure quiet reports/proof-quiet.jsonl --gates 300
    python benchmarks/proof_gate.py summary reports/proof-quiet.jsonl

Every fresh process measures three benchmarks of SlayerGrad: as it is, as it is once more, and with real work added
that makes it about 5 % and 10 % slower. What a process measured is one line on disk; interrupted, the same command
goes on. Gates are then formed of disjoint groups of processes, and decided by the very code of `bench --against`;
beside it stands the rule `mean:10%` of pytest-benchmark, on the same data.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy import stats

from surrogate_core.perf import calibrate
from surrogate_core.perf.calibrate import OLD, gates, logs
from surrogate_core.perf.decide import Rule
from surrogate_core.perf.machine import place
from surrogate_core.perf.plan import Plan, Request, plan

TARGET = "surrogate_core:SlayerGrad"
FAMILY = (
    "forward+backward/compiled/1024/float32/cpu:0",
    "forward+backward/compiled/2^20/float32/cpu:0",
    "lif/compiled/1024/float32/cpu:0",
)
PUSH, NIGHT = Rule(processes=7, rounds=20), Rule(processes=10, rounds=40)
BURNERS = 2

app = typer.Typer(help=__doc__, add_completion=False, pretty_exceptions_enable=False)

Process = Mapping[str, Mapping[str, Sequence[float]]]
"""What one process measured: benchmark -> arm -> seconds, one a round."""


@app.command()
def measure(
    condition: Annotated[str, typer.Argument(help="quiet, or burners: two processes that only compute.")],
    file: Annotated[Path, typer.Argument(help="JSON lines, continued where it ends.")],
    count: Annotated[int, typer.Option("--gates", help="How many of 7 x 20.")] = 300,
) -> None:
    """Measure, one process after the other."""
    if condition not in ("quiet", "burners"):
        raise typer.BadParameter("quiet or burners")
    laid = plan(Request([TARGET], globs=FAMILY, rule=NIGHT))
    with burners(BURNERS if condition == "burners" else 0):
        head, done = _begun(file, condition, laid)
        added = {(benchmark, arm): int(extra) for benchmark, arm, extra in head["added"]}
        console = Console(stderr=True)
        left = range(done, count * PUSH.processes)
        with file.open("a", encoding="utf-8") as lines:
            for process in track(left, f"{condition}, from process {done}", console=console):
                start = time.perf_counter()
                records = {b: record for _, b, record in calibrate.samples(_until(laid, process + 1), added, process)}
                taken = time.perf_counter() - start
                short = {b: {a: [float(f"{s:.5g}") for s in v] for a, v in r.items()} for b, r in records.items()}
                line = {"kind": "process", "process": process, "seconds": round(taken, 3), "records": short}
                lines.write(json.dumps(line) + "\n")
                lines.flush()


def _until(laid: Plan, processes: int) -> Plan:
    rule = dataclasses.asdict(dataclasses.replace(laid.rule, processes=processes))
    return dataclasses.replace(laid, header={**laid.header, "rule": rule})


def _begun(file: Path, condition: str, laid: Plan) -> tuple[dict[str, Any], int]:
    """The header, and how many processes there are already; of a file that was cut, its whole lines."""
    where = place(laid.header["machine"], laid.header["devices"])
    if file.exists() and b"\n" in (content := file.read_bytes()):
        file.write_bytes(content[: content.rfind(b"\n") + 1])
        head, processes = read(file)
        if (head["condition"], head["place"]) != (condition, where):
            raise typer.BadParameter(f"{file} was begun {head['condition']}, on {head['place']}: choose another file")
        return head, len(processes)
    added = [[*name, extra] for name, extra in calibrate.extras(laid).items()]
    head = {"kind": "proof", "condition": condition, "place": where, "added": added}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(head) + "\n", encoding="utf-8")
    return head, 0


@contextlib.contextmanager
def burners(count: int) -> Iterator[None]:
    """So many processes that only compute, for as long as it lasts."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def read(file: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(header, processes) of a file."""
    head, *processes = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return head, processes


@dataclasses.dataclass(frozen=True)
class Score:
    """How often one rule said that something became slower.

    Attributes:
        rule: in words.
        arm: what was compared with the surrogate as it is.
        flagged: gates of the whole family that flagged any benchmark (of ``same``), or benchmarks that were flagged.
        of: out of how many.
    """

    rule: str
    arm: str
    flagged: int
    of: int

    def bounds(self) -> tuple[float, float]:
        """The exact two-sided 95 % interval of the rate (Clopper & Pearson)."""
        found = stats.binomtest(self.flagged, self.of).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)


def scores(processes: Sequence[Process]) -> list[Score]:
    """Every rule on every arm, where there is data for it."""
    found = [
        score
        for name, rule in (("paired 7 x 20", PUSH), ("paired 10 x 40", NIGHT))
        for arm in calibrate.ARMS
        for score in [_paired(name, rule, arm, processes)]
    ]
    found += [_means(arm, processes) for arm in calibrate.ARMS]
    return [score for score in found if score.of]


def _paired(name: str, rule: Rule, arm: str, processes: Sequence[Process]) -> Score:
    """For ``same``: families with a false alarm. For a slower arm: benchmarks that were caught."""
    benchmarks = list(processes[0])
    family = {b: logs([p[b] for p in processes], arm, rule.rounds) for b in benchmarks}
    decided = gates(family, rule)
    states = [list(gate.values()) for gate in decided]
    if arm == "same":
        return Score(name, arm, sum("regressed" in s for s in states), len(states))
    return Score(name, arm, sum(s.count("regressed") for s in states), len(states) * len(benchmarks))


def _means(arm: str, processes: Sequence[Process]) -> Score:
    """pytest-benchmark --benchmark-compare-fail=mean:10%: one process's mean against that of the one before."""
    pairs = list(zip(processes[::2], processes[1::2], strict=False))
    slower = [[bool(np.mean(new[b][arm]) > 1.1 * np.mean(old[b][OLD])) for b in new] for old, new in pairs]
    if arm == "same":
        return Score("mean:10%", arm, sum(map(any, slower)), len(slower))
    return Score("mean:10%", arm, sum(map(sum, slower)), sum(map(len, slower)))


@app.command()
def summary(files: Annotated[list[Path], typer.Argument(help="What `measure` wrote.")]) -> None:
    """Show what the processes so far say."""
    console = Console()
    for file in files:
        head, processes = read(file)
        if not processes:
            console.print(f"{file}: nothing was measured yet")
            continue
        records = [p["records"] for p in processes]
        title = (
            f"{head['condition']}: {len(processes)} processes, {head['place']['processor']}, jax {head['place']['jax']}"
        )
        table = Table("rule", "compared", "flagged", "of", "rate", "95 % interval", title=title, title_justify="left")
        for score in scores(records):
            low, high = score.bounds()
            rate = f"{100 * score.flagged / score.of:.1f} %"
            of = f"{score.of} {'families' if score.arm == 'same' else 'benchmarks'}"
            table.add_row(score.rule, score.arm, str(score.flagged), of, rate, f"{100 * low:.1f} to {100 * high:.1f} %")
        console.print(table)
        for benchmark in records[0]:
            measured = [r[benchmark] for r in records]
            said = [
                f"{arm} is {100 * math.expm1(float(np.median(logs(measured, arm, NIGHT.rounds)))):.2g} %"
                for arm in calibrate.ARMS
            ]
            spread = 100 * float(logs(measured, "same", PUSH.rounds).std(ddof=1)) if len(measured) > 1 else math.nan
            console.print(f"{benchmark}: in truth {', '.join(said)}; spread between processes {spread:.2g} %")
        each = float(np.median([p["seconds"] for p in processes])) / len(records[0])
        console.print(
            f"seconds for each benchmark, with four arms where a gate has two: 7 x 20 {7 * each:.1f}, "
            f"10 x 40 {10 * each:.1f}; both are measured with 40 rounds"
        )


if __name__ == "__main__":
    app()
