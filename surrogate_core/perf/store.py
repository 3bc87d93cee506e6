"""The results file of `bench`: JSON lines. A header, one line per process and benchmark as it happens, a footer.

It is of another kind than the results file of `check`: its header's ``kind`` is ``bench``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from surrogate_core.errors import BadInput
from surrogate_core.perf.decide import Rule
from surrogate_core.perf.job import Measured

__all__ = ["SCHEMA", "BenchRun", "Sample", "Writer", "is_bench", "read"]

SCHEMA = 2

WANTED: dict[str, type] = {
    "subjects": list,
    "benchmarks": list,
    "not_comparable": dict,
    "remarks": list,
    "same_versions": bool,
    "rule": dict,
    "machine": dict,
    "devices": dict,
    "started": str,
}
"""What every header has, and of which type."""


@dataclass(frozen=True)
class Sample:
    """What one process measured of one benchmark.

    Attributes:
        look: 1, or 2 where an alarm was measured again.
        process: its number within the look; two interpreters that alternate share one.
        benchmark: its name.
        arms: by name.
        errors: arms that could not be measured: the implementation's traceback, or what it does not offer.
        calls: in a go.
    """

    look: int
    process: int
    benchmark: str
    arms: Mapping[str, Measured]
    errors: Mapping[str, str]
    calls: int


@dataclass(frozen=True)
class BenchRun:
    """A run as it is stored.

    Attributes:
        header: what was asked, of whom, where.
        samples: in the order in which they happened.
        complete: whether the footer is there.
        seconds: that it took, by the clock on the wall; 0 where that is not known.
    """

    header: Mapping[str, Any]
    samples: tuple[Sample, ...]
    complete: bool
    seconds: float = 0.0

    @property
    def processes(self) -> int:
        """Fresh processes that measured something, those of a second look too."""
        return len({(s.look, s.process, *sorted(s.arms.keys() | s.errors.keys())) for s in self.samples})

    @property
    def rule(self) -> Rule:
        return Rule(**self.header["rule"])

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """The names of what was to be measured."""
        return tuple(str(b["id"]) for b in self.header["benchmarks"])

    def of(self, benchmark: str, look: int = 1) -> tuple[Sample, ...]:
        """The samples of one benchmark."""
        return tuple(s for s in self.samples if s.benchmark == benchmark and s.look == look)


class Writer:
    """Writes a results file line by line; every line is handed to the system at once.

    Raises:
        BadInput: the path cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], header: Mapping[str, Any]) -> None:
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = Path(path).open("w", encoding="utf-8")  # noqa: SIM115  (closed by close())
        except OSError as error:
            given = f"results file {path}: {error.strerror}"
            raise BadInput(given, "a path that can be written", "choose another") from None
        self._count = 0
        self._line(header)

    def _line(self, values: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(values, allow_nan=False) + "\n")
        self._file.flush()

    def add(self, sample: Sample) -> None:
        """Append one sample."""
        self._count += 1
        self._line({"kind": "sample", **asdict(sample)})

    def finish(self, seconds: float = 0.0) -> None:
        """Append the footer: the run is complete, and took so long."""
        self._line({"kind": "footer", "samples": self._count, "seconds": round(seconds, 3)})

    def close(self) -> None:
        """Close the file; without :meth:`finish` it stays marked incomplete."""
        self._file.close()


def is_bench(path: str | os.PathLike[str]) -> bool:
    """Whether the file's first line is the header of a results file of `bench`."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            head = json.loads(file.readline())
    except (OSError, ValueError):
        return False
    return isinstance(head, dict) and head.get("kind") == "bench"


def read(path: str | os.PathLike[str]) -> BenchRun:
    """The run stored at ``path``, as far as it goes.

    Raises:
        BadInput: no such file, or a line of it is not that of a results file of `bench`.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path, str(error)) from None
    lines = text.splitlines()
    if not text.endswith("\n"):
        lines = lines[:-1]  # interrupted while it was written: everything before it counts
    try:
        values = [json.loads(line) for line in lines]
        head, *rest = values
        if head.get("kind") != "bench" or head.get("schema") != SCHEMA:
            raise _refused(path, f"its first line is no header of schema {SCHEMA}")
        for name, kind in WANTED.items():
            if not isinstance(head.get(name), kind):
                raise _refused(path, f"a header without {name!r}, or with something else there")
        complete = bool(rest) and rest[-1].get("kind") == "footer"
        samples = tuple(_sample(line) for line in (rest[:-1] if complete else rest))
        if complete and rest[-1].get("samples") != len(samples):
            raise _refused(path, "the footer's count is not that of the samples")
        seconds = float(rest[-1].get("seconds", 0.0)) if complete else 0.0
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(path, f"{type(error).__name__}: {error}") from None
    return BenchRun(head, samples, complete, seconds)


def _sample(line: Mapping[str, Any]) -> Sample:
    values = {name: value for name, value in line.items() if name != "kind"}
    if line["kind"] != "sample":
        raise ValueError(f"a line of kind {line['kind']!r}")
    return Sample(**{**values, "arms": {name: Measured.from_json(arm) for name, arm in line["arms"].items()}})


def _refused(path: object, what: str) -> BadInput:
    wanted = "a file written by `surrogate-core bench --results`"
    return BadInput(f"results file {path}: {what}", wanted, "check the path")
