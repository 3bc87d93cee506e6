"""Which plots an implementation gets: all that its results allow, or the most telling ones of a budget.

A report of one implementation has room for every plot; a survey of a hundred shows one or two for each. The
plots stand in groups, one question a group, so that plots of one kind stand side by side under one legend.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from surrogate_core.engine import Result
from surrogate_core.report import charts
from surrogate_core.report.charts import Chart

__all__ = ["Gallery", "Group", "budget", "gallery"]

SHARES = (40, 16, 8, 6, 5, 4)
"""Plots that each of one, two, … implementations gets: at 3 kB a plot, the page stays below 300 kB."""

FEWEST = 1
"""Plots that every one of more implementations gets, however many there are."""


@dataclass(frozen=True)
class Group:
    """Plots that answer one question.

    Attributes:
        title: the question's subject.
        keys: (class of the sample, words) pairs of the legend.
        charts: one a parameter setting or format.
    """

    title: str
    keys: tuple[tuple[str, str], ...]
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Gallery:
    """The plots of one implementation; ``left_out`` more would not fit the report's budget."""

    where: str
    groups: tuple[Group, ...]
    left_out: int


Draw = Callable[[Result, str, int], Chart | None]

DECLARED, MEASURED, FITTED = ("spec", "declared (band)"), ("measured", "measured (dots)"), ("fitted", "fitted (line)")
KINDS: dict[str, tuple[str, str, tuple[tuple[str, str], ...], Draw]] = {
    "gradient": ("The pseudo-derivative over its spec", "gradient.oracle", (DECLARED, MEASURED), charts.gradient),
    "decay": ("The decay of its logarithm", "gradient.decay", (DECLARED, MEASURED, FITTED), charts.decay),
    "spikes": ("The step at the threshold", "forward.step", (DECLARED, MEASURED), charts.spikes),
    "accuracy": (
        "The error against x",
        "gradient.oracle",
        (("spec", "derived bound (band)"), ("line", "x > 0 (line)"), ("other", "x < 0 (dashes)")),
        charts.accuracy,
    ),
    "histogram": (
        "How large the errors are",
        "gradient.oracle",
        (("bar", "inputs with that error"),),
        charts.histogram,
    ),
}
"""Kind of plot -> title, the property whose results it draws, legend, how it is drawn; in the order of the page."""

TELLING = ("gradient", "accuracy", "decay", "spikes", "histogram")
"""Kinds in the order in which a budget admits them."""


def budget(implementations: int) -> int:
    """How many plots each of so many implementations gets."""
    return SHARES[max(0, implementations - 1)] if implementations <= len(SHARES) else FEWEST


def gallery(results: Sequence[Result], prefix: str, plots: int, thin: int = 1) -> Gallery | None:
    """Up to ``plots`` plots of one implementation; ``None`` where no result holds anything to draw.

    Of a curve every ``thin``-th stored point is shown.
    """
    drawn = [r for r in results if r.property_id in {prop for _, prop, _, _ in KINDS.values()}]
    if not drawn:
        return None
    dtype = "float32" if any(r.dtype == "float32" for r in drawn) else drawn[0].dtype
    device = next(r.device for r in drawn if r.dtype == dtype)
    wanted = _wanted([r for r in drawn if r.device == device], dtype)
    chosen = set(_admitted(wanted, plots))
    made: dict[str, list[Chart]] = {}
    for at, (kind, result) in enumerate(wanted):
        if at in chosen and (chart := KINDS[kind][3](result, f"{prefix}-{kind[0]}{at}", thin)):
            made.setdefault(kind, []).append(chart)
    if not any(chart.svg for drawings in made.values() for chart in drawings):
        return None
    groups = tuple(Group(KINDS[kind][0], KINDS[kind][2], tuple(made[kind])) for kind in KINDS if kind in made)
    return Gallery(f"{dtype} on {device}", groups, len(wanted) - len(chosen))


def _wanted(results: Sequence[Result], dtype: str) -> list[tuple[str, Result]]:
    """(kind, result) of every plot: of one format for each parameter setting, the step for each format."""
    wanted: list[tuple[str, Result]] = []
    for kind, (_, prop, _, _) in KINDS.items():
        of = [r for r in results if r.property_id == prop]
        if kind == "spikes":
            for fmt in dict.fromkeys(r.dtype for r in of):
                same = [r for r in of if r.dtype == fmt]
                # The step is the same for every parameter; where it is not, the wrong one is shown.
                wanted.append((kind, next((r for r in same if charts.kept(r) is False), same[0])))
        else:
            wanted += [(kind, r) for r in of if r.dtype == dtype]
    return wanted


def _admitted(wanted: Sequence[tuple[str, Result]], plots: int) -> list[int]:
    """Positions of the plots that a budget admits: one of each kind first, and what shows a failure before the rest."""

    def urgency(at: int) -> tuple[bool, int, int, int]:
        kind, _ = wanted[at]
        of_kind = [i for i, (other, _) in enumerate(wanted) if other == kind]
        rank = sorted(of_kind, key=lambda i: charts.kept(wanted[i][1]) is not False).index(at)
        return rank > 0, rank, TELLING.index(kind), at

    return sorted(range(len(wanted)), key=urgency)[:plots]
