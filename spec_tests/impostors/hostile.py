"""Surrogates that are right, and do something to the process that calls them when the input is a scalar.

Only forward.shape asks for a scalar: whatever happens then must cost that one property.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from surrogate_core.slayer import SlayerGrad

Factory = Callable[[float], Callable[[Any], Any]]


def _with(act: Callable[[], object]) -> Factory:
    def make(alpha: float) -> Callable[[Any], Any]:
        right = SlayerGrad(alpha)

        def spike(x: Any) -> Any:
            if x.shape == ():
                act()
            return right(x)

        return spike

    return make


def _sleep_for_ever() -> None:
    print("going to sleep", flush=True)
    time.sleep(1e6)


def _recurse() -> None:
    _recurse()


def _overflow_the_stack() -> None:
    sys.setrecursionlimit(1 << 30)

    # Through C, whose frames Python does not count: the stack itself overflows.
    class Deep:
        def __repr__(self) -> str:
            return repr([self])

    repr(Deep())


def _leave() -> None:
    raise SystemExit(0)


def _interrupt() -> None:
    raise KeyboardInterrupt


def _start_children() -> None:
    for _ in range(8):
        if not os.fork():
            os.setsid()  # out of the group and the session
            if not os.fork():  # and out of the family
                os.execvp("sleep", ["sleep", MARK])
            os._exit(0)
    os._exit(3)


def _flood() -> None:
    for stream in (1, 2):
        for _ in range(256):
            os.write(stream, b"\x1b[2J all work and no play \n" * 4_000)
    os.write(2, b"that was all\n")
    os.abort()


def _close_everything() -> None:
    os.closerange(0, 256)


def _kill_the_keeper() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1e6)


def _eat_memory() -> None:
    eaten = []
    while True:
        eaten.append(b"x" * (64 << 20))


def _ignore_every_signal() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(1e6)


MARK = "31415926"
"""How long the children sleep: by it they are found."""

hangs = _with(_sleep_for_ever)
loops_in_c = _with(lambda: sum(itertools.repeat(0)))
hangs_and_ignores_signals = _with(_ignore_every_signal)
segfaults = _with(lambda: ctypes.string_at(0))
exits = _with(lambda: os._exit(0))
leaves = _with(_leave)
interrupts = _with(_interrupt)
recurses = _with(_recurse)
overflows_the_stack = _with(_overflow_the_stack)
starts_children = _with(_start_children)
floods = _with(_flood)
closes_everything = _with(_close_everything)
kills_the_keeper = _with(_kill_the_keeper)
eats_memory = _with(_eat_memory)
