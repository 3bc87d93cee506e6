"""Reading a deviations file: TOML, one ``[[deviation]]`` table each. Strict: a mistake names its file and line."""

from __future__ import annotations

import datetime
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from surrogate_core.engine.deviations.model import Deviation, Pin, Range, any_matches, matches, split_id
from surrogate_core.engine.plan import PROFILES, START
from surrogate_core.errors import BadInput, near_misses
from surrogate_core.properties import PROPERTIES
from surrogate_core.spec.formats import FORMATS

__all__ = ["TODO", "read_deviations"]

TODO = "TODO"
"""How a reason begins that a person still has to write."""

ENTRY = (
    "implementation", "property", "reason", "dtype", "device", "parameters",
    "version", "severity", "link", "expires", "pin",
)  # fmt: skip
PIN = ("id", "given", "measured", "raised", "profile")
HEADER = re.compile(r"^[ \t]*\[\[[ \t]*deviation[ \t]*\]\]", re.MULTILINE)


@dataclass(frozen=True)
class _Reader:
    """One entry while it is read: its values, and where it stands."""

    file: str
    line: int
    lines: Sequence[str]
    """Of the entry, the first one its header."""

    def mistake(self, what: str, expected: str, next_step: str, key: str = "") -> BadInput:
        """What is wrong, at the line of ``key`` where that is found, else at the entry's first."""
        return BadInput(f"{self.file}:{self.line_of(key)}: {what}", expected, next_step)

    def line_of(self, key: str) -> int:
        for number, line in enumerate(self.lines):
            if key and re.match(rf"\s*(pin\.)?[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
                return self.line + number
        return self.line

    def text(self, values: Mapping[str, Any], key: str) -> str:
        value = values.get(key, "")
        if not isinstance(value, str) or (key in values and not value.strip()):
            raise self.mistake(f"{key} = {value!r}", "a string that is not empty", f"write it, or drop {key}", key)
        return value.strip()

    def several(self, values: Mapping[str, Any], key: str, known: Iterable[str] = ()) -> tuple[str, ...]:
        """A name or glob, or a list of them; each of which matches one of ``known`` where that is given."""
        given = values.get(key, "*")
        names = given if isinstance(given, list) else [given]
        if not names or not all(isinstance(name, str) and name for name in names):
            raise self.mistake(f"{key} = {given!r}", "a name or a glob, or a list of them", "write it in quotes", key)
        known = tuple(known)
        for name in names:
            if known and not any(matches(name, word) for word in known):
                raise self.mistake(
                    f"{key} {name!r} matches nothing", "a name or a glob that matches", near_misses(name, known), key
                )
        return tuple(names)


def read_deviations(path: str | os.PathLike[str], *, drafts: bool = False) -> tuple[Deviation, ...]:
    """The entries of a deviations file, in their order.

    Args:
        path: the file.
        drafts: whether entries are let pass that have no reason yet, for whom writes them.

    Raises:
        BadInput: no such file, no TOML, or an entry that cannot be used; the message names file and line.
    """
    file = os.fspath(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(f"deviations file {file}: {said}", "a file that can be read", "check the path") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        where = f"{file}:{at[1]}" if at else file
        raise BadInput(f"{where}: {error}", "TOML", "strings stand in quotes, each key once a table") from None
    for key in values:
        if key != "deviation":
            raise BadInput(
                f"{file}:{_line_of(text, key)}: {key!r}", "[[deviation]] tables", near_misses(key, ["deviation"])
            )
    tables = values.get("deviation", [])
    starts = _headers(text)
    if not isinstance(tables, list) or len(tables) != len(starts):
        raise BadInput(f"{file}: deviation = …", "each entry under its own [[deviation]] line", "write it like that")
    lines = text.splitlines()
    ends = [*starts[1:], len(lines) + 1][: len(starts)]
    return tuple(
        _entry(_Reader(file, start, lines[start - 1 : end - 1]), table, drafts)
        for table, start, end in zip(tables, starts, ends, strict=True)
    )


def _headers(text: str) -> list[int]:
    """The lines at which entries begin; not those within a string of several lines."""
    found = []
    for header in HEADER.finditer(text):
        before = text[: header.start()]
        if '"""' in before or "'''" in before:
            try:
                tomllib.loads(before)
            except tomllib.TOMLDecodeError:
                continue
        found.append(before.count("\n") + 1)
    return found


def _line_of(text: str, key: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(rf"\s*\[*\s*[\"']?{re.escape(key)}", line):
            return number
    return 1


def _entry(reader: _Reader, values: Mapping[str, Any], drafts: bool) -> Deviation:
    _known_keys(reader, values, ENTRY)
    for key in ("implementation", "property"):
        if key not in values:
            raise reader.mistake(f"an entry without {key}", f"{key} = a name or a glob", "say what it is about")
    pin = _pin(reader, values["pin"]) if "pin" in values else None
    found = Deviation(
        implementations=reader.several(values, "implementation"),
        properties=reader.several(values, "property", (*(p.id for p in PROPERTIES), START)),
        reason=_reason(reader, values, drafts),
        dtypes=reader.several(values, "dtype", FORMATS),
        devices=reader.several(values, "device"),
        parameters=_parameters(reader, values),
        versions=_versions(reader, values),
        severity=_severity(reader, values),
        link=_link(reader, values),
        expires=_date(reader, values),
        pin=pin,
        file=reader.file,
        line=reader.line,
    )
    if pin:
        _check_pin(reader, found, pin)
    return found


def _known_keys(reader: _Reader, values: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in values:
        if key not in known:
            raise reader.mistake(f"unknown key {key!r}", f"one of {', '.join(known)}", near_misses(key, known), key)


def _reason(reader: _Reader, values: Mapping[str, Any], drafts: bool) -> str:
    reason = values.get("reason", "")
    if drafts and isinstance(reason, str):
        return reason
    if "reason" not in values or (isinstance(reason, str) and not reason.strip()):
        raise reader.mistake("an entry without a reason", "reason = a sentence", "say why it departs", "reason")
    reason = reader.text(values, "reason")
    if reason.upper().startswith(TODO) or len(reason.split()) < 3:
        raise reader.mistake(
            f"reason = {reason!r}", "a sentence that says why the implementation departs", "write it", "reason"
        )
    return reason


def _parameters(reader: _Reader, values: Mapping[str, Any]) -> tuple[tuple[str, tuple[Range, ...]], ...]:
    given = values.get("parameters", {})
    if not isinstance(given, dict):
        raise reader.mistake(
            f"parameters = {given!r}", "a table", 'for example parameters = { alpha = ">= 2" }', "parameters"
        )
    return tuple((name, _ranges(reader, name, value)) for name, value in given.items())


def _ranges(reader: _Reader, name: str, value: Any) -> tuple[Range, ...]:
    try:
        return tuple(_range(item) for item in (value if isinstance(value, list) else [value]))
    except ValueError:
        raise reader.mistake(
            f"parameters: {name} = {value!r}",
            'a number, a comparison such as ">= 2, < 10", or a list of them',
            f"for example {name} = [0.5, 1]",
            "parameters",
        ) from None


def _range(value: Any) -> Range:
    if isinstance(value, str):
        return Range.of(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is no number")
    return Range(f"{value:g}", (("==", float(value)),))


def _versions(reader: _Reader, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    given = values.get("version", {})
    table = {"": given} if isinstance(given, str) else given
    if not isinstance(table, dict):
        raise reader.mistake(
            f"version = {given!r}", 'a specifier such as "<0.4"', 'or several: { jax = ">=0.10" }', "version"
        )
    for package, specifier in table.items():
        try:
            if not isinstance(specifier, str) or not specifier.strip():
                raise InvalidSpecifier(repr(specifier))
            SpecifierSet(specifier)
        except InvalidSpecifier:
            raise reader.mistake(
                f"version {specifier!r}{f' of {package}' if package else ''}",
                "a version specifier as pip has it",
                'for example "<0.4" or ">=0.3,<0.4"',
                "version",
            ) from None
    return tuple(table.items())


def _severity(reader: _Reader, values: Mapping[str, Any]) -> float | None:
    given = values.get("severity")
    if given is not None and (isinstance(given, bool) or not isinstance(given, (int, float)) or not given >= 0):
        raise reader.mistake(
            f"severity = {given!r}", "the largest error that it explains, as a share of the peak", "1e-6", "severity"
        )
    return None if given is None else float(given)


def _link(reader: _Reader, values: Mapping[str, Any]) -> str:
    link = reader.text(values, "link")
    if link and not re.match(r"https?://\S+$", link):
        raise reader.mistake(f"link = {link!r}", "an address that begins with https://", "write all of it", "link")
    return link


def _date(reader: _Reader, values: Mapping[str, Any]) -> datetime.date | None:
    given = values.get("expires")
    if given is not None and (isinstance(given, datetime.datetime) or not isinstance(given, datetime.date)):
        raise reader.mistake(f"expires = {given!r}", "a date", "without quotes: expires = 2027-06-30", "expires")
    return given


def _pin(reader: _Reader, values: Any) -> Pin:
    if not isinstance(values, dict):
        raise reader.mistake(f"pin = {values!r}", "a table [deviation.pin]", "see `deviations update`", "pin")
    _known_keys(reader, values, PIN)
    if "id" not in values:
        raise reader.mistake("a pin without id", "the id of a failing result", "see `deviations update`", "pin")
    pin = Pin(**{key: reader.text(values, key) for key in values})
    if pin.raised and (pin.given or pin.measured):
        raise reader.mistake(
            "a pin with both an answer and an exception", "given and measured, or raised", "drop one of them", "raised"
        )
    if pin.profile and pin.profile not in PROFILES:
        raise reader.mistake(
            f"profile {pin.profile!r}", f"one of {', '.join(PROFILES)}", near_misses(pin.profile, PROFILES), "profile"
        )
    return pin


def _check_pin(reader: _Reader, entry: Deviation, pin: Pin) -> None:
    parts = split_id(pin.id)
    if parts is None:
        raise reader.mistake(f"id {pin.id!r}", "implementation::property[case]", "copy it from a report", "id")
    implementation, property_id, case = parts
    ids = [*(p.id for p in PROPERTIES), START]
    if property_id not in ids:
        raise reader.mistake(f"id of the property {property_id!r}", "a property", near_misses(property_id, ids), "id")
    within: dict[str, Callable[[], bool]] = {
        "implementation": lambda: any_matches(entry.implementations, implementation),
        "property": lambda: any_matches(entry.properties, property_id),
        "dtype": lambda: any_matches(entry.dtypes, case.partition("-")[0]),
    }
    for key, holds in within.items():
        if not holds():
            raise reader.mistake(
                f"the pinned id {pin.id!r} is not within the entry's {key}", "a result of this entry", "correct one",
                "id",
            )  # fmt: skip
