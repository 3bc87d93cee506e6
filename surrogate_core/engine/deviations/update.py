"""Writing entries for failures that a deviations file does not explain yet. Reasons are for a person to write."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT

from surrogate_core.engine.deviations.known import Known
from surrogate_core.engine.deviations.model import Deviation, Pin
from surrogate_core.engine.deviations.read import TODO, read_deviations
from surrogate_core.engine.deviations.same import difference, failing, pinned
from surrogate_core.engine.result import Result
from surrogate_core.engine.store import Run
from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import Errored
from surrogate_core.spec.formats import FORMATS

__all__ = ["Update", "update"]


@dataclass(frozen=True)
class Update:
    """What became of a deviations file.

    Attributes:
        added: entries that were written.
        repinned: entries that fail differently than pinned, and were pinned anew.
        todo: lines of reasons that a person has to write.
        complaints: entries that the results contradict, which are left alone.
    """

    added: int
    repinned: int
    todo: tuple[int, ...]
    complaints: tuple[str, ...]


def update(run: Run, path: str | os.PathLike[str], *, by_property: bool = False) -> Update:
    """Write an entry for everything in ``run`` that fails and is not explained; comments and order stay.

    One implementation's failures of one kind share an entry, since they mostly have one cause.

    Args:
        run: the results.
        path: the file; made where it is not there.
        by_property: whether each property gets an entry of its own.

    Raises:
        BadInput: the file cannot be read or written, or has a mistake other than a missing reason.
    """
    there = Path(path).exists()
    entries = list(read_deviations(path, drafts=True)) if there else []
    document = tomlkit.parse(Path(path).read_text(encoding="utf-8")) if there else tomlkit.document()
    if "deviation" not in document:
        document.append("deviation", tomlkit.aot())
    tables = document["deviation"]
    assert isinstance(tables, AoT)
    repinned = _repin(run, entries, tables)
    groups = _grouped(run, _unexplained(run, entries), by_property)
    for group in groups:
        tables.append(_table(run, group))
    if groups or repinned:
        _write(path, tomlkit.dumps(document))
    if not groups and not entries:
        return Update(0, 0, (), ())
    entries = read_deviations(path, drafts=True)
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    todo = tuple(n for n, line in enumerate(lines, start=1) if line.replace(" ", "").startswith(f'reason="{TODO}'))
    known = Known(entries, run.header)
    complaints = known.complaints([known.settle(r) for r in run.results])
    return Update(len(groups), repinned, todo, tuple(map(str, complaints)))


def _unexplained(run: Run, entries: Sequence[Deviation]) -> list[Result]:
    known = Known(entries, run.header)
    return [r for r in map(known.settle, run.results) if r.outcome.state in ("failed", "errored")]


def _repin(run: Run, entries: list[Deviation], tables: AoT) -> int:
    """Pin entries anew whose pinned result fails in another way; how many there are."""
    profile, amount = str(run.header["profile"]), 0
    open_ = {r.id: r for r in _unexplained(run, entries)}
    for number, entry in enumerate(entries):
        found = open_.get(entry.pin.id) if entry.pin else None
        if entry.pin and found and difference(entry.pin, found, profile):
            pin = pinned(found, profile)
            entries[number] = replace(entry, pin=pin)
            tables[number]["pin"] = _pin(pin)
            if not entry.reason.upper().startswith(TODO):
                tables[number]["reason"] = f"{TODO}: it fails differently now. Is it still so? {entry.reason}"
            amount += 1
    return amount


def _grouped(run: Run, results: Iterable[Result], by_property: bool) -> list[list[Result]]:
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        outcome = failing(result.outcome)
        kind = outcome.message.partition(":")[0] if isinstance(outcome, Errored) else getattr(outcome, "kind", "")
        key = (result.implementation, result.outcome.state, kind, result.property_id if by_property else "")
        groups.setdefault(key, []).append(result)
    return list(groups.values())


def _table(run: Run, group: Sequence[Result]) -> Any:
    first = min(group, key=lambda r: r.dtype != "float32")
    judged = [r for r in run.of(first.implementation) if r.property_id in {r.property_id for r in group}]
    dtypes = [name for name in FORMATS if name in {r.dtype for r in group}]
    table = tomlkit.table()
    table["implementation"] = first.implementation
    table["property"] = _one_or_several([r.property_id for r in group])
    if 0 < len(dtypes) < len(FORMATS):
        table["dtype"] = _one_or_several(dtypes)
    values = tomlkit.inline_table()
    for name, _ in first.parameters:
        failed = {dict(r.parameters)[name] for r in group}
        if failed < {dict(r.parameters)[name] for r in judged}:
            values[name] = _one_or_several(sorted(failed))
    if values:
        table["parameters"] = values
    table["reason"] = TODO
    table["pin"] = _pin(pinned(first, str(run.header["profile"])))
    table.add(tomlkit.nl())
    return table


def _pin(pin: Pin) -> Any:
    table = tomlkit.table()
    for field, value in zip(fields(pin), astuple(pin), strict=True):
        if value:
            table[field.name] = value
    return table


def _one_or_several(values: Sequence[Any]) -> Any:
    distinct = list(dict.fromkeys(values))
    if len(distinct) == 1:
        return distinct[0]
    found = tomlkit.array()
    found.extend(distinct)
    return found.multiline(len(str(distinct)) > 90)


def _write(path: str | os.PathLike[str], text: str) -> None:
    """Whole or not at all."""
    draft = Path(f"{os.fspath(path)}.draft")
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise BadInput(
            f"deviations file {path}: {error.strerror}", "a path that can be written", "choose another"
        ) from None
