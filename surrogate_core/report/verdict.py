"""The answer: what became of every promise, and one sentence for each implementation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from surrogate_core.engine import Result, Run
from surrogate_core.engine.ledger import account
from surrogate_core.report.cells import GLYPHS
from surrogate_core.report.words import listed, plural

__all__ = ["MISSING", "STATES", "State", "Tally", "Verdict", "state", "tally", "verdict"]


@dataclass(frozen=True)
class State:
    """How a state is shown: by glyph, by word, and by the colour that the style sheet gives ``css``."""

    word: str
    glyph: str
    css: str


MISSING = State("no result", "·", "none")
STATES = {
    name: State(word, GLYPHS[name], css)
    for name, word, css in (
        ("failed", "failed", "failed"),
        ("errored", "error", "errored"),
        ("expected failure", "known failure", "known"),
        ("passed", "passed", "passed"),
        ("unsupported", "unsupported", "absent"),
        ("skipped", "skipped", "absent"),
    )
}
"""By the word in the results file; the worst first, and what says something before what does not."""


def state(name: str) -> State:
    """How the outcome ``name`` is shown."""
    return STATES[name]


@dataclass(frozen=True)
class Tally:
    """Results of one promise, counted: the state that stands for them all, and how many there are of each."""

    state: State
    counts: tuple[tuple[State, int], ...]

    @property
    def total(self) -> int:
        return sum(amount for _, amount in self.counts)

    @property
    def amount(self) -> str:
        """``3 of 16``, ``16``."""
        amount = dict(self.counts).get(self.state, 0)
        return f"{amount} of {self.total}" if amount < self.total else str(amount)

    @property
    def sentence(self) -> str:
        """``3 of 16 cases``, ``16 cases``."""
        if not self.counts:
            return "not judged"
        amount = dict(self.counts)[self.state]
        return f"{amount} of {self.total} cases" if amount < self.total else plural(amount, "case")


def tally(results: Iterable[Result]) -> Tally:
    """The results, counted by state."""
    found = Counter(r.outcome.state for r in results)
    counts = tuple((STATES[name], found[name]) for name in STATES if found[name])
    return Tally(counts[0][0] if counts else MISSING, counts)


@dataclass(frozen=True)
class Verdict:
    """The answer about one implementation.

    Attributes:
        css: ``passed``, ``failed`` or ``open``; never ``passed`` for a run that proves nothing.
        answer: in two or three words.
        sentence: what it rests on.
    """

    css: str
    glyph: str
    answer: str
    sentence: str


def verdict(run: Run, implementation: str) -> Verdict:
    """The answer about one implementation of ``run``."""
    results = run.of(implementation)
    ledger = account(len(results), results)
    counts, judged = ledger.counts, plural(ledger.judged, "result")
    rest = [f"{counts[name]} {name}" for name in ("unsupported", "skipped") if counts[name]]
    aside = f"; {listed(rest)}" if rest else ""
    if counts["failed"] or counts["errored"]:
        return Verdict("failed", "✗", "does not conform", f"{_broken(results)} {judged} judged{aside}.")
    if not ledger.judged:
        return Verdict("open", "?", "nothing judged", f"Not one of its promises was judged{aside}: this is not a pass.")
    if run.objections:
        return Verdict(
            "open", "?", "incomplete", f"{judged} judged without a failure{aside}, but the run proves nothing."
        )
    known = counts["expected failure"]
    held = f"All {judged} judged passed" if not known else f"{judged} judged, {known} known and explained failures"
    return Verdict("passed", "✓", "conforms", f"{held}{aside}.")


def _broken(results: tuple[Result, ...]) -> str:
    said = []
    for name, verb in (("failed", "Breaks"), ("errored", "Ends in an error in")):
        where = list(dict.fromkeys(r.property_id for r in results if r.outcome.state == name))
        if where:
            amount = sum(r.outcome.state == name for r in results)
            what = listed(where) if len(where) <= 4 else plural(len(where), "promise")
            said.append(f"{verb} {what} ({plural(amount, 'case')}).")
    return " ".join(said)
