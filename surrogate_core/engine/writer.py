"""Writing a results file: one line at a time, each whole or not at all, by one run at a time."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from surrogate_core.engine.ledger import account
from surrogate_core.engine.result import Result, to_json
from surrogate_core.errors import BadInput

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None

__all__ = ["Writer"]


class Writer:
    """Writes a results file line by line; every line is handed to the system before the next unit starts.

    The file is locked while it is written. The lock is the system's and goes with the process: none is left behind.

    Args:
        path: the file.
        head: its header.
        done: results that the file holds already, which is then continued after the last of them.

    Raises:
        BadInput: the path cannot be written, or another run is writing it.
    """

    def __init__(
        self, path: str | os.PathLike[str], head: Mapping[str, Any], done: Sequence[Result] | None = None
    ) -> None:
        self._path, self._results, self._planned = path, list(done or ()), int(head["planned"])
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            # Opened without being emptied: it may be another run's.
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            self._lock()
            self._end = 0 if done is None else self._whole_lines()
            os.ftruncate(self._file, self._end)
            if done is None:
                self._line(head)
        except OSError as error:
            os.close(self._file)
            raise self._unwritable(error) from None
        except BadInput:
            os.close(self._file)
            raise

    def add(self, result: Result) -> None:
        """Append one result; raises :class:`BadInput` where there is no room for it."""
        self._results.append(result)
        self._line({"kind": "result", **to_json(result)})

    def finish(self, troubles: Sequence[str] = (), complaints: Sequence[str] = ()) -> None:
        """Append the footer: the run is complete."""
        ledger = account(self._planned, self._results)
        told = {name: list(said) for name, said in (("troubles", troubles), ("complaints", complaints)) if said}
        self._line({"kind": "footer", "planned": ledger.planned, "counts": dict(ledger.counts), **told})

    def close(self) -> None:
        """Close the file; without :meth:`finish` it stays marked incomplete."""
        os.close(self._file)

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                f"results file {self._path}, which another run is writing", "a file of its own for each run", "choose"
                " another, or wait until that run has ended",
            ) from None  # fmt: skip

    def _whole_lines(self) -> int:
        """The length of the file without what was being written when the run was interrupted."""
        return Path(self._path).read_bytes().rfind(b"\n") + 1

    def _line(self, values: Mapping[str, Any]) -> None:
        # ASCII alone: a message may hold line separators, or lone surrogates that UTF-8 cannot encode.
        content = json.dumps(values, allow_nan=False).encode("ascii") + b"\n"
        written = 0
        try:
            while written < len(content):
                written += os.pwrite(self._file, content[written:], self._end + written)
        except OSError as error:
            # Half a line is of no use, and would be taken for an interruption.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise BadInput(
                f"results file {self._path}: {error.strerror}, after {self._end:,} bytes",
                "room for the next line",
                "what was written before stays, and can be finished with --resume",
            ) from None
        self._end += written

    def _unwritable(self, error: OSError) -> BadInput:
        return BadInput(f"results file {self._path}: {error.strerror}", "a path that can be written", "choose another")
