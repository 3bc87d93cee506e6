"""All that the template shows, as plain values: it decides nothing but where things stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from surrogate_core.engine import Result, Run
from surrogate_core.report import evidence, tables
from surrogate_core.report.charts import Gallery, gallery
from surrogate_core.report.findings import Finding, findings
from surrogate_core.report.formula import forward_rule, mathml
from surrogate_core.report.verdict import Tally, Verdict, tally, verdict
from surrogate_core.report.words import greek, listed, number, plural, setting, short_names

__all__ = ["Cell", "Implementation", "Page", "Section", "page"]


@dataclass(frozen=True)
class Implementation:
    """One implementation of one run."""

    anchor: str
    name: str
    short: str
    origin: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    remarks: tuple[tuple[str, str], ...]
    gallery: Gallery | None
    tables: tuple[tables.Table, ...]
    formats: tuple[str, ...]
    rows: tuple[evidence.Row, ...]
    effort: str


@dataclass(frozen=True)
class Cell:
    """A field of the matrix, and the place on the page that its evidence stands at."""

    tally: Tally
    target: str
    remarks: int


@dataclass(frozen=True)
class Section:
    """One spec of one run, judged for some implementations on one machine."""

    anchor: str
    title: str
    formula: Markup
    forward: Markup
    source: str
    claims: tuple[str, ...]
    ledger: str
    objections: tuple[str, ...]
    implementations: tuple[Implementation, ...]
    matrix: tuple[tuple[str, str, tuple[Cell, ...]], ...]
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    unchecked: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """The whole report."""

    answer: str
    sections: tuple[Section, ...]


def page(runs: Sequence[Run]) -> Page:
    """What a report of ``runs`` shows."""
    parts = [part for run in runs for part in run.by_spec()]
    sections = tuple(_section(part, f"run-{number}") for number, part in enumerate(parts, start=1))
    return Page(_answer(sections), sections)


def _answer(sections: Sequence[Section]) -> str:
    verdicts = [i.verdict for s in sections for i in s.implementations]
    kept = sum(v.css == "passed" for v in verdicts)
    undecided = sum(v.css == "open" for v in verdicts)
    if not verdicts:
        return "Nothing was judged"
    if len(verdicts) == 1:
        return f"{sections[0].implementations[0].short}: {verdicts[0].answer}" if sections[0].implementations else ""
    if kept == len(verdicts):
        return f"{'Both' if kept == 2 else f'All {kept}'} implementations conform"
    if undecided == len(verdicts):
        return f"No verdict on {plural(undecided, 'implementation')}"
    said = f"{kept} of {plural(len(verdicts), 'implementation')} {'conforms' if kept == 1 else 'conform'}"
    return said + (f", {undecided} without a verdict" if undecided else "")


def _section(run: Run, anchor: str) -> Section:
    head = run.header
    spec: Mapping[str, Any] = next(iter(head.get("specs", {}).values()), {})
    entries = {str(i.get("name", "")): i for i in head.get("implementations", [])}
    names = list(dict.fromkeys([*entries, *(r.implementation for r in run.results)]))
    short = short_names(names)
    promises = {str(key): str(value) for key, value in head.get("properties", {}).items()}
    promises |= {r.property_id: "" for r in run.results if r.property_id not in promises}
    # A promise that nobody was judged on is told below the matrix, not as an empty row of it.
    judged = {name: promises[name] for name in promises if name not in evidence.missing(run)}
    implementations = tuple(
        _implementation(run, name, entries.get(name, {}), short[name], judged, f"{anchor}-{number}")
        for number, name in enumerate(names, start=1)
    )
    return Section(
        anchor=anchor,
        title=str(spec.get("title", "")) or "A surrogate gradient",
        formula=mathml(str(spec.get("gradient", ""))),
        forward=forward_rule(str(spec.get("forward", ""))),
        source=str(spec.get("source", "")),
        claims=tuple(greek(str(claim)) for claim in spec.get("claims", [])),
        ledger=run.ledger.sentence(),
        objections=run.objections,
        implementations=implementations,
        matrix=tuple((name, judged[name], tuple(_cell(run, name, i) for i in implementations)) for name in judged),
        facts=_facts(run, short),
        unchecked=evidence.unchecked(run),
    )


def _implementation(
    run: Run, name: str, entry: Mapping[str, Any], short: str, promises: Mapping[str, str], anchor: str
) -> Implementation:
    results = run.of(name)
    formats = tuple(dict.fromkeys(r.dtype for r in results))
    package = " ".join(str(entry.get(key, "")) for key in ("package", "version") if entry.get(key))
    devices = listed(dict.fromkeys(r.device for r in results))
    return Implementation(
        anchor=anchor,
        name=name,
        short=short,
        origin=", ".join(
            part for part in (str(entry.get("framework", "")), package, f"on {devices}" if devices else "") if part
        ),
        verdict=verdict(run, name),
        findings=findings(results, promises, anchor),
        remarks=evidence.remarks(results),
        gallery=gallery(results, anchor),
        tables=tuple(t for t in (tables.accuracy(results), tables.slopes(results)) if t.lines),
        formats=formats,
        rows=evidence.rows(results, promises, formats),
        effort=_effort(results),
    )


def _effort(results: Sequence[Result]) -> str:
    seconds, compiled = sum(r.seconds for r in results), sum(r.compilations for r in results)
    return f"{plural(len(results), 'result')} in {number(seconds)} s" + (
        f", {plural(compiled, 'program')} compiled" if compiled else ""
    )


def _cell(run: Run, name: str, implementation: Implementation) -> Cell:
    results = [r for r in run.of(implementation.name) if r.property_id == name]
    wrong = next((f for f in implementation.findings if name in f.properties), None)
    target = wrong.anchor if wrong else f"{implementation.anchor}-{name}"
    return Cell(tally(results), target, len(evidence.remarks(results)))


def _facts(run: Run, short: Mapping[str, str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What was proved and sampled, and where: (name, sentences)."""
    head = run.header
    environment: Mapping[str, Any] = head.get("environment", {})
    whole: dict[str, list[str]] = {}
    for name, brief in short.items():
        for sentence in evidence.proved(run.of(name)):
            whole.setdefault(sentence, []).append(brief)
    sampled = evidence.sampled(run.results)
    settings = listed(dict.fromkeys(setting(r.parameters) for r in run.results))
    devices = [
        f"{framework}: {listed(_device(*map(str, pair)) for pair in found)}"
        for framework, found in head.get("devices", {}).items()
    ]
    packages = [f"{name} {version}" for name, version in environment.get("packages", {}).items()]
    facts = {
        "Held so far" if run.objections else "Proved": [
            _whose(who, len(short)) + sentence for sentence, who in whole.items()
        ],
        "Sampled": [f"{sampled}, for each parameter setting"] if sampled else [],
        "Judged for": [f"{listed(dict.fromkeys(r.dtype for r in run.results))}; {settings}"] if run.results else [],
        "Devices": devices,
        "Versions": [
            f"Python {environment.get('python', '')}, {', '.join(packages)}; {environment.get('platform', '')}"
        ],
        "Run": [
            f"profile {head.get('profile', '–')}, seed {head.get('seed', '–')}, started {head.get('started', '–')}"
        ],
    }
    return tuple((name, tuple(said)) for name, said in facts.items() if said)


def _whose(names: Sequence[str], of: int) -> str:
    """Whom a sentence is about; nothing where it is about everyone."""
    if len(names) == of:
        return ""
    return f"{listed(names)}: " if len(names) < 3 else f"{len(names)} of {of} implementations: "


def _device(name: str, kind: str = "") -> str:
    return f"{name} ({kind})" if kind and kind.lower() not in name.lower() else name
