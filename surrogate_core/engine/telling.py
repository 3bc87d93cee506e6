"""What an implementation raised, told so that it can be shown anywhere: clipped, printable, from its first frame on."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType

from surrogate_core.safe_text import clipped
from surrogate_core.safe_text import printable as printable

__all__ = ["printable", "sentence", "shown", "whole_traceback"]

LONGEST_MESSAGE, LONGEST_TRACEBACK = 2_000, 20_000
"""Characters kept: an implementation may put a whole array into its exception."""

HARNESS = tuple(
    str(Path(__file__).parent.parent / room) for room in ("engine", "drivers", "perf", "libraries/target.py")
)


def shown(text: str) -> str:
    """``text`` so that it can be shown anywhere: printable, and clipped."""
    return clipped(printable(text), LONGEST_MESSAGE)


def sentence(error: BaseException) -> str:
    """Type and first line of an exception; of one whose own message raises, the type alone."""
    lines = _message(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


def whole_traceback(error: BaseException) -> str:
    """The traceback from the implementation's first frame on, with its causes."""
    try:
        lines = traceback.format_exception(type(error), error, _own_frames(error.__traceback__))
    except Exception:
        # Formatting asks the exception for its message, which may itself raise.
        lines = ["Traceback (most recent call last):\n", *traceback.format_tb(_own_frames(error.__traceback__))]
        lines.append(f"{type(error).__name__}: its message could not be had\n")
    return clipped(printable("".join(lines)), LONGEST_TRACEBACK)


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    inner = trace
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(HARNESS):
        inner = inner.tb_next
    return inner or trace


def _message(error: BaseException) -> str:
    try:
        return clipped(printable(str(error)), LONGEST_MESSAGE)
    except Exception:
        return "its message could not be had"
