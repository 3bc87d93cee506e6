"""The history of a surrogate's speed: an append-only folder, one file for each place where it was measured.

A place is a machine, its devices, the versions of what runs on them, and how it was measured; ratios of two places are
not comparable. Neither are those of one target at other parameters, which share a file and make series of their own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from surrogate_core.errors import BadInput
from surrogate_core.perf.decide import medians
from surrogate_core.perf.job import BARE
from surrogate_core.perf.machine import place
from surrogate_core.perf.store import BenchRun
from surrogate_core.perf.summary import rows
from surrogate_core.perf.verdicts import first_line

__all__ = ["SCHEMA", "Accepted", "Entry", "Pair", "Series", "accepting", "add", "left_out", "load", "unlike"]

SCHEMA = 1

log = logging.getLogger("surrogate_core")

Pair = tuple[str, str]
"""A target and a benchmark."""


@dataclass(frozen=True)
class Entry:
    """One run in a history.

    Attributes:
        started: when it was measured, in UTC.
        label: what the user calls it, such as a commit.
        versions: target -> version of its package; empty where there is none.
        ratios: target -> benchmark -> mean log-ratio to the bare operation.
        counts: target -> benchmark -> what is known of the computation without a clock.
        parameters: target -> those at which it was timed, in words; a target is missing where they were not kept.
        compiled: target -> benchmark -> programs compiled to make it ready, and by a further call; likewise.
    """

    started: str
    label: str
    versions: Mapping[str, str]
    ratios: Mapping[str, Mapping[str, float]]
    counts: Mapping[str, Mapping[str, Mapping[str, float]]]
    parameters: Mapping[str, str] = field(default_factory=dict)
    compiled: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """What was measured."""
        return tuple((target, benchmark) for target, ratios in self.ratios.items() for benchmark in ratios)

    def called(self, target: str) -> str:
        """Version and label, as a person reads them."""
        return " ".join(filter(None, (self.versions.get(target, ""), self.label)))


@dataclass(frozen=True)
class Accepted:
    """That the speed of some benchmarks is the one to hold later runs against.

    Attributes:
        started: of the run that had it.
        pairs: of which benchmarks.
    """

    started: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Series:
    """All entries of one place, the oldest first, and what was accepted of them."""

    place: Mapping[str, str]
    entries: tuple[Entry, ...]
    accepted: tuple[Accepted, ...] = ()

    def having(self, target: str, benchmark: str) -> tuple[Entry, ...]:
        """The entries that are compared: of one target, at the parameters that it had last, in one benchmark."""
        found = [entry for entry in self.entries if benchmark in entry.ratios.get(target, {})]
        return tuple(e for e in found if e.parameters.get(target) == found[-1].parameters.get(target))

    def accepted_at(self, pair: Pair) -> str:
        """When the run was measured whose speed was accepted last; empty where none was."""
        return max((one.started for one in self.accepted if pair in one.pairs), default="")


def _place(run: BenchRun) -> dict[str, str]:
    """Where, and how: a ratio that another version of the harness measured in another way is another figure."""
    machine = run.header["machine"]
    return place(machine, run.header["devices"]) | {"measuring protocol": str(machine.get("protocol", "none"))}


def unlike(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[str, ...]:
    """What differs between two places, a phrase each, also what only one of them has: ``jax 0.10.2, was 0.10.1``."""
    names = [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]
    return tuple(f"{name} {one.get(name, 'none')}, was {other.get(name, 'none')}" for name in names)


def add(folder: str | os.PathLike[str], run: BenchRun, label: str = "") -> tuple[Path, tuple[str, ...]]:
    """Append a run; (the file of its place, how that differs from the place of the latest run before, if it does).

    Raises:
        BadInput: the run is a comparison, is unfinished or measured nothing, is there already, or the folder
            cannot be used.
    """
    entry, where = _entry(run, label), _place(run)
    if not any(entry.ratios.values()):
        raise BadInput("a run in which nothing was measured", "ratios to the bare operation", "see what bench says")
    known = _all(folder)
    for old in (old for series in known for old in series.entries):
        # Whatever it is called, and also where less was kept of it then.
        if (entry.started, entry.ratios) == (old.started, old.ratios):
            called = f" as {old.label!r}" if old.label else ""
            raise BadInput(f"a run of {entry.started} that the history has{called}", "a new run", "add each run once")
    latest = max(known, key=lambda s: s.entries[-1].started, default=None)
    path = Path(folder) / f"{_key(where)}.jsonl"
    _append(path, where, {"kind": "entry", **asdict(entry)})
    return path, unlike(where, latest.place) if latest else ()


def accepting(folder: str | os.PathLike[str], series: Series, pairs: Sequence[Pair]) -> None:
    """Append that the latest speed of some benchmarks is accepted. Raises :class:`BadInput` as :func:`add` does."""
    accepted = Accepted(series.entries[-1].started, tuple(pairs))
    _append(Path(folder) / f"{_key(series.place)}.jsonl", series.place, {"kind": "accepted", **asdict(accepted)})


def _append(path: Path, where: Mapping[str, str], line: Mapping[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _mend_its_end(path)
        with path.open("a", encoding="utf-8") as file:
            if not file.tell():
                file.write(json.dumps({"kind": "history", "schema": SCHEMA, "place": where}) + "\n")
            file.write(json.dumps(line, allow_nan=False) + "\n")
    except OSError as error:
        raise BadInput(
            f"history {path.parent}: {error.strerror}", "a folder that can be written", "choose another"
        ) from None


def _mend_its_end(path: Path) -> None:
    """What is appended shall not go on with a line that was cut off; all that is whole stays where it is."""
    content = path.read_bytes() if path.exists() else b""
    end = content.rfind(b"\n") + 1
    if end == len(content):
        return
    if _is_json(content[end:]):
        with path.open("ab") as file:
            file.write(b"\n")
    else:
        os.truncate(path, end)


def _lines(path: Path) -> list[bytes]:
    """The lines of a file, but for a last one that a crash cut off: it has no end, and is no JSON."""
    content = path.read_bytes()
    lines = content.splitlines()
    if lines and not content.endswith(b"\n") and not _is_json(lines[-1]):
        log.warning("history %s: its last line was cut off, and is left out", path)
        lines.pop()
    return lines


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


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
    compiled: dict[str, dict[str, tuple[int, int]]] = {}
    failed = {(r.target, r.benchmark) for r in rows(run) if r.failed}
    for subject in run.header["subjects"]:
        target = subject["target"]
        ratios[target], counts[target], compiled[target] = {}, {}, {}
        for name in run.benchmarks:
            both = [s for s in run.of(name) if {target, BARE} <= s.arms.keys()]
            if both and (target, name) not in failed:
                first = both[0].arms[target]
                logs = medians([s.arms[target].seconds for s in both], [s.arms[BARE].seconds for s in both])
                ratios[target][name] = float(np.mean(logs))
                counts[target][name] = dict(first.counts)
                compiled[target][name] = (first.compilations, first.recompilations)
    subjects = run.header["subjects"]
    versions = {s["target"]: " ".join(filter(None, (s["package"], s["version"]))) for s in subjects}
    parameters = {s["target"]: ", ".join(f"{name}={value!r}" for name, value in s["parameters"]) for s in subjects}
    return Entry(str(run.header["started"]), label, versions, ratios, counts, parameters, compiled)


def left_out(run: BenchRun) -> tuple[str, ...]:
    """What of a run is not kept, since it failed in some process: target, benchmark and reason, a line each."""
    return tuple(f"{r.target} {r.benchmark}: {first_line(r.error)}" for r in rows(run) if r.failed)


def load(folder: str | os.PathLike[str]) -> tuple[Series, ...]:
    """Every place's series.

    Raises:
        BadInput: no such folder, no history in it, or a line of it that is none of a history.
    """
    if found := _all(folder):
        return found
    raise BadInput(f"history {folder}", "a folder with a history", "add a run: surrogate-core history add DIR RESULTS")


def _all(folder: str | os.PathLike[str]) -> tuple[Series, ...]:
    """Every place's series, if there is any."""
    return tuple(filter(None, map(_series, sorted(Path(folder).glob("*.jsonl")))))


def _checked(entry: Entry) -> Entry:
    """The entry, if what is read of it later is what it should be; raises :class:`TypeError`, `AttributeError`."""
    ratios = [ratio for of_target in entry.ratios.values() for ratio in of_target.values()]
    texts = [entry.started, entry.label, *entry.versions.values(), *entry.parameters.values()]
    counts = [counted for of_target in entry.counts.values() for counted in of_target.values()]
    compiled = [pair for of_target in entry.compiled.values() for pair in of_target.values()]
    for values, kind in ((texts, str), (ratios, (int, float)), (counts, dict), (compiled, (list, tuple))):
        if wrong := [value for value in values if not isinstance(value, kind)]:
            raise TypeError(f"the run of {entry.started} has {wrong[0]!r} in it")
    return entry


def _series(path: Path) -> Series | None:
    """What a file holds; ``None`` where the first run was never added to the end."""
    try:
        if not (lines := _lines(path)):
            return None
        head, *rest = map(json.loads, lines)
        if head["kind"] != "history" or head["schema"] != SCHEMA:
            raise ValueError(f"kind {head['kind']!r}, schema {head['schema']}")
        if not rest:
            return None
        entries, accepted = [], []
        for line in rest:
            values = {name: value for name, value in line.items() if name != "kind"}
            if line["kind"] == "accepted":
                accepted.append(Accepted(values["started"], tuple((t, b) for t, b in values["pairs"])))
            else:
                entries.append(_checked(Entry(**values)))
        if not entries:
            raise ValueError("no entries")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        wanted = f"a history of schema {SCHEMA}"
        raise BadInput(f"history {path}: {error}", wanted, "take the file away, or mend it") from None
    return Series(head["place"], tuple(sorted(entries, key=lambda entry: entry.started)), tuple(accepted))
