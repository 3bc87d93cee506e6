"""One worker, seen from the parent: it is started, listened to, and ended when it goes beyond its limits."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import surrogate_core
from surrogate_core.engine.isolation.channel import Damaged, Lines, request
from surrogate_core.engine.isolation.keeper import BROKEN, CUT, DUMP, KILL
from surrogate_core.engine.isolation.limits import Limits
from surrogate_core.engine.telling import printable

__all__ = ["Ended", "Worker"]

TICK = 0.1
"""Seconds between two looks at the clock."""

BIRTH = 120.0
"""Seconds that a worker has to be born; the first waits until the nursery has imported everything."""

PATIENCE = 10.0
"""Seconds that a keeper gets to say that its worker is gone; it does so at once."""

Send = Callable[[Mapping[str, Any], Sequence[int]], None]
"""Hands an order and its descriptors to the nursery; raises :class:`OSError` where that is gone."""

PIECES = 1_024
"""Reads of what a worker that is gone had written; a pipe holds less."""

TAIL, STACK = 8_000, 32_000
"""Bytes kept of what a worker writes, of the end; of its stack, of the beginning."""

HARNESS = (
    f'"{Path(surrogate_core.__file__).parent}{os.sep}engine{os.sep}',
    f"{os.sep}hypothesis{os.sep}",
    '"<string>"',
)
"""Where frames are not the implementation's."""


class Ended(Exception):
    """A worker is gone before it had answered.

    Args:
        what: what happened, in a few words.
        details: where it was, and what it had written last; empty where nothing is known.
        lost: whether the harness lost it, rather than that the code under test brought it down.
    """

    def __init__(self, what: str, details: str = "", lost: bool = False) -> None:
        super().__init__(what)
        self.what, self.details, self.lost = what, details, lost


class Worker:
    """A worker process. Use it in one thread.

    Args:
        send: hands an order and its descriptors to the nursery.
        limits: what the worker may take.

    Attributes:
        children: how many processes it had when it had last answered a request.

    Raises:
        Ended: it could not be started.
    """

    children = 0

    def __init__(self, send: Send, limits: Limits) -> None:
        self._limits, self._lines, self._tail, self._said = limits, Lines(), b"", b""
        self._channel, channel = socket.socketpair()
        self._leash, leash = socket.socketpair()
        self._output, output = os.pipe()
        os.set_blocking(self._output, False)
        self._dump = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close())
        self._selector = selectors.DefaultSelector()
        for end in (self._channel, self._leash, self._output):
            self._selector.register(end, selectors.EVENT_READ)
        fds = [channel.detach(), output, self._dump.fileno(), leash.detach()]
        try:
            send({"memory": limits.memory}, fds)
        except OSError as error:
            self.close()
            raise Ended(f"no worker could be started: {error}", lost=True) from None
        finally:
            for fd in (fds[0], fds[1], fds[3]):
                os.close(fd)
        # Until it runs, its time is not the implementation's.
        if "pid" not in self._await("pid", BIRTH):
            self.close()
            raise Ended(f"no worker was started within {BIRTH:g} s", lost=True)

    def ask(self, message: object, total: float) -> Iterator[dict[str, Any]]:
        """Send a request; the answers, as they come, until the worker says that these are all.

        ``total`` is how many seconds are left for all of it; the first answer, which comes after the import, may
        take longer than a property.

        Raises:
            Ended: the worker is gone, or went beyond a limit and was ended.
        """
        begun = time.monotonic()
        # What it wrote before belongs to what was asked before.
        self._drain(PIECES)
        self._tail = b""
        self._send(request(message))
        end, seconds = begun + total, self._limits.start
        last = begun + seconds
        while True:
            ready = self._wait(min(end, last))
            if self._channel in ready:
                for found in self._read():
                    if found.get("kind") == "done":
                        self.children = int(found.get("children", 0))
                        return
                    seconds = self._limits.timeout
                    last = time.monotonic() + seconds
                    yield found
            elif self._leash in ready:
                for found in self._rest():
                    if found.get("kind") == "done":
                        return
                    yield found
                raise self._gone()
            if time.monotonic() > end:
                raise self._end(f"not done within {total:.3g} s in total")
            if time.monotonic() > last:
                raise self._end(f"no answer within {seconds:g} s")

    def close(self) -> None:
        """End the worker, and every process that came of it."""
        with contextlib.suppress(OSError):
            self._leash.send(KILL)
            self._await("status", PATIENCE)
        for end in (self._selector, self._leash, self._channel, self._dump):
            end.close()
        if self._output >= 0:
            os.close(self._output)
            self._output = -1

    # ---- listening -------------------------------------------------------------------------------

    def _send(self, content: bytes) -> None:
        # A worker that does not read is not waited for: it is found out when it does not answer.
        self._channel.settimeout(self._limits.timeout)
        try:
            self._channel.sendall(content)
        except OSError:
            raise self._gone() from None
        finally:
            self._channel.settimeout(None)

    def _wait(self, until: float) -> list[Any]:
        """Those of channel and leash that have something to say, once one has or a moment has passed."""
        events = self._selector.select(max(0.0, min(TICK, until - time.monotonic())))
        ready = [key.fileobj for key, _ in events]
        if self._output in ready:
            self._drain()
        if self._leash in ready and self._heard("status") is None:
            ready.remove(self._leash)
        return ready

    def _read(self) -> Iterator[dict[str, Any]]:
        try:
            content = self._channel.recv(1 << 16)
        except OSError:
            content = b""
        if not content:
            raise self._gone()
        try:
            yield from self._lines.feed(content)
        except Damaged as error:
            raise self._end(f"the worker said what is none of its answers: {error}") from None

    def _rest(self) -> Iterator[dict[str, Any]]:
        """What a worker that is gone had said before."""
        self._channel.setblocking(False)
        with contextlib.suppress(OSError, Damaged):
            while content := self._channel.recv(1 << 16):
                yield from self._lines.feed(content)

    def _drain(self, pieces: int = 1) -> None:
        """Keep the end of what the worker wrote; ``pieces`` at the most, as a flood has no end."""
        with contextlib.suppress(OSError, KeyError):  # nothing there, or closed before
            for _ in range(pieces):
                if not (content := os.read(self._output, 1 << 16)):
                    self._selector.unregister(self._output)  # closed, which else would be told for ever
                    break
                self._tail = (self._tail + content)[-TAIL:]

    def _heard(self, what: str) -> Mapping[str, Any] | None:
        """What the keeper said of that; empty where the keeper is gone, ``None`` for nothing yet."""
        gone = False
        with contextlib.suppress(OSError):
            content = self._leash.recv(4096, socket.MSG_DONTWAIT)
            gone, self._said = not content, self._said + content
        for line in self._said.splitlines(keepends=True):
            if line.endswith(b"\n") and what in (found := json.loads(line)):
                return found
        return {} if gone else None

    def _await(self, what: str, seconds: float) -> Mapping[str, Any]:
        patience = time.monotonic() + seconds
        while (found := self._heard(what)) is None and time.monotonic() < patience:
            time.sleep(0.005)
            self._drain()
        return found or {}

    # ---- its end ---------------------------------------------------------------------------------

    def _end(self, why: str) -> Ended:
        """Take the stack of a worker that is to be ended, and end it."""
        with contextlib.suppress(OSError):
            self._leash.send(DUMP)
            patience = time.monotonic() + 1
            while not os.fstat(self._dump.fileno()).st_size and time.monotonic() < patience:
                time.sleep(0.01)
            time.sleep(0.02)
            self._leash.send(KILL)
        left = self._await("status", PATIENCE).get("left", 0)
        return Ended(why, self._details(left))

    def _gone(self) -> Ended:
        found = self._await("status", PATIENCE)
        details = self._details(found.get("left", 0))
        if "status" not in found:
            return Ended("the worker vanished, and what kept it, too", details, lost=True)
        if found.get("over"):
            held = found["over"] >> 20
            return Ended(f"it held {held} MiB in memory, where {self._limits.memory} are allowed", details)
        code = os.waitstatus_to_exitcode(found["status"])
        if code == BROKEN:
            return Ended("the worker's own program failed", details, lost=True)
        if code == CUT:
            return Ended("it closed files that were not its own, and with them what its answers are told by", details)
        if code >= 0:
            return Ended(f"it left its process with exit status {code}", details)
        name = signal.Signals(-code).name
        meaning = (signal.strsignal(-code) or "").lower()
        hint = ", as the system does where memory runs out" if -code == signal.SIGKILL else ""
        return Ended(f"it ended its process with {name} ({meaning}){hint}", details)

    def _details(self, left: int) -> str:
        self._drain(PIECES)
        stack = self._stack()
        tail = self._tail.decode(errors="replace").strip()
        parts = [stack] if stack else []
        if tail:
            parts.append(f"It had written last:\n{tail}")
        if left:
            parts.append(f"{left} processes that it had started were ended, too.")
        return printable("\n\n".join(parts))

    def _stack(self) -> str:
        """What faulthandler wrote, without the frames of this harness."""
        self._dump.seek(0)
        lines = self._dump.read(STACK).decode(errors="replace").splitlines()
        shown = [line for line in lines if not any(folder in line for folder in HARNESS)]
        return "\n".join(line for line in shown if not line.startswith("Extension modules: ")).strip()
