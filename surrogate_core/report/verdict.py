"""The answer: what became of every promise, and one sentence for each implementation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from surrogate_core.engine import Result, Run
from surrogate_core.engine.ledger import JUDGED
from surrogate_core.report.cells import GLYPHS, Cell, cells
from surrogate_core.report.words import listed, plural

__all__ = ["BUT_KNOWN", "MISSING", "STATES", "UNJUDGED", "State", "Tally", "Verdict", "state", "tally", "verdict"]


@dataclass(frozen=True)
class State:
    """How a state is shown: by glyph, by word, and by the colour that the style sheet gives ``css``."""

    word: str
    glyph: str
    css: str


MISSING = State("no result", "·", "none")
UNJUDGED = State("not judged here", "·", "none")
"""Of what is seen and told, and neither right nor wrong by itself."""

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


BUT_KNOWN = "but for known failures"
"""Said of what conforms because a deviations file explains what it breaks: an answer that leaves it out misleads."""


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
    """The answer about one implementation: one decision, in the words that terminal, HTML and Markdown share.

    Attributes:
        name: the implementation.
        spec: the name of what it declares.
        css: ``passed``, ``known`` (but for known failures), ``failed`` or ``open``; never ``passed`` for a run that
            proves nothing.
        answer: in two or three words.
        reason: what it rests on.
        broken: which promises are broken, in a sentence; empty where none is.
        but: what the answer leaves out, and has to be said with it; empty where that is nothing.
    """

    name: str
    spec: str
    css: str
    glyph: str
    answer: str
    reason: str
    broken: str = ""
    but: str = ""

    @property
    def whole(self) -> str:
        """The answer with what it leaves out."""
        return f"{self.answer}, {self.but}" if self.but else self.answer

    @property
    def sentence(self) -> str:
        """What the answer rests on, beside a name and an answer that are shown already."""
        return " ".join(filter(None, (self.reason[:1].upper() + self.reason[1:], self.broken)))

    @property
    def line(self) -> str:
        """All of it in one line."""
        if self.css == "open":
            return f"{self.name}: {self.reason}"
        but = f", {self.but}" if self.but else ""
        return f"{self.name} {self.answer} to the spec {self.spec}{but}: {self.reason}"


def verdict(run: Run, implementation: str) -> Verdict:
    """The answer about one implementation of ``run``. What is broken is said first, whatever else the run lacks."""
    mine = cells(run, implementation)
    states = Counter(cell.state for cell in mine)
    broken = states["failed"] + states["errored"]
    rest = [f"{states[s]} {s}" for s in ("unsupported", "skipped", "expected failure") if states[s]]
    rest += [f"{n} unsupported in part"] if (n := sum(bool(cell.lacking) for cell in mine)) else []
    aside = f" ({', '.join(rest)})" if rest else ""
    spec = next((str(i["spec"]) for i in run.header["implementations"] if i["name"] == implementation), "")
    if broken:
        reason = f"{broken} of {len(mine)} properties are broken{aside}."
        return Verdict(implementation, spec, "failed", "✗", "does not conform", reason, _broken(mine))
    if run.objections:
        answer = "incomplete" if any(cell.state in JUDGED for cell in mine) else "nothing judged"
        return Verdict(implementation, spec, "open", "?", answer, f"no verdict, because {'; '.join(run.objections)}.")
    if run.cut_short(implementation):
        reason = "no verdict, because the check stopped before all of it was judged."
        return Verdict(implementation, spec, "open", "?", "incomplete", reason)
    reason = f"{states['passed']} of {len(mine)} properties hold{aside}."
    if states["expected failure"]:
        return Verdict(implementation, spec, "known", GLYPHS["expected failure"], "conforms", reason, but=BUT_KNOWN)
    return Verdict(implementation, spec, "passed", "✓", "conforms", reason)


def _broken(mine: Sequence[Cell]) -> str:
    said = []
    for name, verb in (("failed", "Breaks"), ("errored", "Ends in an error in")):
        where = [cell for cell in mine if cell.state == name]
        if where:
            amount = sum(cell.count for cell in where)
            what = listed(c.property_id for c in where) if len(where) <= 4 else plural(len(where), "promise")
            said.append(f"{verb} {what} ({plural(amount, 'case')}).")
    return " ".join(said)
