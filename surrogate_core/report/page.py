"""All that the template shows, as plain values: it decides nothing but where things stand.

A page is made of blocks: the answer, what stands behind it (one block a run), the matrix over all
implementations, and for each spec its promise and its implementations. Every block has its own macro or
template, so that a page with other blocks is put together from the same parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from surrogate_core.engine import Run
from surrogate_core.properties.explanations import Explanation
from surrogate_core.report import evidence
from surrogate_core.report.findings import MOST_CASES
from surrogate_core.report.formula import forward_rule, mathml
from surrogate_core.report.gallery import budget
from surrogate_core.report.implementation import Implementation, Room, implementation
from surrogate_core.report.matrix import FEW, Matrix, matrix
from surrogate_core.report.meaning import meanings
from surrogate_core.report.overview import noted
from surrogate_core.report.surveyed import Surveyed, surveyed
from surrogate_core.report.timing import Drawn, Timing, draw
from surrogate_core.report.verdict import BUT_KNOWN
from surrogate_core.report.words import greek, listed, plural, setting, short_names

__all__ = ["Chapter", "Evidence", "Page", "page"]

MOST_TOLD, FEW_CASES, SOME_CASES = 12, 3, 6
"""Of many implementations, findings told in full; further cases of each, of many implementations and of a few."""


@dataclass(frozen=True)
class Chapter:
    """One spec, and the implementations that were judged against it."""

    anchor: str
    title: str
    formula: Markup
    forward: Markup
    source: str
    claims: tuple[str, ...]
    implementations: tuple[Implementation, ...]


@dataclass(frozen=True)
class Evidence:
    """What stands behind the answers of one run.

    Attributes:
        title: what tells it from other runs; empty where there is only one.
        complaints: what the run says against the deviations that it was judged with.
        unusable: a sentence for each entry of the catalogue that a survey could not use, or not in full.
        facts: (name, sentences): what was proved and searched, where, with which versions.
        unchecked: sentences about what was not checked, and why.
    """

    title: str
    ledger: str
    objections: tuple[str, ...]
    complaints: tuple[str, ...]
    unusable: tuple[str, ...]
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    unchecked: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """The whole report.

    Attributes:
        tallied: (class, number of implementations, words) of each verdict that occurs.
        meanings: (id of its place, explanation) of each promise that there is one of.
    """

    answer: str
    tallied: tuple[tuple[str, int, str], ...]
    evidence: tuple[Evidence, ...]
    matrix: Matrix
    chapters: tuple[Chapter, ...]
    meanings: tuple[tuple[str, Explanation], ...]
    timings: tuple[Drawn, ...] = ()
    surveyed: Surveyed | None = None

    @property
    def implementations(self) -> tuple[Implementation, ...]:
        return self.matrix.implementations

    @property
    def explained(self) -> Mapping[str, str]:
        """The id of the explanation's place by promise, for those that have one."""
        return {told.property_id: anchor for anchor, told in self.meanings}


def page(runs: Sequence[Run], timings: Sequence[Timing] = ()) -> Page:
    """What a report of ``runs``, and of what was timed, shows."""
    subjects = [(number, run, entry) for number, run in enumerate(runs) for entry in _entries(run)]
    promises = _promises(runs)
    folded, alone = len(subjects) > FEW, len(subjects) == 1
    cases = FEW_CASES if folded else MOST_CASES if alone else SOME_CASES
    # A survey is read for its findings, however few it judged.
    listing = folded or any(run.header.get("survey") for run in runs)
    room = Room(budget(len(subjects)), 1 if alone else 2, MOST_TOLD, cases, folded, listing)
    short = short_names([str(entry["name"]) for _, _, entry in subjects])
    specs = [_spec(run, entry) for _, run, entry in subjects]
    found = [noted(run) if listing else () for run in runs]
    drawn = []
    for (number, run, entry), spec in zip(subjects, specs, strict=True):
        name, brief = entry["name"], short[entry["name"]]
        brief = f"{brief} (run {number + 1})" if len(runs) > 1 else brief
        mine = [one for one in found[number] if one.implementation == name]
        drawn.append(implementation(run, entry, spec, brief, promises, f"i{len(drawn) + 1}", room, mine))
    # Of each implementation, what was found stands in the same order in the run and on the page.
    places = {
        (number, one.name): iter([finding.anchor for finding in one.findings])
        for (number, _, _), one in zip(subjects, drawn, strict=True)
    }
    placed = [
        (run, [(one, next(places[number, one.implementation])) for one in found[number]])
        for number, run in enumerate(runs)
    ]
    return Page(
        surveyed=surveyed(placed) if listing else None,
        answer=_headline(drawn, runs, timings),
        tallied=_tallied(drawn),
        evidence=tuple(_evidence(run, number, len(runs)) for number, run in enumerate(runs, start=1)),
        matrix=matrix(drawn, promises),
        chapters=_chapters(drawn, specs, runs),
        meanings=meanings(promises),
        timings=tuple(draw(timing, f"t{number}") for number, timing in enumerate(timings, start=1)),
    )


def _entries(run: Run) -> list[dict[str, Any]]:
    """The header's implementations, and any that only the results know."""
    named = [{**entry, "name": str(entry.get("name", ""))} for entry in run.header.get("implementations", [])]
    entries = {entry["name"]: entry for entry in named}
    for result in run.results:
        entries.setdefault(result.implementation, {"name": result.implementation})
    return [*entries.values()]


def _spec(run: Run, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The spec that an implementation was judged against, with its name."""
    name = str(entry.get("spec", ""))
    return {"name": name, **run.header.get("specs", {}).get(name, {})}


def _promises(runs: Sequence[Run]) -> dict[str, str]:
    """The promises that anybody was judged on; the others are told as not checked, not as empty rows."""
    promises: dict[str, str] = {}
    for run in runs:
        said = {str(name): str(promise) for name, promise in run.header.get("properties", {}).items()}
        said |= {r.property_id: "" for r in run.results if r.property_id not in said}
        missing = evidence.missing(run)
        promises |= {name: promise for name, promise in said.items() if name not in missing}
    return promises


VERDICTS = (("failed", "does not conform", "do not conform"), ("open", "has no verdict", "have no verdict"))


def _headline(drawn: Sequence[Implementation], runs: Sequence[Run], timings: Sequence[Timing]) -> str:
    if timings and not runs:
        return "Timings; nothing was judged"
    return _answer(drawn) + ("; the known departures are not as declared" if _contradicted(runs) else "")


def _answer(implementations: Sequence[Implementation]) -> str:
    verdicts = [i.verdict for i in implementations]
    passed, known, undecided = (sum(v.css == css for v in verdicts) for css in ("passed", "known", "open"))
    kept = passed + known
    but = f", {BUT_KNOWN if not passed else f'{known} of them {BUT_KNOWN}'}" if known else ""
    if not verdicts:
        return "Nothing was judged"
    if len(verdicts) == 1:
        return f"{implementations[0].short}: {verdicts[0].whole}"
    if kept == len(verdicts):
        return f"{'Both' if kept == 2 else f'All {kept}'} implementations conform{but}"
    if not kept and not undecided:
        return f"{'Neither of 2' if len(verdicts) == 2 else f'None of {len(verdicts)}'} implementations conforms"
    if undecided == len(verdicts):
        return f"No verdict on {plural(undecided, 'implementation')}"
    said = f"{kept} of {plural(len(verdicts), 'implementation')} {'conforms' if kept == 1 else 'conform'}"
    return said + but + (f", {undecided} without a verdict" if undecided else "")


def _contradicted(runs: Sequence[Run]) -> bool:
    """Whether a run says something else than its deviations file does."""
    return any(run.complaints for run in runs)


def _tallied(implementations: Sequence[Implementation]) -> tuple[tuple[str, int, str], ...]:
    kept = (("passed", "conforms", "conform"), ("known", f"conforms {BUT_KNOWN}", f"conform {BUT_KNOWN}"))
    words = (*kept, *VERDICTS)
    counted = [(css, sum(i.verdict.css == css for i in implementations), one, many) for css, one, many in words]
    return tuple((css, amount, one if amount == 1 else many) for css, amount, one, many in counted if amount)


def _chapters(
    implementations: Sequence[Implementation], specs: Sequence[Mapping[str, Any]], runs: Sequence[Run]
) -> tuple[Chapter, ...]:
    """The specs in the order in which they are first met; like specs of several runs stand together."""
    groups: list[tuple[Mapping[str, Any], list[Implementation]]] = []
    for one, spec in zip(implementations, specs, strict=True):
        group = next((members for known, members in groups if known == spec), None)
        if group is None:
            groups.append((spec, [one]))
        else:
            group.append(one)
    if not groups:
        groups = [({"name": name, **spec}, []) for run in runs for name, spec in run.header.get("specs", {}).items()]
    return tuple(_chapter(spec, members, f"s{number}") for number, (spec, members) in enumerate(groups, start=1))


def _chapter(spec: Mapping[str, Any], implementations: Sequence[Implementation], anchor: str) -> Chapter:
    return Chapter(
        anchor=anchor,
        title=str(spec.get("title", "")) or "A surrogate gradient",
        formula=mathml(str(spec.get("gradient", ""))),
        forward=forward_rule(str(spec.get("forward", ""))),
        source=str(spec.get("source", "")),
        claims=tuple(greek(str(claim)) for claim in spec.get("claims", [])),
        implementations=tuple(implementations),
    )


def _evidence(run: Run, number: int, of: int) -> Evidence:
    started = run.header.get("started", "")
    return Evidence(
        title=f"Run {number}, {started}" if of > 1 else "",
        ledger=run.ledger.sentence(),
        objections=run.objections,
        complaints=run.complaints,
        unusable=run.unusable,
        facts=_facts(run),
        unchecked=evidence.unchecked(run),
    )


def _facts(run: Run) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What was proved, searched and sampled, and where: (name, sentences)."""
    head = run.header
    environment: Mapping[str, Any] = head.get("environment", {})
    of_each = [evidence.proved(run.of(name)) for name in dict.fromkeys(r.implementation for r in run.results)]
    shared = [sentence for sentence in of_each[0] if all(sentence in said for said in of_each)] if of_each else []
    if any(len(said) > len(shared) for said in of_each):
        shared.append(_proved_of_some(run, of_each))
    sampled = evidence.sampled(run.results)
    devices = [
        f"{framework}: {listed(_device(*map(str, pair)) for pair in found)}"
        for framework, found in head.get("devices", {}).items()
    ]
    packages = [f"{name} {version}" for name, version in environment.get("packages", {}).items()]
    facts = {
        "Held so far" if run.objections else "Proved": shared,
        "Searched": list(evidence.searched(run.results)),
        "Sampled": [sampled] if sampled else [],
        "Judged for": _cases(run),
        "Devices": devices,
        "Limits": [str(head["unlimited"])] if head.get("unlimited") else [],
        "Versions": [
            f"Python {environment.get('python', '')}, {', '.join(packages)}; {environment.get('platform', '')}"
        ],
        "Run": [
            f"profile {head.get('profile', '–')}, seed {head.get('seed', '–')}, started {head.get('started', '–')}"
        ],
    }
    return tuple((name, tuple(said)) for name, said in facts.items() if said)


def _proved_of_some(run: Run, of_each: Sequence[Sequence[str]]) -> str:
    """What was proved of some implementations and not of all, in a sentence."""
    whole = evidence.patterns(run.results)
    some, every = sum(len(said) > 0 for said in of_each), plural(len(of_each), "implementation")
    proving = f"all {every}" if some == len(of_each) else f"{some} of {every}"
    return f"every bit pattern of {listed(whole)}, by {proving}: which promises hold there is told with each"


SETTINGS = 12
"""So many parameter settings are named; more are counted."""


def _cases(run: Run) -> list[str]:
    """The formats and parameter settings that were judged, in a sentence; none where nothing was."""
    settings = dict.fromkeys(setting(r.parameters) for r in run.results)
    told = listed(settings) if len(settings) <= SETTINGS else plural(len(settings), "parameter setting")
    return [f"{listed(dict.fromkeys(r.dtype for r in run.results if r.dtype))}; {told}"] if run.results else []


def _device(name: str, kind: str = "") -> str:
    return f"{name} ({kind})" if kind and kind.lower() not in name.lower() else name
