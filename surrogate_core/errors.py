"""The one exception for a user's mistake: what was given, what was expected, what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from surrogate_core.safe_text import clipped

__all__ = ["BadInput", "near_misses"]

LONGEST_LINE = 5_000
"""Characters kept of each line: what was given may be of any length."""


class BadInput(Exception):
    """Something the user gave cannot be used. Shown without a traceback; exit code 2.

    Args:
        given: what was given, as the user wrote it.
        expected: what would have been accepted.
        next_step: what to do about it, in one sentence.
    """

    def __init__(self, given: str, expected: str, next_step: str) -> None:
        given, expected, next_step = (_readable(text) for text in (given, expected, next_step))
        super().__init__(f"{given}\n  expected: {expected}\n  next: {next_step}")
        self.given, self.expected, self.next_step = given, expected, next_step

    def __reduce__(self) -> tuple[type[BadInput], tuple[str, str, str]]:
        return type(self), (self.given, self.expected, self.next_step)


def _readable(text: str) -> str:
    """``text`` with every line cut that nobody would read to its end."""
    return "\n".join(clipped(line, LONGEST_LINE) for line in text.split("\n"))


def near_misses(word: str, known: Iterable[str]) -> str:
    """A sentence that suggests the known words nearest to ``word``, or lists them where none is near."""
    known = sorted(known)
    lowered = {name.lower(): name for name in known}
    near = [lowered[hit] for hit in difflib.get_close_matches(word.lower(), lowered, n=3, cutoff=0.5)]
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(known)}" if known else "there is nothing of that kind to choose from"
