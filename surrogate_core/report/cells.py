"""The cells of the matrix: all results of one implementation and one property, and the word for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from surrogate_core.engine import Result, Run
from surrogate_core.properties.outcome import Errored, Failed, Outcome, Passed

__all__ = ["GLYPHS", "Cell", "cells"]

GLYPHS = {
    "passed": "✓",
    "failed": "✗",
    "errored": "!",
    "unsupported": "–",
    "skipped": "○",
    "expected failure": "≈",
}

_GRAVITY = ("failed", "errored", "expected failure", "passed", "unsupported", "skipped")


@dataclass(frozen=True)
class Cell:
    """One property of one implementation, over all its cases.

    Attributes:
        promise: the sentence a person reads.
        results: one for each case, never empty.
    """

    implementation: str
    property_id: str
    promise: str
    results: tuple[Result, ...]

    @property
    def state(self) -> str:
        """The gravest state among the cases: one failure fails the property."""
        present = {result.outcome.state for result in self.results}
        return next(state for state in _GRAVITY if state in present)

    @property
    def glyph(self) -> str:
        return GLYPHS[self.state]

    @property
    def first(self) -> Result:
        """The first result in the cell's state: float32 before the others, where people look first."""
        of_state = [r for r in self.results if r.outcome.state == self.state]
        return min(of_state, key=lambda r: r.dtype != "float32")

    @property
    def count(self) -> int:
        """How many cases are in the cell's state."""
        return sum(r.outcome.state == self.state for r in self.results)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What passing cases want said, and what any case did to its process, each once."""
        return tuple(dict.fromkeys(remark for r in self.results for remark in r.remarks))

    @property
    def lacking(self) -> tuple[str, ...]:
        """What some cases lack although the cell passes: how many, and why."""
        if self.state != "passed":
            return ()
        others = [r for r in self.results if r.outcome.state == "unsupported"]
        reasons = dict.fromkeys(_detail(r.outcome, ()) for r in others)
        return tuple(f"unsupported in {len(others)} of {len(self.results)} cases: {reason}" for reason in reasons)

    @property
    def detail(self) -> str:
        """The most telling figure or reason, in a few words."""
        return _detail(self.first.outcome, [r.outcome for r in self.results])


def _detail(outcome: Outcome, every: Sequence[Outcome]) -> str:
    if isinstance(outcome, Failed):
        return f"{outcome.given}: {outcome.measured}; allowed {outcome.allowed}"
    if isinstance(outcome, Errored):
        return outcome.message.splitlines()[0] if outcome.message else "no message"
    if isinstance(outcome, Passed):
        figures = [o.figures for o in every if isinstance(o, Passed)]
        if figures and all("tally" in f for f in figures):
            counted, worst = sum(int(f["inputs"]) for f in figures), max(float(f["max_ulp"]) for f in figures)
            return f"{counted:,} patterns, largest error {worst:.3g} ulp"
        if ulps := [float(f["max_ulp"]) for f in figures if "max_ulp" in f]:
            bounds = [float(f["max_bound"]) for f in figures if "max_bound" in f]
            return f"largest error {max(ulps):.3g} ulp, {max(bounds):.2f} of the bound"
        if all("right" in f for f in figures) and figures:
            offs = [
                abs(f[s]["slope"] - f["claimed_slope"]) / abs(f["claimed_slope"])
                for f in figures
                for s in ("left", "right")
            ]
            return f"largest slope error {max(offs):.2g} of the slope"
        for what in ("stacks", "calls", "shapes", "inputs"):
            if number := sum(f[what] for f in figures if isinstance(f.get(what), int)):
                return f"{number:,} {what}"
        return ""
    return getattr(outcome, "reason", "") or getattr(outcome, "capability", "")


def cells(run: Run, of: str | None = None) -> tuple[Cell, ...]:
    """The cells of a run (or ``of`` one implementation), in the order of its header.

    What the header does not name, and there are results of, stands at the end: nothing that failed is left out.
    """
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in run.results if of is None else run.of(of):
        groups.setdefault((result.implementation, result.property_id), []).append(result)
    promises: dict[str, str] = dict(run.header["properties"])
    names = dict.fromkeys([*(str(i["name"]) for i in run.header["implementations"]), *(n for n, _ in groups)])
    order = dict.fromkeys([*promises, *(prop for _, prop in groups)])
    return tuple(
        Cell(name, prop, promises.get(prop, ""), tuple(groups[name, prop]))
        for name in names
        for prop in order
        if (name, prop) in groups
    )
