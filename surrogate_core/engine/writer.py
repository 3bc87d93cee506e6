"""Writing a results file: one line at a time, each whole or not at all, by one run at a time."""

from __future__ import annotations

import contextlib
import json
import os
import stat
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
    A pipe, or a device, is written from where it stands.

    Args:
        path: the file.
        head: its header.
        done: results that the file holds already, which is then continued after the last of them.
        anew: whether these are told otherwise than the file has them: then it is replaced by one that has them so.

    Raises:
        BadInput: the path cannot be written, another run is writing it, or what is told to people goes there.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        head: Mapping[str, Any],
        done: Sequence[Result] | None = None,
        *,
        anew: bool = False,
    ) -> None:
        self._path, self._results, self._planned, self._end = path, list(done or ()), int(head["planned"]), 0
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._file, self._plain = _opened(path)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            self._lock(self._file)
            if self._plain:
                self._end = 0 if done is None else self._whole_lines()
                os.ftruncate(self._file, self._end)
            if done is None:
                self._line(head)
            elif anew:
                self._replace(head)
        except OSError as error:
            os.close(self._file)
            raise self._unwritable(error) from None
        except BadInput:
            os.close(self._file)
            raise

    def add(self, result: Result) -> None:
        """Append one result; raises :class:`BadInput` where there is no room for it."""
        self._results.append(result)
        self._line(_told(result))

    def finish(self, troubles: Sequence[str] = (), complaints: Sequence[str] = ()) -> None:
        """Append the footer: the run is complete."""
        ledger = account(self._planned, self._results)
        told = {name: list(said) for name, said in (("troubles", troubles), ("complaints", complaints)) if said}
        self._line({"kind": "footer", "planned": ledger.planned, "counts": dict(ledger.counts), **told})

    def close(self) -> None:
        """Close the file; without :meth:`finish` it stays marked incomplete."""
        os.close(self._file)

    def _lock(self, file: int) -> None:
        if fcntl is None or not self._plain:
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                f"results file {self._path}, which another run is writing", "a file of its own for each run", "choose"
                " another, or wait until that run has ended",
            ) from None  # fmt: skip

    def _whole_lines(self) -> int:
        """The length of the file without what was being written when the run was interrupted."""
        return Path(self._path).read_bytes().rfind(b"\n") + 1

    def _replace(self, head: Mapping[str, Any]) -> None:
        """Put a file in place of this one that holds the results as they are told now; whole, or not at all."""
        path = os.path.realpath(self._path)
        draft = f"{path}.draft"
        file, before = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666), self._file
        try:
            self._lock(file)  # before it has the name by which another run would find it
            self._file, self._end = file, 0
            self._line(head)
            for result in self._results:
                self._line(_told(result))
            os.replace(draft, path)
        except (OSError, BadInput):
            self._file = before
            os.close(file)
            os.unlink(draft)
            raise
        os.close(before)

    def _line(self, values: Mapping[str, Any]) -> None:
        # ASCII alone: a message may hold line separators, or lone surrogates that UTF-8 cannot encode.
        content = json.dumps(values, allow_nan=False).encode("ascii") + b"\n"
        written = 0
        try:
            while written < len(content):
                rest = content[written:]
                written += (
                    os.pwrite(self._file, rest, self._end + written) if self._plain else os.write(self._file, rest)
                )
        except OSError as error:
            # Half a line is of no use, and would be taken for an interruption.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise BadInput(
                f"results file {self._path}: {error.strerror}, after {self._end:,} bytes",
                "room for the next line" if self._plain else "somebody who reads to the end",
                "what was written before stays, and can be finished with --resume" if self._plain else "give a file",
            ) from None
        self._end += written

    def _unwritable(self, error: OSError) -> BadInput:
        return BadInput(f"results file {self._path}: {error.strerror}", "a path that can be written", "choose another")


def _told(result: Result) -> dict[str, Any]:
    return {"kind": "result", **to_json(result)}


def _opened(path: str | os.PathLike[str]) -> tuple[int, bool]:
    """A descriptor of the file, and whether it is one; not emptied, as it may be another run's.

    Raises:
        BadInput: it is where this process tells people what it does.
        OSError: it cannot be opened.
    """
    there = os.stat(path) if os.path.exists(path) else None
    if os.fspath(path) == "-" or (there is not None and any(_is(there, stream) for stream in (1, 2))):
        raise BadInput(
            f"results file {path}, where the report for people goes",
            "a file, or a pipe of its own",
            "for example --results results.jsonl, or in bash --results >(jq .)",
        )
    plain = there is None or stat.S_ISREG(there.st_mode) or stat.S_ISDIR(there.st_mode)
    # A pipe that is opened for reading, too, never finds out that nobody else reads it.
    return os.open(path, os.O_RDWR | os.O_CREAT if plain else os.O_WRONLY, 0o666), plain


def _is(there: os.stat_result, stream: int) -> bool:
    """Whether a file is that stream; /dev/null may be many, and harms none."""
    try:
        return os.path.samestat(there, os.fstat(stream)) and (not stat.S_ISCHR(there.st_mode) or os.isatty(stream))
    except OSError:  # closed
        return False
