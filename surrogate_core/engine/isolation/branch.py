"""A branch of the nursery: forked from it, it has imported a library, and forks the workers that need that.

A library of many surrogates is imported once, and not by every worker that judges some of them. Other libraries'
workers see nothing of it: what importing it does to a process is done to its own branch alone.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from surrogate_core.engine.isolation import keeper
from surrogate_core.engine.surroundings import EVERYONE, kept

__all__ = ["Branch", "grown"]

READY = b"ready"


class Branch:
    """The process, seen from the parent.

    Args:
        order: hands an order and its descriptors to the nursery; raises :class:`OSError` where that is gone.
        modules: what to import.
        blocked: modules that are made impossible to import beforehand.
        seconds: that this may take.
    """

    def __init__(self, order: Any, modules: Sequence[str], blocked: Sequence[str], seconds: float) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._turn, self._until = threading.Lock(), time.monotonic() + seconds
        self._ready: bool | None = None
        with theirs, contextlib.suppress(OSError):  # found out by ready()
            order({"modules": list(modules), "blocked": list(blocked), "seconds": seconds}, [theirs.fileno()])

    def ready(self) -> bool:
        """Whether it has imported everything, and may be forked: waits until that is known."""
        with self._turn:
            if self._ready is None:
                self._socket.settimeout(max(0.1, self._until - time.monotonic()))
                try:
                    self._ready = self._socket.recv(len(READY)) == READY
                except OSError:
                    self._ready = False
                self._socket.settimeout(None)
            return self._ready

    def send(self, order: Mapping[str, Any], fds: Sequence[int]) -> None:
        """Have a worker started; raises :class:`OSError` where the branch is gone."""
        with self._turn:
            keeper.send(self._socket, order, fds)

    def close(self) -> None:
        """End it, and with it every worker that it has forked."""
        self._socket.close()


def grown(parent: socket.socket, order: Mapping[str, Any]) -> bool:
    """Import in this process, which was forked for it, what the order names; whether it may be forked in turn.

    It may where nothing was started that a fork would lose: no thread, no process, no framework's backend.
    """
    keeper.die_with_parent()
    # What does not come back from its import is ended; the workers then import it themselves, and tell.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, float(order["seconds"]))
    threads = _threads()
    for module in order["blocked"]:
        sys.modules.setdefault(module, None)  # pyright: ignore[reportArgumentType]  (None makes an import fail)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with kept(EVERYONE, "importing it", importing=True):
                for module in order["modules"]:
                    importlib.import_module(module)
    except (Exception, SystemExit):
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if _threads() > threads or keeper.children(os.getpid()) or _backends():
        return False
    parent.send(READY)
    return True


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _backends() -> bool:
    """Whether a framework has started what cannot be forked."""
    bridge, cuda = sys.modules.get("jax._src.xla_bridge"), sys.modules.get("torch.cuda")
    return bool(bridge and bridge.backends_are_initialized()) or bool(cuda and cuda.is_initialized())
