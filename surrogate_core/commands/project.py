"""A project's own settings: the table ``[tool.surrogate-core]`` of its pyproject.toml."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surrogate_core.errors import BadInput, near_misses

__all__ = ["Project", "project"]

FILE, TABLE = "pyproject.toml", "surrogate-core"


def _names(value: Any) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError("a string, or a list of strings")
    return names


def _word(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a string")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number from 0 on")
    return value


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("a number")
    return float(value)


def _numbers(value: Any) -> dict[str, list[float]]:
    if not isinstance(value, dict):
        raise ValueError("a table such as { alpha = [0.5, 1, 2] }")
    return {
        name: [_number(v) for v in (given if isinstance(given, list) else [given])] for name, given in value.items()
    }


KEYS: Mapping[str, Callable[[Any], Any]] = {
    "targets": _names,
    "spec": _word,
    "params": _numbers,
    "profile": _word,
    "properties": _names,
    "dtypes": _names,
    "framework": _word,
    "seed": _whole,
    "deviations": _word,
    "fail-on": _names,
    "max-failures": _whole,
    "results": _word,
    "html": _word,
    "junit": _word,
    "markdown": _word,
    "badge": _word,
    "durations": _whole,
    "jobs": _whole,
    "timeout": _number,
    "timeout-total": _number,
    "memory": _whole,
    "in-process": _yes_or_no,
    "executor": _word,
}
"""What each key of the table holds: the options of ``check`` but ``--resume``, those that take several as lists."""

PATHS = ("deviations", "results", "html", "junit", "markdown", "badge")


@dataclass(frozen=True)
class Project:
    """The settings that were found; ``file`` is empty where there are none."""

    file: str
    values: Mapping[str, Any]

    def get(self, key: str, given: Any, otherwise: Any = None) -> Any:
        """What the command line gave, or else the project's setting, or else a default."""
        return given if given not in (None, [], ()) else self.values.get(key, otherwise)


def project(folder: Path) -> Project:
    """The settings of the project that ``folder`` is in: of the nearest pyproject.toml that has the table.

    Raises:
        BadInput: a pyproject.toml on the way is no TOML, or its table has an unknown key or an unusable value.
    """
    for place in (folder, *folder.parents):
        file = place / FILE
        if not file.is_file():
            continue
        try:
            text = file.read_text(encoding="utf-8")
            table = tomllib.loads(text).get("tool", {}).get(TABLE)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadInput(f"{file}: {error}", "TOML", "correct it") from None
        if table is not None:
            return Project(os.path.relpath(file, folder), _read(file, text, table, folder))
    return Project("", {})


def _read(file: Path, text: str, table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{file}:{_line(text, key)}"
        if key not in KEYS:
            raise BadInput(
                f"{where}: unknown key {key!r} in [tool.{TABLE}]", f"one of {', '.join(KEYS)}", near_misses(key, KEYS)
            )
        try:
            found[key] = KEYS[key](value)
        except ValueError as error:
            raise BadInput(f"{where}: {key} = {value!r}", str(error), "see the README") from None
    # What stands in a file is meant from where the file is.
    near = Path(os.path.relpath(file.parent, folder))
    for key in PATHS:
        if key in found:
            found[key] = near / found[key]
    if "targets" in found and near != Path():
        found["targets"] = [str(near / t) if ".py:" in t and not Path(t).is_absolute() else t for t in found["targets"]]
    return found


def _line(text: str, key: str) -> int:
    start = text.find(f"[tool.{TABLE}")
    before = text[: max(start, 0)].count("\n")
    for number, line in enumerate(text[max(start, 0) :].splitlines(), start=before + 1):
        if re.match(rf"\s*(\[tool\.{TABLE}\.)?[\"']?{re.escape(key)}[\"']?\s*[=.\]]", line):
            return number
    return before + 1
