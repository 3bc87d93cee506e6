"""From stored results of `bench` to what the report draws."""

from __future__ import annotations

import os
from collections.abc import Iterable

from surrogate_core.perf import terminal, verdicts
from surrogate_core.perf.store import BenchRun, read
from surrogate_core.perf.summary import in_units, per_second, rows
from surrogate_core.report.timing import Compared, Timed, Timing

__all__ = ["exit_code", "load", "timing"]

STATES = {"regressed": "failed", "no regression": "passed", "inconclusive": "open", "not comparable": "open"}
"""The report's class of every state: what is not known is never shown as passed."""


def load(paths: Iterable[str | os.PathLike[str]]) -> list[BenchRun]:
    """The stored runs; raises :class:`BadInput` where a file is none."""
    return [read(path) for path in paths]


def exit_code(run: BenchRun) -> int:
    """That of the command that measured the run."""
    return terminal.exit_code(run) if run.header["against"] is None else verdicts.exit_code(run)


def timing(run: BenchRun) -> Timing:
    """What the report says of a run."""
    machine, rule, against = run.header["machine"], run.rule, run.header["against"]
    names = [str(s["target"]) for s in run.header["subjects"]]
    packages = machine["packages"]
    versions = ", ".join(f"{name} {packages[name]}" for name in ("jax", "jaxlib", "torch") if name in packages)
    place = f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, {versions}"
    how = f"{rule.processes} fresh processes of {rule.rounds} rounds, arms in turns"
    facts = (
        f"{place}; {run.header['started']}",
        f"{how}; bounds of {rule.confidence:.0%} each",
        *(str(remark) for remark in run.header["remarks"]),
        *(() if run.complete else ("the run was not finished",)),
    )
    if against is None:
        return Timing(", ".join(names), facts, timed=tuple(_timed(run)))
    other = against.get("path") or against["subject"]["target"]
    return Timing(f"{names[0]} compared with {other}", facts, compared=tuple(map(_compared, verdicts.compare(run))))


def _timed(run: BenchRun) -> Iterable[Timed]:
    for row in rows(run):
        yield Timed(
            target=row.target,
            benchmark=row.benchmark,
            per_call="" if row.seconds is None else in_units(row.seconds),
            rate="" if row.elements_per_second is None else per_second(row.elements_per_second),
            ratio=None if row.ratio is None else (row.ratio.value, row.ratio.low, row.ratio.high),
            compiling="" if row.compile_seconds is None else in_units(row.compile_seconds),
            error=verdicts.first_line(row.error) if row.error else "",
        )


def _compared(found: verdicts.Comparison) -> Compared:
    verdict = found.verdict
    times = f"{in_units(found.old)} → {in_units(found.new)}, " if found.old and found.new else ""
    ratio = f"{times}ratio {verdict.ratio}: " if verdict.ratio else ""
    sign = terminal.SHOWN[verdict.state][0]
    said = f"{ratio}{verdict.reason}"
    return Compared(found.benchmark, STATES[verdict.state], sign, verdict.state, said, found.evidence)
