"""A badge: the answer for a README, as a shields.io endpoint or as an SVG that needs nobody."""

from __future__ import annotations

import json
import os
from pathlib import Path

from surrogate_core.engine import Run
from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import ExpectedFailure
from surrogate_core.report.verdict import BUT_KNOWN

__all__ = ["write"]

LABEL = "surrogate gradients"
KNOWN = f"conforms {BUT_KNOWN}"
COLOURS = {"conforms": "#0a6650", KNOWN: "#0a6650", "does not conform": "#a33400", "no verdict": "#685400"}
"""White text on them has a contrast of more than 4.5."""

GLYPH_WIDTH, PADDING = 6.6, 10
"""Of a letter of 11 px Verdana, at the most; textLength fits the text to it."""


def write(run: Run, path: str | os.PathLike[str]) -> None:
    """Write the badge: SVG where the name ends in ``.svg``, otherwise JSON of shields.io's endpoint schema 1.

    Raises:
        BadInput: the path cannot be written.
    """
    excused = any(isinstance(r.outcome, ExpectedFailure) for r in run.results)
    message = {0: KNOWN if excused else "conforms", 1: "does not conform", 3: "no verdict"}[run.exit_code]
    text = _svg(message) if str(path).lower().endswith(".svg") else _endpoint(message)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise BadInput(f"badge {path}: {error.strerror}", "a path that can be written", "choose another") from None


def _endpoint(message: str) -> str:
    badge = {"schemaVersion": 1, "label": LABEL, "message": message, "color": COLOURS[message].removeprefix("#")}
    return json.dumps(badge, indent=2) + "\n"


def _svg(message: str) -> str:
    left, right = (round(len(word) * GLYPH_WIDTH) + PADDING for word in (LABEL, message))
    said = "".join(
        f'<text x="{x + PADDING // 2}" y="14" textLength="{width - PADDING}">{word}</text>'
        for word, x, width in ((LABEL, 0, left), (message, left, right))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{LABEL}: {message}"><title>{LABEL}: {message}</title>'
        f'<path fill="#444" d="M0 0h{left}v20H0z"/><path fill="{COLOURS[message]}" d="M{left} 0h{right}v20H{left}z"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">{said}</g></svg>\n'
    )
