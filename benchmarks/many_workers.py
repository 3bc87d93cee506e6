"""What many workers bring: measured on 1, 2 and 4 here, and a model of 100 that has to foretell the measured ones.

    python benchmarks/many_workers.py             # measures, some minutes; then the model and its table

Fixed work (all that `thorough` judges in float32 of one implementation in JAX, at two rates, and of one in PyTorch, of
whose proof a half) is sent to clusters of dask of 1, 2 and 4 processes. Each of them is held to a core of its own, or
else the first would have them all: both frameworks compute with as many threads as there are cores. The model deals the
tasks, of the length that each was measured to have on one worker, to the next worker that is free. Where there are
fewer cores than workers, they are compared with what as many workers as cores could do.

For the thorough survey the model deals the tasks of its real plan. Each has the length that tasks of its kind were
measured to have here: a proof's, or a case's, in JAX or in PyTorch.
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
from surrogate_core.libraries import entries, installed

ROOT = Path(__file__).parent.parent
TORCH = f"{ROOT}/spec_tests/impostors/torch_right.py:composable_function"
WORKERS = (1, 2, 4)
MANY = 100
LIMITS = engine.limits("thorough")


Kind = tuple[str, str]
"""Of a task: (framework, ``proof`` or ``case``)."""


@dataclass(frozen=True)
class Done:
    """One task that was done.

    Attributes:
        kind: of the task.
        seconds: that it took where it was judged.
        sent, received: bytes of the task, and of its answer.
        results: how many.
        stored: their bytes, as they are in a results file.
    """

    kind: Kind
    seconds: float
    sent: int
    received: int
    results: int
    stored: int


@dataclass(frozen=True)
class Measured:
    """One run of the fixed work.

    Attributes:
        workers: processes of the cluster.
        seconds: from the first task that is sent to the last answer, the cluster being there.
        tasks: as their answers came.
    """

    workers: int
    seconds: float
    tasks: tuple[Done, ...]


def fixed() -> list[Task]:
    """The tasks of the fixed work, the longest first, so that no worker is left alone with one at the end."""
    options: dict[str, Any] = {"profile": "thorough", "dtypes": ["float32"]}
    jax = engine.plan(["surrogate_core:SlayerGrad"], params={"alpha": [0.7, 2]}, **options)
    torch = engine.plan([TORCH], params={"alpha": [0.7]}, framework="torch", **options)
    dear = cut(torch.units, LIMITS)
    half = [task for task in dear if kind(task)[1] == "proof"][:2]
    return [*half, *(task for task in dear if kind(task)[1] == "case"), *cut(jax.units, LIMITS)]


def kind(task: Task) -> Kind:
    """What takes a task its time."""
    return task.units[0].implementation.framework, "proof" if task.units[0].span else "case"


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
        first = {task.units[0].implementation.framework: task for task in tasks}.values()
        for future in as_completed([there.submit(do, _begin(task)) for task in [*first] * workers]):
            future.result()
        start = time.perf_counter()
        sent = {there.submit(do, task): task for task in tasks}
        answers = [(sent[future], future.result()) for future in as_completed(sent)]
        seconds = time.perf_counter() - start
    assert not any(answer.refused or answer.troubles for _, answer in answers)
    return Measured(workers, seconds, tuple(_done(task, answer) for task, answer in answers))


def _done(task: Task, answer: Answer) -> Done:
    stored = [json.dumps(result) for result in answer.results]
    sizes = len(pickle.dumps(task)), len(pickle.dumps(answer))
    return Done(kind(task), answer.seconds, *sizes, len(stored), sum(map(len, stored)) + len(stored))


def _begin(task: Task) -> Task:
    """The first unit of a task."""
    return replace(task, units=task.units[:1])


def foretold(lengths: Sequence[float], workers: int, each: float) -> float:
    """Seconds until all tasks are done, dealt to whoever is free; ``each`` is lost with every one of them."""
    free = [0.0] * workers
    for length in lengths:
        heapq.heapreplace(free, free[0] + length + each)
    return max(free)


def survey(one: Measured) -> list[Done]:
    """The tasks of the thorough survey of what is installed, each as those of its kind were measured to be."""
    names = [name for name, known in entries().items() if installed(known.library)]
    with engine.place(names, LIMITS, engine.cores(), None, None) as place:
        planned = engine.plan(names, profile="thorough", survey=True, ask=place.facts)
    return [typical(one, kind(task), len(task.units)) for task in cut(planned.units, LIMITS)]


def typical(one: Measured, of: Kind, units: int) -> Done:
    """A task of so many units: as long as those of its kind, and as large for each of its results."""
    alike = [done for done in one.tasks if done.kind == of]
    results = sum(done.results for done in alike)

    def each(total: int) -> int:
        return round(units * total / results)

    return Done(
        of,
        sum(done.seconds for done in alike) / len(alike),
        each(sum(done.sent for done in alike)),
        each(sum(done.received for done in alike)),
        units,
        each(sum(done.stored for done in alike)),
    )


def main() -> int:
    """Measure, model, and print both."""
    cores = len(os.sched_getaffinity(0))
    tasks = fixed()
    runs = []
    for workers in WORKERS:
        runs.append(measure(workers, tasks))
        print(f"{workers}: {runs[-1].seconds:.1f} s for {len(tasks)} tasks", file=sys.stderr, flush=True)
    one = runs[0]
    lengths = [done.seconds for done in one.tasks]
    each = max(0.0, (one.seconds - sum(lengths)) / len(lengths))
    console = Console(width=120)
    table = Table("workers", "seconds", "foretold", "efficiency", title=f"{len(tasks)} tasks on {cores} cores")
    for run in runs:
        usable = min(run.workers, cores)
        model = foretold(lengths, usable, each)
        table.add_row(
            str(run.workers), f"{run.seconds:.1f}", f"{model:.1f}", f"{one.seconds / usable / run.seconds:.0%}"
        )
    console.print(table)
    units = sum(len(task.units) for task in tasks)
    console.print(f"lost with each task {each * 1e3:.0f} ms, with each unit {each * len(tasks) / units * 1e3:.1f} ms")
    for of in sorted({done.kind for done in one.tasks}):
        told = typical(one, of, 1)
        alike = [done.seconds for done in one.tasks if done.kind == of]
        console.print(
            f"{' '.join(of)}: {len(alike)} of {min(alike):.1f} to {max(alike):.1f} s; for each result {told.sent} bytes"
            f" sent, {told.received} received, {told.stored} in the file"
        )
    dealt = survey(one)
    longest_first = sorted((done.seconds for done in dealt), reverse=True)
    console.print(
        f"thorough survey: {len(dealt)} tasks, {sum(done.results for done in dealt)} results, "
        f"{sum(longest_first) / 3600:.1f} hours of one worker; on {MANY} workers "
        f"{foretold(longest_first, MANY, each) / 60:.0f} min; {sum(done.received for done in dealt) / 1e6:.0f} MB come "
        f"to the client, {sum(done.stored for done in dealt) / 1e6:.0f} MB of results"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
