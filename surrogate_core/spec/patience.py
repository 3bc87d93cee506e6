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
    begun, caller = time.process_time(), threading.get_ident()
    turn, done = threading.Lock(), threading.Event()
    sent: list[bool] = []

    class Ours(OutOfPatience):
        """Of this limit alone: a limit around this one has its own."""

    def watch() -> None:
        while not done.wait(TICK):
            if time.process_time() - begun > seconds:
                with turn:  # again and again, as what runs may have taken it for its own
                    if not done.is_set():
                        sent.append(True)
                        _raise(caller, Ours)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with turn:
            done.set()
        watcher.join()
        if sent:
            with contextlib.suppress(Ours):  # one that has not come yet
                for _ in range(50):
                    time.sleep(0.001)


def _raise(thread: int, error: type[BaseException]) -> None:
    """Raise ``error`` in a thread, between two of its steps.

    It is never taken back: that would leave Python looking for it for ever.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
