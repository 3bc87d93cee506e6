"""SIGTERM ends a command as Ctrl-C does: what is finished is on disk, and the answer so far is shown."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["terminated_like_interrupted"]


@contextlib.contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Within it, SIGTERM raises KeyboardInterrupt. Only the main thread can have it so; elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
