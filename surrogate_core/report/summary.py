"""A run as GitHub's Markdown: the answer on top, everything else folded, never larger than a step summary may be."""

from __future__ import annotations

from collections.abc import Iterator

from surrogate_core.engine import Run
from surrogate_core.report.cells import cells
from surrogate_core.report.failure import explain
from surrogate_core.report.markdown import code, disclosure, pre, table, text
from surrogate_core.report.verdict import BUT_KNOWN, Verdict, verdict
from surrogate_core.report.words import clip

__all__ = ["LARGEST", "summary"]

LARGEST = 1 << 20
"""Bytes that GitHub accepts as the summary of a step."""

WORDS = {0: "✓ conforms", 1: "✗ does not conform", 3: "? no verdict"}
"""By exit code."""

LINE, EVIDENCE = 500, 12_000
"""Characters kept of a text that the implementation may have written."""

LEFT_OUT = 200
"""Bytes kept free to say what was left out."""


def summary(run: Run, largest: int = LARGEST) -> str:
    """The run as Markdown of at most ``largest`` bytes; what does not fit is counted."""
    kept: list[str] = []
    left, missing = largest - LEFT_OUT, 0
    for part in _parts(run):
        size = len(part.encode()) + 2
        if size > left:
            missing += 1
            continue
        kept.append(part)
        left -= size
    if missing:
        kept.append(f"{missing} more parts were too large for this summary.")
    return "\n\n".join(kept) + "\n"


def _parts(run: Run) -> Iterator[str]:
    names = [str(i["name"]) for i in run.header["implementations"]]
    verdicts = [verdict(run, name) for name in names]
    known = f", {BUT_KNOWN}" if run.conforms and any(v.but for v in verdicts) else ""
    yield f"## {WORDS[run.exit_code]}{known}"
    rows = [[v.glyph, *(code(clip(n, LINE)) for n in (v.name, v.spec)), text(clip(_answer(v), LINE))] for v in verdicts]
    for start in range(0, len(rows), 100):
        yield table(["", "Implementation", "Spec", "Answer"], rows[start : start + 100])
    for complaint in (*run.unusable, *run.complaints):
        yield f"✗ {text(clip(complaint, LINE))}"
    yield f"Ledger: {text(run.ledger.sentence())}; profile {text(run.header['profile'])}, seed {run.header['seed']}."
    found = cells(run)
    for cell in found:
        if cell.state in ("failed", "errored"):
            title = f"{cell.glyph} {code(clip(cell.implementation, LINE))}: {code(clip(cell.property_id, LINE))}"
            yield disclosure(title, pre(clip(explain(cell), EVIDENCE)))
    for name in names:
        mine = [
            [f"{c.glyph} {c.state}", code(c.property_id), text(clip(c.detail, LINE))]
            for c in found
            if c.implementation == name
        ]
        yield disclosure(f"All of {code(clip(name, LINE))}", table(["State", "Property", "Detail"], mine))
    versions = run.header["environment"]["packages"].items()
    yield disclosure("Versions", table(["Package", "Version"], [[code(n), code(v)] for n, v in versions]))


def _answer(judged: Verdict) -> str:
    return f"{judged.whole}: {judged.reason}" if judged.but else judged.reason
