"""The fresh process: a job on stdin, an answer a line on stdout. What a target prints goes to stderr.

Most of what a gate costs is starting such processes, so that one which times imports what it needs for that, and all
else where it is needed: neither sympy nor scipy, and of the harness no engine.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from surrogate_core.drivers.base import BrokenContract, Unsupported
from surrogate_core.drivers.workload import Prepared, preparer
from surrogate_core.errors import BadInput
from surrogate_core.perf.cases import Benchmark
from surrogate_core.perf.job import NOT_OFFERED, PROTOCOL, Arm, Job, Measured, Seconds
from surrogate_core.perf.turns import lengths, take_turns

__all__ = ["main", "respond"]

Answers = Iterator[dict[str, Any]]


def main() -> None:
    """Read a job, answer it."""
    # Whatever an implementation prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asked = json.load(sys.stdin)
    find_modules(asked.get("other", False))
    for framework in {b["framework"] for b in asked.get("benchmarks", ())}:
        preparer(framework).settle()

    def say(answer: Mapping[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    for answer in respond(asked):
        say(answer)
    # What JAX tidies up when an interpreter ends takes a quarter of a second, and nobody needs it: all is answered.
    answers.close()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def find_modules(other: bool) -> None:
    """Let modules be found in the working folder: first of all, as by Python itself.

    Under another interpreter, last of all: it is asked because of what is installed there.
    """
    here = str(Path.cwd())
    elsewhere = [folder for folder in sys.path if folder not in ("", here)]
    sys.path[:] = [*elsewhere, here] if other else [here, *elsewhere]


def respond(asked: Mapping[str, Any]) -> Answers:
    """The answers to a job, ``done`` the last of them."""
    if asked.get("protocol") != PROTOCOL:
        yield {"kind": "protocol", "protocol": PROTOCOL}
        return
    try:
        yield from {"probe": _probe, "freeze": _freeze, "measure": _measure}[asked["what"]](asked)
    except BadInput as mistake:
        fields = {"given": mistake.given, "expected": mistake.expected, "next_step": mistake.next_step}
        yield {"kind": "refused", **fields}
        return
    yield {"kind": "done"}


def _probe(asked: Mapping[str, Any]) -> Answers:
    from surrogate_core.perf.probing import probe

    return probe(asked)


def _freeze(asked: Mapping[str, Any]) -> Answers:
    job = Job.from_json(asked)
    (arm,) = job.arms.values()
    spike = _spike(arm)
    for benchmark in job.benchmarks:
        yield {"benchmark": benchmark.id, **_frozen(benchmark, spike)}


def _frozen(benchmark: Benchmark, spike: Any) -> dict[str, Any]:
    ready, workload = preparer(benchmark.framework), benchmark.workload
    try:
        with ready.scope(workload.dtype, benchmark.device):
            frozen = ready.freeze(spike, workload, benchmark.device)
            counts = ready.prepare(spike, workload, benchmark.device).counts
    except (Exception, SystemExit) as error:
        from surrogate_core.engine.telling import sentence

        return {"kind": "refused by the target", "error": sentence(error)}
    return {"kind": "frozen", "program": frozen.hex(), "counts": counts}


def _measure(asked: Mapping[str, Any]) -> Answers:
    job = Job.from_json(asked)
    spikes: dict[Arm, Any] = {}
    for number, benchmark in enumerate(job.benchmarks):
        with preparer(benchmark.framework).scope(benchmark.workload.dtype, benchmark.device):
            yield _sample(job, benchmark, spikes, job.seed + 1000 * number)


def _sample(job: Job, benchmark: Benchmark, spikes: dict[Arm, Any], seed: int) -> dict[str, Any]:
    """All arms of one benchmark; those that cannot be had are told, and the others take their turns."""
    preparer(benchmark.framework).begin()
    prepared: dict[str, Prepared] = {}
    errors: dict[str, str] = {}
    # What is prepared first finds the memory as nobody else does: 1 % of the time of an arm of 2^20 elements.
    for name in map(str, np.random.default_rng(seed).permutation(list(job.arms))):
        arm = job.arms[name]
        try:
            extra = (job.extras or {}).get((benchmark.id, name), arm.extra)
            prepared[name] = _prepared(arm, benchmark, spikes, extra)
        except Unsupported as missing:
            errors[name] = f"{NOT_OFFERED}{missing}" if arm.kind == "target" else str(missing)
        except (Exception, SystemExit) as error:
            errors[name] = _told(error)
    turn = lengths(prepared) if prepared else None
    seconds = take_turns(prepared, job.rounds, turn, seed) if turn else {}
    arms = {name: dataclasses.asdict(_measured(seconds[name], p)) for name, p in prepared.items()}
    calls = turn.repeat if turn else 0
    return {"kind": "sample", "benchmark": benchmark.id, "calls": calls, "arms": arms, "errors": errors}


def _measured(seconds: Seconds, arm: Prepared) -> Measured:
    # Five digits are a hundredth of what processes differ by, and half of the size of a results file.
    short = tuple(tuple(float(f"{go:.5g}") for go in goes) for goes in seconds)
    return Measured(short, arm.compile_seconds, arm.compilations, arm.recompilations, arm.counts)


def _told(error: BaseException) -> str:
    from surrogate_core.engine.telling import sentence, whole_traceback

    return f"{sentence(error)}\n{whole_traceback(error)}"


def _prepared(arm: Arm, benchmark: Benchmark, spikes: dict[Arm, Any], extra: int) -> Prepared:
    ready = preparer(benchmark.framework)
    where = benchmark.workload, benchmark.device
    if arm.kind == "bare":
        return ready.prepare(None, *where)
    if arm.kind == "artifact":
        from surrogate_core.perf import artifact

        kept = artifact.read(arm.name)
        try:
            found = ready.thaw(kept.program(benchmark.id), *where)
        except Exception as error:
            raise Unsupported(f"its program cannot be brought back: {error}") from None
        # The call of an exported program shows nothing of what is in it; what was counted then is kept beside it.
        return dataclasses.replace(found, counts={**kept.counts[benchmark.id], **_compiled(found.counts)})
    if arm not in spikes:
        spikes[arm] = _spike(arm)
    return ready.prepare(ready.slowed(spikes[arm], extra, *where) if extra else spikes[arm], *where)


def _spike(arm: Arm) -> Any:
    assert arm.target is not None
    made = arm.target.build(arm.parameters)
    if not callable(made):
        raise BrokenContract(f"the factory returned a {type(made).__name__}; expected a spike function")
    return made


def _compiled(counts: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in counts.items() if name.startswith("compiled ")}


if __name__ == "__main__":
    main()
