"""A limit of time for what sympy and mpmath do, which have none of their own.

A timer of the process's computing interrupts the main thread as Ctrl-C does, and as with Ctrl-C nobody knows between
which two steps. So what is limited is a function that is called here: that it has been left is known before anything
else can happen, and after that nothing is raised any more.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["OutOfPatience", "at_most"]

T = TypeVar("T")

TICK = 0.25
"""Seconds of computing between two looks at the clock."""


class OutOfPatience(BaseException):
    """Not an Exception, which sympy might take for its own."""


@dataclass(eq=False)
class _Limit:
    until: float
    error: type[OutOfPatience]
    left: bool = False


_limits: list[_Limit] = []
"""Those that hold, the outermost first."""


def at_most(seconds: float, work: Callable[[], T]) -> T:
    """What ``work`` returns; :class:`OutOfPatience` is raised within it once the process has computed for so long.

    It is the process's own clock, so that a busy machine does not decide. What is stuck in one single call of C, such
    as a power of thousands of millions of digits, is interrupted when that call returns. There is no limit outside the
    main thread, nor where the system has no such timer (Windows) or somebody else uses it.
    """
    if not _may_be_timed():
        return work()

    class Ours(OutOfPatience):
        """Of this limit alone: a limit around this one has its own."""

    limit = _Limit(time.process_time() + seconds, Ours)
    try:
        _limits.append(limit)
        if len(_limits) == 1:
            # The handler stays: by default the signal ends a process, and one may still be on its way.
            signal.signal(signal.SIGVTALRM, _look)
            signal.siginterrupt(signal.SIGVTALRM, False)
            signal.setitimer(signal.ITIMER_VIRTUAL, TICK, TICK)
        return work()
    finally:
        limit.left = True  # first of all, and in one step
        _limits[:] = [one for one in _limits if not one.left]
        if not _limits:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _may_be_timed() -> bool:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    known = signal.getsignal(signal.SIGVTALRM)
    return known in (_look, signal.SIG_DFL) and (bool(_limits) or not any(signal.getitimer(signal.ITIMER_VIRTUAL)))


def _look(*_: Any) -> None:
    """Raise where time is up: again at every tick, as what runs may have taken it for its own."""
    now = time.process_time()
    for limit in _limits:
        if not limit.left and now > limit.until:
            raise limit.error
