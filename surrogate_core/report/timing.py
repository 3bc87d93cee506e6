"""What was timed, as a section of the report: plain values in, tables and plots out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from surrogate_core.report import plots
from surrogate_core.report.charts import Chart
from surrogate_core.report.words import number, plural, share

__all__ = ["Compared", "Drawn", "Entry", "Timed", "Timing", "Trended", "draw"]

RATIOS = (1 / 4, 64)
"""What a plot of ratios shows; what lies beyond stands at its edge, and in the table."""


def _floor(noise: float | None) -> str:
    """A noise floor in words."""
    if noise is None:
        return "unknown"
    return f"± {number(100 * noise, 2)} %" if noise < 1 else f"a factor of {number(1 + noise, 2)}"


@dataclass(frozen=True)
class Timed:
    """One target in one benchmark.

    Attributes:
        target: what was timed.
        benchmark: its name.
        per_call: the time of a call, in words.
        rate: elements per second, in words.
        ratio: (value, low, high): its time over that of the bare operation; ``None`` where it was not measured.
        noise: by how much the ratio has to change to stand out of this run, as a share; ``None`` where unknown.
        compiling: the time of compiling, in words; empty where nothing is compiled.
        error: why it was not measured; empty where it was.
    """

    target: str
    benchmark: str
    per_call: str
    rate: str
    ratio: tuple[float, float, float] | None
    noise: float | None
    compiling: str
    error: str

    @property
    def floor(self) -> str:
        """The noise, in words."""
        return _floor(self.noise)


@dataclass(frozen=True)
class Compared:
    """One benchmark of a comparison.

    Attributes:
        benchmark: its name.
        css: the class of its state, as everywhere in the report.
        glyph: a sign for it.
        state: it, in words.
        sentence: what was measured, and the reason.
        evidence: what differs without a clock; ``None`` where nothing could be counted on both sides.
    """

    benchmark: str
    css: str
    glyph: str
    state: str
    sentence: str
    evidence: tuple[str, ...] | None


@dataclass(frozen=True)
class Entry:
    """One run of a history: when, of which version, how it was called, and its time over the bare operation's."""

    started: str
    version: str
    label: str
    ratio: float


@dataclass(frozen=True)
class Trended:
    """One target in one benchmark over the runs of a history.

    Attributes:
        css, glyph, state: what became of it, as everywhere in the report.
        sentence: the same, with its size.
        entries: the runs, the oldest first.
        levels: (first run, last run, ratio at the first, ratio at the last) of each stretch without a step.
        noise: how far 99 % of the runs lie from their level at the most, as a share; ``None`` where unknown.
    """

    target: str
    benchmark: str
    css: str
    glyph: str
    state: str
    sentence: str
    entries: tuple[Entry, ...]
    levels: tuple[tuple[int, int, float, float], ...]
    noise: float | None

    @property
    def floor(self) -> str:
        """The noise, in words."""
        return _floor(self.noise)


@dataclass(frozen=True)
class Timing:
    """One run of bench, or a history of several.

    Attributes:
        title: what was timed, or compared with what.
        facts: where, how, and what else is to be known, a sentence each.
        timed: of a run that compares nothing.
        compared: of a comparison.
        trended: of a history.
    """

    title: str
    facts: tuple[str, ...]
    timed: tuple[Timed, ...] = ()
    compared: tuple[Compared, ...] = ()
    trended: tuple[Trended, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """A run of bench with its plots.

    Attributes:
        targets: (target, what was timed, plot of its ratios) each.
        trends: a plot for each benchmark of a history.
    """

    timing: Timing
    targets: tuple[tuple[str, tuple[Timed, ...], Markup], ...]
    trends: tuple[tuple[Trended, Chart], ...]


def draw(timing: Timing, name: str) -> Drawn:
    """The run with its plots; ``name`` makes their ids the page's own."""
    targets = dict.fromkeys(t.target for t in timing.timed)
    drawn = []
    for place, target in enumerate(targets):
        mine = tuple(t for t in timing.timed if t.target == target)
        drawn.append((target, mine, _plot(f"{name}-{place}", target, mine)))
    trends = tuple((one, _trend(f"{name}-r{place}", one)) for place, one in enumerate(timing.trended))
    return Drawn(timing, tuple(drawn), trends)


def _trend(name: str, trended: Trended) -> Chart:
    """The ratios of one benchmark, run by run, over their levels and the noise about these."""
    ratios = [entry.ratio for entry in trended.entries]
    about = f" 99 % of the runs lie within ± {share(trended.noise)} of their level." if trended.noise else ""
    description = (
        f"Dots, the ratio in each of {plural(len(ratios), 'run')}; line, their level; shaded, its noise.{about}"
    )
    versions = [entry.version.rpartition(" ")[2] for entry in trended.entries]
    rows = tuple(
        (entry.started, entry.version or "–", entry.label or "–", number(entry.ratio, 4)) for entry in trended.entries
    )
    title = f"{trended.benchmark}: {trended.sentence}"
    drawing = plots.trend(name, title, description, ratios, trended.levels, trended.noise or 0.0, versions)
    kept = {"passed": True, "failed": False}.get(trended.css)
    return Chart(trended.benchmark, trended.sentence, kept, drawing, ("run", "version", "label", "ratio"), rows)


def _plot(name: str, target: str, timed: Sequence[Timed]) -> Markup:
    known = [(t.benchmark, t.ratio) for t in timed if t.ratio is not None]
    if not known:
        return Markup("")
    worst = max(known, key=lambda item: item[1][0])
    title = f"Time over that of the bare operation: {target}"
    highest = f"the highest is {number(worst[1][0])} in {worst[0]}"
    description = f"{plural(len(known), 'benchmark')}, each with its 99 % bounds; {highest}"
    return plots.ratios(name, title, description, [b for b, _ in known], [r for _, r in known], RATIOS)
