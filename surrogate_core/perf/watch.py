"""What a history says of its latest run: what became slower, what vanished, and what could not be compared."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from surrogate_core.errors import BadInput
from surrogate_core.perf.evidence import compilation_changes, count_changes
from surrogate_core.perf.history import Entry, Pair, Series, accepting, load, unlike
from surrogate_core.perf.trend import FEWEST, RISEN, Trend, trends

__all__ = ["Checked", "accept", "check"]


@dataclass(frozen=True)
class Checked:
    """What a history says.

    Attributes:
        series: the place of the latest entry.
        effect: the least rise that counts, as a share.
        trends: (target, benchmark) -> trend, of what the latest entry measured.
        vanished: (target, benchmark) pairs that were measured before, and the latest entry lacks.
        changed: (target, benchmark) -> counts that the latest entry changed, a phrase each.
        remarks: what of the history could not be compared, and why.
    """

    series: Series
    effect: float
    trends: Mapping[Pair, Trend]
    vanished: tuple[Pair, ...]
    changed: Mapping[Pair, tuple[str, ...]]
    remarks: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """4 where something became slower; 3 where a benchmark vanished or nothing could be decided; else 0."""
        states = {trend.state for trend in self.trends.values()}
        if states & RISEN:
            return 4
        return 3 if self.vanished or "steady" not in states else 0

    def having(self, target: str, benchmark: str) -> tuple[Entry, ...]:
        """The entries that a trend is over."""
        return self.series.having(target, benchmark)

    def sentence(self, target: str, benchmark: str) -> str:
        """What became of one benchmark, in words."""
        trend = self.trends[target, benchmark]
        having = self.having(target, benchmark)
        since = _accepted(self.series, (target, benchmark))
        told = f" since {_run(having[since], target)}, which was accepted" if since is not None else ""
        if trend.state == "too few":
            return f"nothing can be said yet: fewer than {FEWEST} runs"
        if trend.state == "steady":
            return f"no rise of {100 * self.effect:.3g} % or more{told}"
        if trend.state == "inconclusive":
            return f"a rise of up to {100 * trend.most:.3g} % is not excluded{told}"
        if trend.at is None:
            return f"drifted up by {100 * trend.change:.3g} %{told}"
        return f"stepped up by {100 * trend.change:.3g} % at {_run(having[trend.at], target)}"


def check(folder: str | os.PathLike[str], effect: float = 0.02) -> Checked:
    """What became slower, in the place of the latest entry.

    Any false alarm among all benchmarks has at most the chance 1 % in one look; looks after every run add up.

    Args:
        folder: of the history.
        effect: the least rise that counts, as a share.

    Raises:
        BadInput: as :func:`load` does, or an effect that is no share.
    """
    if not (math.isfinite(effect) and effect >= 0):
        raise BadInput(f"--effect {effect:g}", "a share of the old time, 0 or more", "0.02 stands for 2 %")
    known = load(folder)
    latest = max(known, key=lambda series: series.entries[-1].started)
    pairs = latest.entries[-1].pairs
    values = {pair: [e.ratios[pair[0]][pair[1]] for e in latest.having(*pair)] for pair in pairs}
    since = {pair: at for pair in pairs if (at := _accepted(latest, pair)) is not None}
    names = {pair: str(place) for place, pair in enumerate(pairs)}
    found = trends(
        {names[pair]: logs for pair, logs in values.items()},
        effect,
        accepted={names[pair]: at for pair, at in since.items()},
    )
    return Checked(
        series=latest,
        effect=effect,
        trends={pair: found[names[pair]] for pair in pairs},
        vanished=_vanished(known, latest),
        changed=_changed(latest),
        remarks=(*_elsewhere(known, latest), *_otherwise(latest)),
    )


def accept(folder: str | os.PathLike[str], globs: Sequence[str] = (), effect: float = 0.02) -> dict[Pair, str]:
    """Take what rose and what vanished for the new normal: (target, benchmark) -> what was accepted.

    Later runs are held against the speed of the latest one.

    Args:
        folder: of the history.
        globs: names of benchmarks; by default all.
        effect: as of :func:`check`.

    Raises:
        BadInput: as :func:`check` does; or there is nothing to accept.
    """
    found = check(folder, effect)
    wrong = {pair: found.sentence(*pair) for pair, trend in found.trends.items() if trend.state in RISEN}
    wrong |= dict.fromkeys(found.vanished, "it vanished from the latest run")
    chosen = {pair: said for pair, said in wrong.items() if not globs or any(fnmatchcase(pair[1], g) for g in globs)}
    if not chosen:
        named = f" in {', '.join(globs)}" if globs else ""
        given = f"nothing that rose or vanished{named}"
        raise BadInput(given, "something to accept", "see `surrogate-core history check DIR`")
    accepting(folder, found.series, tuple(chosen))
    return chosen


def _run(entry: Entry, target: str) -> str:
    return f"{entry.started} {entry.called(target)}".rstrip()


def _accepted(series: Series, pair: Pair) -> int | None:
    """Among the entries that are compared, the one whose speed was accepted."""
    started = series.accepted_at(pair)
    found = [place for place, entry in enumerate(series.having(*pair)) if entry.started == started]
    return found[-1] if found else None


def _vanished(known: Sequence[Series], latest: Series) -> tuple[Pair, ...]:
    """What the latest entry lacks of what its place had, and of what the last run had before its place began.

    So that a benchmark is missed, too, that goes as another version or machine comes.
    """
    first, last = latest.entries[0], latest.entries[-1]
    elsewhere = [entry for series in known if series is not latest for entry in series.entries]
    before = [entry for entry in elsewhere if entry.started < first.started]
    # Places that take turns are not one after the other: what is still measured there has not gone.
    still = {pair for entry in elsewhere if entry.started >= first.started for pair in entry.pairs}
    moved = max(before, key=lambda entry: entry.started, default=None)
    seen = {pair: moved.started for pair in moved.pairs if pair not in still} if moved else {}
    for entry in latest.entries:
        seen |= dict.fromkeys(entry.pairs, entry.started)
    return tuple(p for p, when in seen.items() if p not in last.pairs and latest.accepted_at(p) < when)


def _elsewhere(known: Sequence[Series], latest: Series) -> tuple[str, ...]:
    return tuple(
        f"{_not_comparable(len(series.entries), 'elsewhere')}: {'; '.join(unlike(latest.place, series.place))}"
        for series in known
        if series is not latest
    )


def _otherwise(latest: Series) -> tuple[str, ...]:
    """Runs of the same place at other parameters."""
    found = []
    for target, ratios in latest.entries[-1].ratios.items():
        now = latest.entries[-1].parameters.get(target)
        others: dict[str | None, int] = {}
        for entry in latest.entries:
            if (was := entry.parameters.get(target)) != now and ratios.keys() & entry.ratios.get(target, {}).keys():
                others[was] = others.get(was, 0) + 1
        for was, count in others.items():
            found.append(f"{_not_comparable(count, f'of {target}')}: parameters {_told(now)}, theirs {_told(was)}")
    return tuple(found)


def _told(parameters: str | None) -> str:
    return "not kept" if parameters is None else parameters or "none"


def _not_comparable(count: int, which: str) -> str:
    return f"1 run {which} is not comparable" if count == 1 else f"{count} runs {which} are not comparable"


def _changed(series: Series) -> dict[Pair, tuple[str, ...]]:
    found = {}
    for target, benchmark in series.entries[-1].pairs:
        *_, before, last = (None, *series.having(target, benchmark))
        if before is None:
            continue
        old, new = (e.counts.get(target, {}).get(benchmark) for e in (before, last))
        phrases = [] if old is None or new is None else [*count_changes(old, new)]
        was, now = (e.compiled.get(target, {}).get(benchmark) for e in (before, last))
        phrases += [] if was is None or now is None else compilation_changes(was, now)
        found[target, benchmark] = tuple(phrases)
    return {pair: phrases for pair, phrases in found.items() if phrases}
