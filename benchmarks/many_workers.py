"""What many workers bring: measured on 1, 2 and 4 here, and a model of 100 that has to foretell the measured ones.

    python benchmarks/many_workers.py             # measures, a few minutes; then the model and its table

Fixed work (all 2^32 patterns of float32, of one implementation in JAX at two rates and of one in PyTorch at one) is
sent to clusters of dask of 1, 2 and 4 processes. The model deals the tasks, of the length that each was measured to
have on one worker, to the next worker that is free. On a machine of two cores four workers share them, so that
they are compared with what two could do; and one worker has both cores for itself, which lets its tasks look short.
"""

from __future__ import annotations

import heapq
import json
import os
import pickle
import sys
import time
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from surrogate_core import engine
from surrogate_core.engine.executors import Task, crew, cut, work
from surrogate_core.engine.executors.task import SPANS
from surrogate_core.libraries import entries

ROOT = Path(__file__).parent.parent
TORCH = f"{ROOT}/spec_tests/impostors/torch_right.py:composable_function"
WORKERS = (1, 2, 4)
MANY = 100
LIMITS = engine.limits("thorough")


@dataclass(frozen=True)
class Measured:
    """One run of the fixed work.

    Attributes:
        workers: processes of the cluster.
        seconds: from the first task that is sent to the last answer, the cluster being there.
        tasks: seconds that each task took where it was judged, by the framework.
        sent, received: bytes of all tasks, and of all answers.
        stored: bytes of the results, as they are in a results file.
        results: how many.
    """

    workers: int
    seconds: float
    tasks: tuple[tuple[str, float], ...]
    sent: int
    received: int
    stored: int
    results: int


def fixed() -> list[Task]:
    """The tasks of the fixed work."""
    options: dict[str, Any] = {"profile": "thorough", "dtypes": ["float32"], "properties": ["pointwise.patterns"]}
    jax = engine.plan(["surrogate_core:SlayerGrad"], params={"alpha": [0.7, 2]}, **options)
    torch = engine.plan([TORCH], params={"alpha": [0.7]}, framework="torch", **options)
    return [*cut(jax.units, LIMITS), *cut(torch.units, LIMITS)]


def measure(workers: int, tasks: Sequence[Task]) -> Measured:
    """Send the work to a cluster of so many processes."""
    with crew("dask", workers) as there:
        # Each worker imports what it needs with its first task, which is no part of the work.
        for future in as_completed([there.submit(work, task) for task in [tasks[0]] * workers]):
            future.result()
        start = time.perf_counter()
        sent = {there.submit(work, task): task for task in tasks}
        answers = [(sent[future], future.result()) for future in as_completed(sent)]
        seconds = time.perf_counter() - start
    assert not any(answer.refused or answer.troubles for _, answer in answers)
    stored = [json.dumps(result) for _, answer in answers for result in answer.results]
    return Measured(
        workers,
        seconds,
        tuple((t.units[0].implementation.framework, a.seconds) for t, a in answers),
        sum(len(pickle.dumps(task)) for task in tasks),
        sum(len(pickle.dumps(answer)) for _, answer in answers),
        sum(map(len, stored)) + len(stored),
        len(stored),
    )


def foretold(lengths: Sequence[float], workers: int, each: float) -> float:
    """Seconds until all tasks are done, dealt to whoever is free; ``each`` is lost with every one of them."""
    free = [0.0] * workers
    for length in lengths:
        heapq.heapreplace(free, free[0] + length + each)
    return max(free)


def survey(one: Measured, rates: int = 4) -> tuple[list[float], int]:
    """The tasks of the proofs of all surrogates, of the lengths that were measured; and how many results they give."""
    lengths: list[float] = []
    for known in entries().values():
        mine = [spent for framework, spent in one.tasks if framework == known.surrogate.framework]
        lengths += [sum(mine) / len(mine)] * (64 // SPANS) * rates
    return lengths, len(entries()) * rates * 64


def main() -> int:
    """Measure, model, and print both."""
    cores = len(os.sched_getaffinity(0))
    tasks = fixed()
    runs = []
    for workers in WORKERS:
        runs.append(measure(workers, tasks))
        print(f"{workers}: {runs[-1].seconds:.1f} s for {len(tasks)} tasks", file=sys.stderr, flush=True)
    one = runs[0]
    lengths = [spent for _, spent in one.tasks]
    each = max(0.0, (one.seconds - sum(lengths)) / len(lengths))
    console = Console()
    table = Table("workers", "seconds", "foretold", "efficiency", title=f"{len(tasks)} tasks on {cores} cores")
    for run in runs:
        usable = min(run.workers, cores)
        model = foretold(lengths, usable, each)
        table.add_row(
            str(run.workers), f"{run.seconds:.1f}", f"{model:.1f}", f"{one.seconds / usable / run.seconds:.0%}"
        )
    console.print(table)
    console.print(f"lost with each task: {each * 1e3:.0f} ms; a task {one.sent / len(tasks):.0f} bytes, an answer")
    console.print(f"{one.received / len(tasks):.0f}; a result {one.stored / one.results:.0f} bytes in the file")
    dealt, results = survey(one)
    console.print(
        f"proofs of {len(entries())} surrogates at 4 rates: {len(dealt)} tasks, {sum(dealt) / 3600:.1f} hours "
        f"of one worker; on {MANY} workers {foretold(dealt, MANY, each) / 60:.0f} min; "
        f"{one.received / len(tasks) * len(dealt) / 1e6:.0f} MB come to the client, "
        f"{one.stored / one.results * results / 1e6:.0f} MB of results"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
