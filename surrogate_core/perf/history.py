"""The history of a surrogate's speed: an append-only folder, one file for each place where it was measured.

A place is a machine, its devices, the versions of what runs on them, and how it was measured; ratios of two places are
not comparable.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from surrogate_core.errors import BadInput
from surrogate_core.perf.decide import medians
from surrogate_core.perf.evidence import count_changes
from surrogate_core.perf.job import BARE
from surrogate_core.perf.machine import differences, place
from surrogate_core.perf.store import BenchRun
from surrogate_core.perf.trend import FEWEST, Trend, trends

__all__ = ["SCHEMA", "Checked", "Entry", "Series", "add", "check", "load"]

SCHEMA = 1


@dataclass(frozen=True)
class Entry:
    """One run in a history.

    Attributes:
        started: when it was measured, in UTC.
        label: what the user calls it, such as a commit.
        versions: target -> version of its package; empty where there is none.
        ratios: target -> benchmark -> mean log-ratio to the bare operation.
        counts: target -> benchmark -> what is known of the computation without a clock.
    """

    started: str
    label: str
    versions: Mapping[str, str]
    ratios: Mapping[str, Mapping[str, float]]
    counts: Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True)
class Series:
    """All entries of one place, the oldest first."""

    place: Mapping[str, str]
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Checked:
    """What a history says.

    Attributes:
        trends: (target, benchmark) -> trend, in the place of the latest entry.
        vanished: (target, benchmark) pairs that its place had before, and the latest entry lacks.
        changed: (target, benchmark) -> counts that the latest entry changed, a phrase each.
        remarks: what of the history could not be compared, and why.
    """

    series: Series
    trends: Mapping[tuple[str, str], Trend]
    vanished: tuple[tuple[str, str], ...]
    changed: Mapping[tuple[str, str], tuple[str, ...]]
    remarks: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """4 where something became slower; 3 where a benchmark vanished or nothing could be said; else 0."""
        states = {trend.state for trend in self.trends.values()}
        if states & {"step", "drift"}:
            return 4
        return 3 if self.vanished or "steady" not in states else 0

    def having(self, target: str, benchmark: str) -> tuple[Entry, ...]:
        """The entries that a trend is over."""
        return tuple(entry for entry in self.series.entries if benchmark in entry.ratios.get(target, {}))

    def sentence(self, target: str, benchmark: str) -> str:
        """What became of one benchmark, in words."""
        trend = self.trends[target, benchmark]
        if trend.state == "too few":
            return f"nothing can be said yet: fewer than {FEWEST} runs"
        if trend.state == "steady":
            return "no rise was found"
        if trend.at is None:
            return f"drifted up by {100 * trend.change:.3g} %"
        entry = self.having(target, benchmark)[trend.at]
        called = " ".join(filter(None, (entry.versions.get(target, ""), entry.label)))
        return f"stepped up by {100 * trend.change:.3g} % at {entry.started} {called}".rstrip()


def _place(run: BenchRun) -> dict[str, str]:
    """Where, and how: a ratio that another version of the harness measured in another way is another figure."""
    machine = run.header["machine"]
    return place(machine, run.header["devices"]) | {"measuring protocol": str(machine.get("protocol", "none"))}


def add(folder: str | os.PathLike[str], run: BenchRun, label: str = "") -> tuple[Path, tuple[str, ...]]:
    """Append a run; (the file of its place, how that differs from the place of the latest run before, if it does).

    Raises:
        BadInput: the run is a comparison, is unfinished or measured nothing, is there already, or the folder
            cannot be used.
    """
    entry, where = _entry(run, label), _place(run)
    if not any(entry.ratios.values()):
        raise BadInput("a run in which nothing was measured", "ratios to the bare operation", "see what bench says")
    known = load(folder) if any(Path(folder).glob("*.jsonl")) else ()
    if any(entry == old for series in known for old in series.entries):
        raise BadInput(f"a run of {entry.started} that the history has", "a new run", "add each run once")
    latest = max(known, key=lambda s: s.entries[-1].started, default=None)
    path = Path(folder) / f"{_key(where)}.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            if not file.tell():
                file.write(json.dumps({"kind": "history", "schema": SCHEMA, "place": where}) + "\n")
            file.write(json.dumps({"kind": "entry", **asdict(entry)}, allow_nan=False) + "\n")
    except OSError as error:
        raise BadInput(
            f"history {folder}: {error.strerror}", "a folder that can be written", "choose another"
        ) from None
    return path, differences(where, latest.place) if latest else ()


def _key(where: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(where, sort_keys=True).encode()).hexdigest()[:16]


def _entry(run: BenchRun, label: str) -> Entry:
    if run.header["against"] is not None:
        wanted = "a run without --against: a history is one of ratios to the bare operation"
        raise BadInput("a run of bench --against", wanted, "run bench without it")
    if not run.complete:
        raise BadInput("a run that was not finished", "a results file with its footer", "run bench again")
    ratios: dict[str, dict[str, float]] = {}
    counts: dict[str, dict[str, dict[str, float]]] = {}
    for subject in run.header["subjects"]:
        target = subject["target"]
        ratios[target], counts[target] = {}, {}
        for name in run.benchmarks:
            both = [s for s in run.of(name) if {target, BARE} <= s.arms.keys()]
            if both:
                logs = medians([s.arms[target].seconds for s in both], [s.arms[BARE].seconds for s in both])
                ratios[target][name] = float(np.mean(logs))
                counts[target][name] = dict(both[0].arms[target].counts)
    versions = {s["target"]: " ".join(filter(None, (s["package"], s["version"]))) for s in run.header["subjects"]}
    return Entry(str(run.header["started"]), label, versions, ratios, counts)


def load(folder: str | os.PathLike[str]) -> tuple[Series, ...]:
    """Every place's series.

    Raises:
        BadInput: no such folder, no history in it, or a line of it that is none of a history.
    """
    found = [_series(path) for path in sorted(Path(folder).glob("*.jsonl"))]
    if not found:
        raise BadInput(
            f"history {folder}", "a folder with a history", "add a run: surrogate-core history add DIR RESULTS"
        )
    return tuple(found)


def _series(path: Path) -> Series:
    try:
        head, *rest = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if head["kind"] != "history" or head["schema"] != SCHEMA:
            raise ValueError(f"kind {head['kind']!r}, schema {head['schema']}")
        entries = [Entry(**{name: value for name, value in line.items() if name != "kind"}) for line in rest]
        if not entries:
            raise ValueError("no entries")
    except (OSError, ValueError, KeyError, TypeError) as error:
        wanted = f"a history of schema {SCHEMA}"
        raise BadInput(f"history {path}: {error}", wanted, "take the file away, or mend it") from None
    return Series(head["place"], tuple(sorted(entries, key=lambda entry: entry.started)))


def check(folder: str | os.PathLike[str], effect: float = 0.02) -> Checked:
    """What became slower, in the place of the latest entry. Raises :class:`BadInput` as :func:`load` does."""
    known = load(folder)
    latest = max(known, key=lambda series: series.entries[-1].started)
    values: dict[tuple[str, str], list[float]] = {}
    for entry in latest.entries:
        for target, ratios in entry.ratios.items():
            for benchmark, ratio in ratios.items():
                values.setdefault((target, benchmark), []).append(ratio)
    last = latest.entries[-1]
    vanished = tuple((t, b) for t, b in values if b not in last.ratios.get(t, {}))
    named = {" ".join(key): series for key, series in values.items() if key not in vanished}
    found = trends(named, effect)
    others = tuple(
        f"{len(series.entries)} runs elsewhere are not comparable: {'; '.join(differences(latest.place, series.place))}"
        for series in known
        if series is not latest
    )
    trend_of = {key: found[" ".join(key)] for key in values if key not in vanished}
    return Checked(latest, trend_of, vanished, _changed(latest), others)


def _changed(series: Series) -> dict[tuple[str, str], tuple[str, ...]]:
    if len(series.entries) < 2:
        return {}
    before, last = series.entries[-2:]
    found = {
        (target, benchmark): count_changes(before.counts.get(target, {}).get(benchmark, counts), counts)
        for target, by_benchmark in last.counts.items()
        for benchmark, counts in by_benchmark.items()
    }
    return {key: phrases for key, phrases in found.items() if phrases}
