"""Text as GitHub's Markdown: whatever an implementation wrote stays text, on its own line and in its own cell."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from surrogate_core.errors import BadInput
from surrogate_core.safe_text import printable

__all__ = ["code", "disclosure", "pre", "table", "text", "write"]

MEANING = re.compile(r"[\\`*_\[\]<>|&~#!:@$\"'^{}]")
"""Characters that Markdown, HTML, or GitHub (mentions, formulas, addresses) give a meaning to."""


def text(words: object) -> str:
    """``words`` in one line, every character of them shown as it is."""
    # As entities: these can never be markup, where a backslash is one of several rules.
    flat = " ".join(printable(str(words)).split())
    return re.sub(r"(?i)\bwww\.", lambda m: m[0][:3] + "&#46;", MEANING.sub(lambda m: f"&#{ord(m[0])};", flat))


def code(words: object) -> str:
    """``words`` in one line, as code; GitHub looks for no mentions there."""
    return f"<code>{text(words)}</code>"


def pre(lines: str) -> str:
    """Several lines, kept as they are."""
    return f"<pre>{html.escape(printable(lines))}</pre>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def disclosure(summary: str, body: str) -> str:
    """``body``, folded behind ``summary``; both are Markdown already."""
    # HTML that begins a block is Markdown again only after a blank line.
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def write(markdown: str, path: str | os.PathLike[str], *, append: bool = False) -> None:
    """Write a file of Markdown, whose folder is made where it is missing.

    Raises:
        BadInput: the path cannot be written.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with Path(path).open("a" if append else "w", encoding="utf-8", newline="\n") as file:
            file.write(markdown)
    except OSError as error:
        raise BadInput(
            f"Markdown file {path}: {error.strerror}", "a path that can be written", "choose another"
        ) from None
