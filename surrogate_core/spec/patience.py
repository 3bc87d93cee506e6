"""A limit of time for what sympy and mpmath do, which have none of their own."""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from collections.abc import Iterator

__all__ = ["OutOfPatience", "at_most"]

TICK = 0.25
"""Seconds between two looks at the clock."""


class OutOfPatience(BaseException):
    """Not an Exception, which sympy might take for its own."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Within it, :class:`OutOfPatience` is raised once the process has computed for so long.

    It is the process's own clock, so that a busy machine does not decide. What is stuck in one single call of C, such
    as a power of thousands of millions of digits, is interrupted when that call returns.
    """
    begun, mine = time.process_time(), threading.get_ident()
    turn, done = threading.Lock(), threading.Event()

    def watch() -> None:
        while not done.wait(TICK):
            if time.process_time() - begun > seconds:
                with turn:  # again and again: a patience within this one takes back what it finds
                    if not done.is_set():
                        _raise(mine, OutOfPatience)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with turn:
            done.set()
            _raise(mine, None)  # one that was sent and has not come yet
        watcher.join()


def _raise(thread: int, error: type[BaseException] | None) -> None:
    """Raise ``error`` in a thread, between two of its steps; ``None`` takes one back."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), error and ctypes.py_object(error))
