"""What a page says of many implementations: the findings, the worst first, and each family side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surrogate_core.engine import Run
from surrogate_core.properties.outcome import Failed
from surrogate_core.report.families import COLUMNS, Family, families
from surrogate_core.report.overview import Noted, sentence, together
from surrogate_core.report.words import clip, number, plural

__all__ = ["Line", "Surveyed", "surveyed"]

GLYPHS = {"defect": "✗", "weakness": "△", "difference": "≠"}

LINE = 240
"""Characters kept of what an implementation or its documentation said."""


@dataclass(frozen=True)
class Line:
    """One finding as a line of a table.

    Attributes:
        kind, glyph: how it is to be taken, as a word and a sign.
        size: of the largest error, as a share of the peak; empty where the promise has no size.
        anchor: the place on the page where it is told in full.
        others: how many other implementations it is found of, in words; empty where of none.
        origin: package and version.
        promise, where: what the library promises, and where that is written; empty where the catalogue knows neither.
        known: why it is known; empty where it is not.
    """

    kind: str
    glyph: str
    size: str
    name: str
    others: str
    anchor: str
    origin: str
    properties: tuple[str, ...]
    given: str
    measured: str
    allowed: str
    promise: str
    where: str
    known: str


@dataclass(frozen=True)
class Surveyed:
    """The findings of all runs, and the families of which there are several members.

    Attributes:
        libraries: (name, version, sentences on what its import does and on what is not judged of its surrogates,
            (surrogate, why it is not judged) pairs).
        missing: (library, command that brings it); ``left_out`` says how many.
        broken: a sentence for each entry of the catalogue that cannot be used, or not in full.
    """

    sentence: str
    lines: tuple[Line, ...]
    families: tuple[Family, ...]
    libraries: tuple[tuple[str, str, tuple[str, ...], tuple[tuple[str, str], ...]], ...]
    missing: tuple[tuple[str, str], ...]
    broken: tuple[str, ...]

    columns = COLUMNS

    @property
    def left_out(self) -> str:
        """How many libraries are not judged because they are not there, or cannot be used; empty where none."""
        missing = plural(len(self.missing), "library", "libraries")
        broken = plural(len(self.broken), "entry", "entries")
        told = [
            *([f"{missing} not installed, and not judged"] if self.missing else []),
            *([f"{broken} of the catalogue that cannot be used, or not in full"] if self.broken else []),
        ]
        return f"{'; '.join(told)}." if told else ""


def surveyed(found: Sequence[tuple[Run, Sequence[tuple[Noted, str]]]]) -> Surveyed:
    """What a page says of runs: each with its findings, and the ids of their places on the page."""
    runs = [run for run, _ in found]
    folded = [(run, together(run, [finding for finding, _ in findings])) for run, findings in found]
    # By the case that is told: findings that are told together keep that of the first.
    places = [{finding.told.id: anchor for finding, anchor in findings} for _, findings in found]
    return Surveyed(
        sentence([finding for _, findings in folded for finding in findings], all(run.complete for run in runs)),
        tuple(
            line
            for (run, findings), anchors in zip(folded, places, strict=True)
            for line in _lines(run, [(finding, anchors[finding.told.id]) for finding in findings])
        ),
        tuple(family for run in runs for family in families(run)),
        tuple(library for run in runs for library in _libraries(run)),
        tuple((str(k), str(v)) for run in runs for k, v in run.header.get("missing", {}).items()),
        tuple(sentence for run in runs for sentence in run.unusable),
    )


def _lines(run: Run, findings: Sequence[tuple[Noted, str]]) -> list[Line]:
    entries = {str(entry["name"]): entry for entry in run.header.get("implementations", [])}
    return [_line(finding, entries.get(finding.implementation, {}), anchor) for finding, anchor in findings]


def _line(finding: Noted, entry: Mapping[str, Any], anchor: str) -> Line:
    outcome, documented = finding.outcome, entry.get("documented") or {}
    failed = isinstance(outcome, Failed)
    return Line(
        kind=finding.kind,
        glyph=GLYPHS[finding.kind],
        size="" if finding.severity is None else number(finding.severity, 2),
        name=finding.implementation,
        others=f"and {plural(len(finding.others), 'other')} of it" if finding.others else "",
        anchor=anchor,
        origin=" ".join(str(entry[key]) for key in ("package", "version") if entry.get(key)),
        properties=finding.properties,
        given=clip(outcome.given, LINE) if failed else "",
        measured=clip(outcome.measured if failed else outcome.message, LINE),
        allowed=clip(outcome.allowed, LINE) if failed else "",
        promise=clip(str(documented.get("promise", "")), LINE),
        where=clip(str(documented.get("where", "")), LINE),
        known=clip(finding.reason, LINE),
    )


def _libraries(run: Run) -> list[tuple[str, str, tuple[str, ...], tuple[tuple[str, str], ...]]]:
    return [
        (
            str(name),
            str(about.get("version", "")),
            (*map(str, about.get("hazards", ())), *(f"not covered: {what}" for what in about.get("uncovered", ()))),
            tuple((str(origin), str(reason)) for origin, reason in about.get("excluded", {}).items()),
        )
        for name, about in run.header.get("libraries", {}).items()
    ]
