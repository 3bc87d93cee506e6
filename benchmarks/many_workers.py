"""What many workers bring: measured on 1, 2 and 4 here, and a model of 100 that has to foretell the measured ones.

    python benchmarks/many_workers.py             # measures, a few minutes; then the model and its table

Fixed work (all 2^32 patterns of float32 of one implementation in JAX, at two rates, and half as many of one in PyTorch)
is sent to clusters of dask of 1, 2 and 4 processes. Each of them is held to a core of its own, or else the first would
have them all: both frameworks compute with as many threads as there are cores. The model deals the tasks, of the length
that each was measured to have on one worker, to the next worker that is free. Where there are fewer cores than
workers, they are compared with what as many workers as cores could do.
"""

from __future__ import annotations

import fcntl
import functools
import heapq
import itertools
import json
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from surrogate_core import engine
from surrogate_core.engine.executors import Answer, Task, crew, cut, work
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
    # The longest first, so that no worker is left alone with one at the end.
    return [*cut(torch.units, LIMITS)[:2], *cut(jax.units, LIMITS)]


def held_to_a_core(folder: str, task: Task) -> Answer:
    """Do a task, in a worker whose processes and threads all share one core."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[_place(folder) % len(cores)]})
    return work(task)


def _place(folder: str) -> int:
    """The first place that no other worker has; this one keeps it, by a locked file, for as long as it lives."""
    for place in itertools.count():
        opened = os.open(f"{folder}/{place}", os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(opened)
        else:
            return place
    raise AssertionError("places do not end")


def measure(workers: int, tasks: Sequence[Task]) -> Measured:
    """Send the work to a cluster of so many processes."""
    with tempfile.TemporaryDirectory() as folder, crew("dask", workers) as there:
        do = functools.partial(held_to_a_core, folder)
        # Each worker imports what it needs with its first task, which is no part of the work.
        first = [next(t for t in tasks if t.units[0].implementation.framework == f) for f in ("jax", "torch")]
        for future in as_completed([there.submit(do, _begin(task)) for task in first * workers]):
            future.result()
        start = time.perf_counter()
        sent = {there.submit(do, task): task for task in tasks}
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


def _begin(task: Task) -> Task:
    """The first span of a task."""
    return replace(task, units=task.units[:1])


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
