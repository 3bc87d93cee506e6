"""A comparison for people: the same sections in a terminal, in Markdown and in HTML."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from surrogate_core.engine.telling import printable
from surrogate_core.errors import BadInput
from surrogate_core.report import markdown
from surrogate_core.report.comparison import Change, Comparison
from surrogate_core.report.html import page_of
from surrogate_core.report.verdict import STATES
from surrogate_core.report.words import clip

__all__ = ["TITLES", "Section", "sections", "show", "to_html", "to_markdown", "write_html"]

LONGEST, MOST = 400, 200
"""Characters of a cell, and rows of a section: a summary stays one, whatever changed."""

GLYPHS = {
    "failing": "✗",
    "passing": "✓",
    "otherwise": "≠",
    "appeared": "+",
    "vanished": "\N{MINUS SIGN}",
    "figures": "~",
}
TITLES = {
    "failing": "Newly failing",
    "passing": "Newly passing",
    "otherwise": "Otherwise changed",
    "appeared": "Appeared",
    "vanished": "Vanished",
    "figures": "Changed figures",
}
STYLES = {"failing": "bold red", "passing": "bold green"}
COLUMNS = ("Implementation", "What", "Where", "Before", "Now", "Evidence")


@dataclass(frozen=True)
class Section:
    """A table: what it is about, its columns, its rows, and how many more there are."""

    kind: str
    glyph: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


def sections(found: Comparison) -> tuple[Section, ...]:
    """The sections that have something to say, the gravest first."""
    told = [_section(kind, getattr(found, kind)) for kind in TITLES]
    where = [tuple(clip(word, LONGEST) or "–" for word in row) for row in found.circumstances]
    columns, left_out = ("What", "Before", "Now"), max(0, len(where) - MOST)
    told.append(Section("circumstances", "·", "Circumstances", columns, tuple(where[:MOST]), left_out))
    return tuple(section for section in told if section.rows)


def _section(kind: str, changes: Sequence[Change]) -> Section:
    rows = [tuple(clip(word, LONGEST) for word in _row(change)) for change in changes[:MOST]]
    # A column in which nothing stands is left out.
    kept = [i for i, _ in enumerate(COLUMNS) if any(row[i] for row in rows)]
    return Section(
        kind,
        GLYPHS[kind],
        TITLES[kind],
        tuple(COLUMNS[i] for i in kept),
        tuple(tuple(row[i] or "–" for i in kept) for row in rows),
        max(0, len(changes) - MOST),
    )


def _row(change: Change) -> tuple[str, ...]:
    return change.implementation, change.what, change.where, change.before, change.after, change.detail


def show(found: Comparison, console: Console) -> None:
    """Print the comparison, the answer at the end, where it is seen."""
    for section in sections(found):
        console.print()
        console.print(Text(f"{section.glyph} {section.title}", style=STYLES.get(section.kind, "bold")))
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for column in section.columns:
            table.add_column(column, overflow="fold")
        for row in section.rows:
            table.add_row(*(Text(printable(word)) for word in row))
        console.print(table)
        if section.left_out:
            console.print(f"and {section.left_out} more", style="dim")
    console.print()
    for doubt in found.doubts:
        console.print(Text(printable(f"of the old run, {doubt}"), style="yellow"), soft_wrap=True)
    style = "bold green" if found.exit_code == 0 else "bold red"
    console.print(Text(printable(found.answer), style=style), soft_wrap=True)


def to_markdown(found: Comparison) -> str:
    """The comparison as GitHub's Markdown; what newly fails stands open, the rest is folded."""
    glyph = {0: "✓", 1: "✗"}.get(found.exit_code, "?")
    parts = [f"## {glyph} {markdown.text(clip(found.answer, LONGEST))}"]
    parts += [f"Of the old run, {markdown.text(clip(doubt, LONGEST))}." for doubt in found.doubts]
    for section in sections(found):
        rows = [[markdown.code(word) for word in row] for row in section.rows]
        body = markdown.table(section.columns, rows)
        if section.left_out:
            body += f"\n\nand {section.left_out:,} more"
        title = f"{section.glyph} {section.title} ({len(section.rows) + section.left_out:,})"
        parts.append(f"### {title}\n\n{body}" if section.kind == "failing" else markdown.disclosure(title, body))
    return "\n\n".join(parts) + "\n"


def to_html(found: Comparison) -> str:
    """The comparison as one offline HTML file, in the style of the report."""
    css = {0: "passed", 1: "failed"}.get(found.exit_code, "open")
    glyph = {0: "✓", 1: "✗"}.get(found.exit_code, "?")
    return page_of("changes.html.jinja", found=found, sections=sections(found), css=css, glyph=glyph, states=STATES)


def write_html(found: Comparison, path: str | os.PathLike[str]) -> None:
    """Write :func:`to_html`; raises :class:`BadInput` where the path cannot be written."""
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(to_html(found), encoding="utf-8", newline="\n")
    except OSError as error:
        raise BadInput(f"comparison {path}: {error.strerror}", "a path that can be written", "choose another") from None
