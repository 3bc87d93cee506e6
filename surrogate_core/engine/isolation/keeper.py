"""The keeper: a small process that starts one worker, and ends it with every process that came of it.

It never runs the code under test. It adopts what a worker leaves behind, so that a process that left its group and
its session is found all the same; and it dies with the nursery, as the worker does with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "BROKEN",
    "CUT",
    "DUMP",
    "FDS",
    "KILL",
    "adopt_orphans",
    "children",
    "die_with_parent",
    "ended",
    "keep",
    "send",
    "woken_by_children",
]

FDS = 4
"""Descriptors that come with an order: the worker's channel, where it writes, where its stack is dumped, the leash."""

BROKEN, CUT = 70, 71
"""Exit status of a worker whose own program failed (EX_SOFTWARE), and of one that cannot reach the parent any more."""

DUMP, KILL = b"d", b"k"
"""What the parent asks for on the leash. Its end being closed means KILL."""

TICK = 0.05
"""Seconds between two looks at the memory. Pages come in at 1 to 2 GiB/s: what is over by then is 100 MiB."""

HEADROOM = 2 << 30
"""Bytes of data that a worker may reserve beyond its limit of memory: allocators and the stacks of XLA's threads
reserve what they never use. One allocation beyond it is refused where it is asked for."""

ENDLESS = 1 << 62
"""Bytes that no machine has, and that the system's own numbers still hold."""

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
"""Bytes of a page of memory."""

GARBAGE = 50_000
"""Objects that come before the collector looks at them: tracing makes them by the thousand, and few are garbage that
only it finds."""

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def keep(order: Mapping[str, Any], fds: list[int]) -> None:
    """Start a worker, watch its memory, and end it when the parent says so or is gone; does not return.

    On the leash it writes JSON lines: ``{"pid": ...}`` once, and at the end ``{"status": ..., "over": ...,
    "left": ...}``, the wait status, the bytes that were too many (0 where they were not), and how many processes
    the worker left behind.
    """
    _forget_the_nursery(fds)
    die_with_parent()
    adopt_orphans()
    channel, output, dump, leash = fds
    worker = os.fork()
    if not worker:
        os.close(leash)
        _become_worker(channel, output, dump, order.get("memory"))
    for fd in (channel, output, dump):
        os.close(fd)
    with socket.socket(fileno=leash) as parent, woken_by_children() as alarm:
        parent.sendall(json.dumps({"pid": worker}).encode() + b"\n")
        status, over = _watch(worker, parent, alarm, order.get("memory"))
        left = _sweep(worker)
        with contextlib.suppress(OSError):
            parent.sendall(json.dumps({"status": status, "over": over, "left": left}).encode() + b"\n")
    os._exit(0)


def _forget_the_nursery(kept: list[int]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for name in os.listdir("/dev/fd"):
        if int(name) > 2 and int(name) not in kept:
            with contextlib.suppress(OSError):  # the one that listed them
                os.close(int(name))


def _become_worker(channel: int, output: int, dump: int, memory: int | None) -> None:
    try:
        import resource  # which Windows lacks, where this module is imported, too

        gc.enable()
        gc.set_threshold(GARBAGE)
        os.setsid()
        die_with_parent()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory is not None and sys.platform == "linux":
            room = min(_data() + (memory << 20) + HEADROOM, ENDLESS)
            resource.setrlimit(resource.RLIMIT_DATA, (room, room))
        nothing = os.open(os.devnull, os.O_RDONLY)
        for mine, number in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(mine, number)
        for fd in (nothing, output):
            os.close(fd)
        # Imported before the fork, by the nursery.
        from surrogate_core.engine.frames import in_one_piece
        from surrogate_core.engine.isolation.channel import CutOff
        from surrogate_core.engine.isolation.worker import serve

        in_one_piece(lambda: serve(channel, dump))
    except CutOff:  # pyright: ignore[reportPossiblyUnboundVariable]
        os._exit(CUT)
    except Exception:
        # The harness's own: what the code under test raises is an outcome.
        _tell()
        os._exit(BROKEN)
    finally:
        # KeyboardInterrupt and its like, which nobody but the code under test has raised here.
        _tell()
        os._exit(1)


def _tell() -> None:
    with contextlib.suppress(Exception):  # there may be nothing left to write on
        traceback.print_exc()


def _watch(worker: int, parent: socket.socket, alarm: int, memory: int | None) -> tuple[int, int]:
    """(wait status, bytes over the limit) of the worker, once it is gone."""
    over = 0
    while True:
        ready, _, _ = select.select([parent, alarm], [], [], None if memory is None or over else TICK)
        if alarm in ready:
            os.read(alarm, 4096)
        if (status := _status(worker)) is not None:
            return status, over
        if parent in ready:
            order = parent.recv(1)
            os.kill(worker, signal.SIGUSR1 if order == DUMP else signal.SIGKILL)
        elif memory is not None and not over and (held := _resident(worker)) > memory << 20:
            over = held
            os.kill(worker, signal.SIGUSR1)
            time.sleep(TICK)  # while it writes its stack down
            os.kill(worker, signal.SIGKILL)


def _status(worker: int) -> int | None:
    for pid, status in ended():
        if pid == worker:
            return status
    return None


def _sweep(worker: int) -> int:
    """End whatever is left of a worker that is gone; how many processes that were."""
    left: set[int] = set()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(worker, signal.SIGKILL)
    for _ in ended():
        pass
    patience = time.monotonic() + 5  # what the system itself cannot end is left to it
    while (found := children(os.getpid())) and time.monotonic() < patience:
        left |= set(found)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for _ in ended():
            pass
        time.sleep(0.001)
    return len(left)


def send(channel: socket.socket, order: Mapping[str, Any], fds: Sequence[int]) -> None:
    """Hand an order and its descriptors to a process that starts keepers; raises :class:`OSError`."""
    socket.send_fds(channel, [json.dumps(order).encode()], fds)


# ---- processes -----------------------------------------------------------------------------------


def adopt_orphans() -> None:
    """From now on, what a descendant leaves behind is this process's child (on Linux)."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """From now on, this process is killed when the one that forked it ends (on Linux)."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


@contextlib.contextmanager
def woken_by_children() -> Iterator[int]:
    """A descriptor that can be read once a child has ended."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    os.set_blocking(reader, False)
    before = signal.signal(signal.SIGCHLD, lambda number, frame: None), signal.set_wakeup_fd(writer)
    os.write(writer, b"\0")  # one may have ended before
    try:
        yield reader
    finally:
        signal.signal(signal.SIGCHLD, before[0])
        signal.set_wakeup_fd(before[1])
        os.close(reader)
        os.close(writer)


def ended() -> Iterator[tuple[int, int]]:
    """(process, wait status) of every child that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status


def children(pid: int) -> list[int]:
    """The child processes of a process, also those of its threads; none where there is no ``/proc``."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, thread.read_text().split())
    return found


def _resident(pid: int) -> int:
    """Bytes in memory of a process and its descendants."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        with contextlib.suppress(OSError, ValueError, IndexError):
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE
        waiting += children(one)
    return total


def _data() -> int:
    """Bytes of data that this process has reserved."""
    return int(Path("/proc/self/statm").read_text().split()[5]) * PAGE
