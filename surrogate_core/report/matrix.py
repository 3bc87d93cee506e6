"""The matrix of implementations and promises: its fields, and what it can be filtered by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surrogate_core.report.implementation import Implementation
from surrogate_core.report.verdict import BUT_KNOWN, MISSING, STATES, State, Tally

__all__ = ["FEW", "Cell", "Choice", "Matrix", "Row", "matrix"]

FEW = 6
"""So many implementations stand side by side as columns; more of them are rows."""


@dataclass(frozen=True)
class Cell:
    """A field, and the place on the page that its evidence stands at."""

    tally: Tally
    target: str
    remarks: int


@dataclass(frozen=True)
class Row:
    """A promise beside its fields; ``states`` are the classes of the states among them, for the filter."""

    promise: str
    sentence: str
    cells: tuple[Cell, ...]
    states: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """A filter: the words of its label, the attribute that it compares, and (value, words) to choose from."""

    label: str
    key: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Matrix:
    """Promises by implementations.

    Attributes:
        implementations: in the order of ``Row.cells``.
        wide: whether there are so many implementations that they are the rows.
        choices: filters that tell anything apart.
        legend: the states that occur.
        gaps: whether there are fields without any result.
    """

    implementations: tuple[Implementation, ...]
    rows: tuple[Row, ...]
    wide: bool
    choices: tuple[Choice, ...]
    legend: tuple[State, ...]
    gaps: bool


def matrix(implementations: Sequence[Implementation], promises: Mapping[str, str]) -> Matrix:
    """The matrix over ``implementations``; ``promises`` are what was judged, in the order of the columns."""
    rows = tuple(_row(name, sentence, implementations) for name, sentence in promises.items())
    wide = len(implementations) > FEW
    found = {cell.tally.state for row in rows for cell in row.cells}
    legend = tuple(state for state in STATES.values() if state in found)
    filters = _by_implementation(implementations) if wide else (_by_state(legend),)
    told = tuple(choice for choice in filters if len(choice.options) > 1)
    return Matrix(tuple(implementations), rows, wide, told, legend, MISSING in found)


def _row(name: str, sentence: str, implementations: Sequence[Implementation]) -> Row:
    cells = []
    for i in implementations:
        wrong = next((f for f in i.findings if name in f.properties), None)
        evidence = next((row for row in i.rows if row.property == name), None)
        place = wrong or evidence or i
        cells.append(Cell(i.tallies[name], place.anchor, i.remarked[name]))
    return Row(name, sentence, tuple(cells), tuple(dict.fromkeys(cell.tally.state.css for cell in cells)))


VERDICTS = {"passed": "conforms", "known": f"conforms {BUT_KNOWN}", "failed": "does not conform", "open": "no verdict"}


def _by_implementation(implementations: Sequence[Implementation]) -> tuple[Choice, ...]:
    libraries = dict.fromkeys(sorted(i.library for i in implementations))
    families = {i.family: i.title for i in sorted(implementations, key=lambda i: i.title)}
    answers = {i.verdict.css for i in implementations}
    verdicts = {f"answer-{css}": word for css, word in VERDICTS.items() if css in answers}
    # Some that do not conform have known failures beside the others; without them, it would be said twice.
    more = any("known" in i.states and i.verdict.css != "known" for i in implementations)
    with_known = {"known": "with a known failure"} if more else {}
    return (
        Choice("Library", "library", tuple((name, name) for name in libraries)),
        Choice("Family", "family", tuple(families.items())),
        Choice("State", "state", tuple((verdicts | with_known).items())),
    )


def _by_state(legend: Sequence[State]) -> Choice:
    words: dict[str, list[str]] = {}
    for state in legend:
        words.setdefault(state.css, []).append(state.word)
    return Choice("State", "state", tuple((css, " or ".join(said)) for css, said in words.items()))
