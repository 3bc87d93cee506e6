"""What came of a replay, as a person reads it in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from surrogate_core.engine.replay import STATES, Replayed, State
from surrogate_core.engine.telling import printable, shown
from surrogate_core.report.words import clip

__all__ = ["show", "summary"]

SHOWN: dict[State, tuple[str, str]] = {
    "still failing": ("✗", "bold red"),
    "fails differently": ("≠", "bold red"),
    "cannot be run": ("?", "yellow"),
    "now passing": ("✓", "green"),
}
"""Glyph and colour of every state."""

LINE = 1_000
"""Characters of an id that are shown."""


def show(found: Replayed, console: Console, told: str = "") -> None:
    """Print what came of one counterexample: a word, its id, a sentence unless it was ``told`` just before."""
    glyph, style = SHOWN[found.state]
    # One line, whatever its name holds: it must not look like the next one.
    identity = clip(" ".join(printable(found.before.id).split()), LINE)
    head = Text.assemble((f"{glyph} {found.state:<17}", style), "  ", identity)
    # Not wrapped: an id that is broken at the terminal's width cannot be pasted.
    console.print(head, soft_wrap=True, highlight=False)
    sentence = "for the same reason" if found.sentence == told else found.sentence
    for line in shown(sentence).splitlines():
        console.print(Text(f"    {line}"), soft_wrap=True, highlight=False)


def summary(found: Sequence[Replayed]) -> str:
    """``3 counterexamples replayed: 1 still failing, 2 now passing``."""
    counts = Counter(each.state for each in found)
    said = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    noun = "counterexample" if len(found) == 1 else "counterexamples"
    return f"{len(found)} {noun} replayed: {said or 'none'}"
