"""What was timed, as a section of the report: plain values in, a table and a plot a target out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from surrogate_core.report import plots
from surrogate_core.report.words import number, plural

__all__ = ["Compared", "Drawn", "Timed", "Timing", "draw"]

RATIOS = (1 / 4, 64)
"""What a plot of ratios shows; what lies beyond stands at its edge, and in the table."""


@dataclass(frozen=True)
class Timed:
    """One target in one benchmark.

    Attributes:
        target: what was timed.
        benchmark: its name.
        per_call: the time of a call, in words.
        rate: elements per second, in words.
        ratio: (value, low, high): its time over that of the bare operation; ``None`` where it was not measured.
        compiling: the time of compiling, in words; empty where nothing is compiled.
        error: why it was not measured; empty where it was.
    """

    target: str
    benchmark: str
    per_call: str
    rate: str
    ratio: tuple[float, float, float] | None
    compiling: str
    error: str


@dataclass(frozen=True)
class Compared:
    """One benchmark of a comparison.

    Attributes:
        benchmark: its name.
        css: the class of its state, as everywhere in the report.
        glyph: a sign for it.
        state: it, in words.
        sentence: what was measured, and the reason.
        evidence: what differs without a clock.
    """

    benchmark: str
    css: str
    glyph: str
    state: str
    sentence: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Timing:
    """One run of bench.

    Attributes:
        title: what was timed, or compared with what.
        facts: where, how, and what else is to be known, a sentence each.
        timed: of a run that compares nothing.
        compared: of a comparison.
    """

    title: str
    facts: tuple[str, ...]
    timed: tuple[Timed, ...] = ()
    compared: tuple[Compared, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """A run of bench with its plots: (target, what was timed, plot of its ratios) each."""

    timing: Timing
    targets: tuple[tuple[str, tuple[Timed, ...], Markup], ...]


def draw(timing: Timing, name: str) -> Drawn:
    """The run with its plots; ``name`` makes their ids the page's own."""
    targets = dict.fromkeys(t.target for t in timing.timed)
    drawn = []
    for place, target in enumerate(targets):
        mine = tuple(t for t in timing.timed if t.target == target)
        drawn.append((target, mine, _plot(f"{name}-{place}", target, mine)))
    return Drawn(timing, tuple(drawn))


def _plot(name: str, target: str, timed: Sequence[Timed]) -> Markup:
    known = [(t.benchmark, t.ratio) for t in timed if t.ratio is not None]
    if not known:
        return Markup("")
    worst = max(known, key=lambda item: item[1][0])
    title = f"Time over that of the bare operation: {target}"
    highest = f"the highest is {number(worst[1][0])} in {worst[0]}"
    description = f"{plural(len(known), 'benchmark')}, each with its 99 % bounds; {highest}"
    return plots.ratios(name, title, description, [b for b, _ in known], [r for _, r in known], RATIOS)
