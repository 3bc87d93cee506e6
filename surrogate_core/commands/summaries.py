"""What ``check`` writes for people elsewhere: a Markdown summary, GitHub's step summary, a badge."""

from __future__ import annotations

import os
from pathlib import Path

from surrogate_core.engine import Run
from surrogate_core.report import badge as badges
from surrogate_core.report import markdown as as_markdown
from surrogate_core.report.summary import LARGEST, summary

__all__ = ["write"]


def write(run: Run, markdown: Path | None, badge: Path | None) -> None:
    """Write the files that were asked for, and append to the one that GITHUB_STEP_SUMMARY names."""
    if markdown:
        as_markdown.write(summary(run), markdown)
    if badge:
        badges.write(run, badge)
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        taken = Path(step).stat().st_size if Path(step).is_file() else 0
        if (room := LARGEST - taken) > 10_000:
            as_markdown.write(summary(run, room), step, append=True)
