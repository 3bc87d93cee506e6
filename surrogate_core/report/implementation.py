"""One implementation as the page shows it: its verdict, what went wrong, its plots, its figures, its evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surrogate_core.engine import Result, Run
from surrogate_core.report import evidence, tables
from surrogate_core.report.findings import Finding, by_cause, findings
from surrogate_core.report.gallery import Gallery, gallery
from surrogate_core.report.overview import Noted
from surrogate_core.report.table import Table
from surrogate_core.report.verdict import STATES, State, Tally, Verdict, tally, verdict
from surrogate_core.report.words import listed, number, plural

__all__ = ["Implementation", "Room", "implementation"]


@dataclass(frozen=True)
class Room:
    """How much one implementation may take of the page.

    Attributes:
        plots: how many plots it gets.
        thin: of a curve, every such point is drawn.
        told: of many, how many findings are told in full; the others are lines of a table.
        cases: how many further cases of a finding are listed.
        folded: whether it is one of many: folded, its figures in a line each.
        causes: whether what was found is told by cause, as in a list of findings, and not by property.
    """

    plots: int
    thin: int
    told: int
    cases: int
    folded: bool
    causes: bool


@dataclass(frozen=True)
class Implementation:
    """One implementation of one run.

    Attributes:
        anchor: the id of its place on the page.
        short: its name where there is little room.
        library, family: what it can be filtered by: its package, and the family of its name, or its spec.
        title: of its spec.
        states: what it can be filtered by: ``answer-`` and the class of its verdict, and the classes of the states
            among its promises. The former is told apart, as nearly every implementation keeps some promise.
        tallies, remarked: by property, its results counted, and its remarks.
        broken, excused: how many promises are broken, and how many are so as is known.
        proved: what holds for every bit pattern of a format, in sentences, after ``proved_word``.
    """

    anchor: str
    name: str
    short: str
    library: str
    family: str
    title: str
    origin: str
    verdict: Verdict
    states: tuple[str, ...]
    broken: int
    excused: int
    tallies: Mapping[str, Tally]
    remarked: Mapping[str, int]
    proved_word: str
    proved: tuple[str, ...]
    findings: tuple[Finding, ...]
    remarks: tuple[tuple[str, str], ...]
    gallery: Gallery | None
    tables: tuple[Table, ...]
    formats: tuple[str, ...]
    rows: tuple[evidence.Row, ...]
    effort: str
    folded: bool

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """What went wrong and is not known."""
        return tuple(finding for finding in self.findings if not finding.known)

    @property
    def known(self) -> tuple[Finding, ...]:
        """What is known and explained."""
        return tuple(finding for finding in self.findings if finding.known)

    @property
    def by_state(self) -> tuple[tuple[State, tuple[evidence.Row, ...]], ...]:
        """Its promises by the state that stands for them, the gravest first."""
        found = [(state, tuple(r for r in self.rows if r.tally.state == state)) for state in STATES.values()]
        return tuple((state, rows) for state, rows in found if rows)


def implementation(
    run: Run,
    entry: Mapping[str, Any],
    spec: Mapping[str, Any],
    short: str,
    promises: Mapping[str, str],
    anchor: str,
    room: Room,
    found: Sequence[Noted],
) -> Implementation:
    """The implementation that ``entry`` of the run's header describes.

    ``promises`` are those of the page; ``found`` is what was found of it, where that is told by cause.
    """
    name = str(entry.get("name", ""))
    results = run.of(name)
    by_property: dict[str, list[Result]] = {promise: [] for promise in promises}
    for result in results:
        by_property.setdefault(result.property_id, []).append(result)
    formats = tuple(dict.fromkeys(r.dtype for r in results))
    package = " ".join(str(entry.get(key, "")) for key in ("package", "version") if entry.get(key))
    devices = listed(dict.fromkeys(r.device for r in results))
    judged = verdict(run, name)
    tallies = {promise: tally(of) for promise, of in by_property.items()}
    states = dict.fromkeys([f"answer-{judged.css}", *(t.state.css for t in tallies.values())])
    # A promise without a result is told in the matrix; a row about it would say nothing.
    kept = {promise: sentence for promise, sentence in promises.items() if by_property[promise]}
    return Implementation(
        anchor=anchor,
        name=name,
        short=short,
        library=_library(name, str(entry.get("package") or "")),
        family=str(entry.get("family") or spec.get("name", "")),
        title=str(spec.get("title", "")),
        origin=", ".join(
            part for part in (str(entry.get("framework", "")), package, f"on {devices}" if devices else "") if part
        ),
        verdict=judged,
        states=tuple(states),
        broken=sum(t.state.css in ("failed", "errored") for t in tallies.values()),
        excused=sum(t.state.css == "known" for t in tallies.values()),
        tallies=tallies,
        remarked={promise: len(evidence.remarks(of)) for promise, of in by_property.items()},
        proved_word="Held so far:" if run.objections else "Proved:",
        proved=evidence.proved(results),
        findings=by_cause(found, promises, entry, anchor, room.told, room.cases)
        if room.causes
        else findings(results, promises, anchor, room.cases),
        remarks=evidence.remarks(results),
        gallery=gallery(results, anchor, room.plots, room.thin),
        tables=() if room.folded else tables.every(results),
        formats=formats,
        rows=evidence.rows(by_property, kept, formats, anchor),
        effort=_effort(results),
        folded=room.folded,
    )


def _library(name: str, package: str) -> str:
    """What an implementation comes from: its package; of a file without one, the file's folder stays out of it."""
    return package or re.split(r"[/\\]", name.partition(":")[0])[-1].partition(".")[0] or name


def _effort(results: Sequence[Result]) -> str:
    seconds, compiled = sum(r.seconds for r in results), sum(r.compilations for r in results)
    return f"{plural(len(results), 'result')} in {number(seconds)} s" + (
        f", {plural(compiled, 'program')} compiled" if compiled else ""
    )
