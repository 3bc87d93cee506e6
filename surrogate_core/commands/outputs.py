"""The files that a command is to write, looked at before it judges: what takes minutes is not to end with a mistake."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from surrogate_core.errors import BadInput

__all__ = ["expect_writable"]


def expect_writable(paths: Mapping[str, Path | None]) -> None:
    """Nothing happens where each file can be made or replaced, as far as can be seen without doing so.

    Args:
        paths: by the option that names it; ``None`` is not asked for.

    Raises:
        BadInput: a path that is a folder, or lies where no file can be.
    """
    for option, path in paths.items():
        if path and (reason := _hindrance(path)):
            raise BadInput(
                f"{option} {path}: {os.strerror(reason)}",
                "a path that can be written",
                "choose another; nothing has been judged yet",
            )


def _hindrance(path: Path) -> int | None:
    """The number of the system's error, if any, that writing would end in."""
    if path.is_dir():
        return errno.EISDIR
    if path.exists():
        return None if os.access(path, os.W_OK) else errno.EACCES
    # Folders that are missing are made.
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if not nearest.is_dir():
        return errno.ENOTDIR
    return None if os.access(nearest, os.W_OK | os.X_OK) else errno.EACCES
