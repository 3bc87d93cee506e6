"""From stored results of `bench`, and histories of them, to what the report draws."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable

import numpy as np

from surrogate_core.perf import terminal, verdicts
from surrogate_core.perf.store import BenchRun, read
from surrogate_core.perf.summary import Row, in_units, per_second, rows
from surrogate_core.perf.trend import Trend, noise_floor
from surrogate_core.perf.watch import Checked
from surrogate_core.report.timing import Compared, Entry, Timed, Timing, Trended

__all__ = ["exit_code", "load", "timing", "trends"]

STATES = {"regressed": "failed", "no regression": "passed", "inconclusive": "open", "not comparable": "open"}
"""The report's class of every state: what is not known is never shown as passed."""


def load(paths: Iterable[str | os.PathLike[str]]) -> list[BenchRun]:
    """The stored runs; raises :class:`BadInput` where a file is none."""
    return [read(path) for path in paths]


def exit_code(run: BenchRun) -> int:
    """That of the command that measured the run."""
    if run.header["against"] is None:
        return terminal.exit_code(run)
    return verdicts.exit_code(run, strict=run.header.get("strict", False) is True)


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
    return Timing(terminal.sides(run), facts, compared=tuple(map(_compared, verdicts.compare(run))))


def _timed(run: BenchRun) -> Iterable[Timed]:
    for row in rows(run):
        yield Timed(
            target=row.target,
            benchmark=row.benchmark,
            per_call="" if row.seconds is None else in_units(row.seconds),
            rate="" if row.elements_per_second is None else per_second(row.elements_per_second),
            ratio=None if row.ratio is None else (row.ratio.value, row.ratio.low, row.ratio.high),
            noise=_noise(row),
            compiling="" if row.compile_seconds is None else in_units(row.compile_seconds),
            error=verdicts.first_line(row.error) if row.error else "",
        )


def _noise(row: Row) -> float | None:
    """Half of the ratio's interval: what lies within it cannot be told from no change."""
    if row.ratio is None or not math.isfinite(row.ratio.high):
        return None
    return max(row.ratio.high / row.ratio.value, row.ratio.value / row.ratio.low) - 1


def _compared(found: verdicts.Comparison) -> Compared:
    verdict = found.verdict
    times = f"{in_units(found.old)} → {in_units(found.new)}, " if found.old and found.new else ""
    ratio = f"{times}ratio {verdict.ratio}: " if verdict.ratio else ""
    sign = terminal.SHOWN[verdict.state][0]
    said = f"{ratio}{verdict.reason}"
    return Compared(found.benchmark, STATES[verdict.state], sign, verdict.state, said, found.evidence)


SHOWN = {
    "step": ("failed", "✗", "stepped up"),
    "drift": ("failed", "✗", "drifted up"),
    "steady": ("passed", "✓", "steady"),
    "inconclusive": ("open", "?", "inconclusive"),
    "too few": ("open", "?", "too few runs"),
}
"""The report's class, sign and words of every trend."""


def trends(found: Checked) -> Timing:
    """What the report says of a history: each benchmark in the place of the latest run, what rose first."""
    entries = found.series.entries
    targets = dict.fromkeys(target for target, _ in found.trends)
    where = ", ".join(f"{name} {value}" for name, value in found.series.place.items() if value != "none")
    facts = (
        f"{len(entries)} runs from {entries[0].started} to {entries[-1].started}; {where}",
        *(f"{target} {benchmark} vanished from the latest run" for target, benchmark in found.vanished),
        *(f"{t} {b}, without a clock: {'; '.join(said)}" for (t, b), said in found.changed.items()),
        *found.remarks,
    )
    trended = [_trended(found, target, benchmark, trend) for (target, benchmark), trend in found.trends.items()]
    trended.sort(key=lambda one: one.css != "failed")
    return Timing(f"History of {', '.join(targets)}", facts, trended=tuple(trended))


def _trended(found: Checked, target: str, benchmark: str, trend: Trend) -> Trended:
    having = found.having(target, benchmark)
    logs = [e.ratios[target][benchmark] for e in having]
    css, glyph, state = SHOWN[trend.state]
    return Trended(
        target=target,
        benchmark=benchmark,
        css=css,
        glyph=glyph,
        state=state,
        sentence=found.sentence(target, benchmark),
        entries=tuple(
            Entry(e.started, e.versions.get(target, ""), e.label, math.exp(log))
            for e, log in zip(having, logs, strict=True)
        ),
        levels=_levels(np.array(logs), trend),
        noise=noise_floor(logs),
    )


def _levels(logs: np.ndarray, trend: Trend) -> tuple[tuple[int, int, float, float], ...]:
    """The stretches without a step, as a plot shows them."""
    if not trend.stretches:
        level = math.exp(float(logs.mean()))
        return ((0, len(logs) - 1, level, level),)
    return tuple((s.first, s.last, math.exp(s.start), math.exp(s.end)) for s in trend.stretches)
