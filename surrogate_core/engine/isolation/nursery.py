"""The nursery: a process that has imported what every worker needs, and forks one when it is asked to.

A fork takes milliseconds where an interpreter that imports JAX, SymPy and Hypothesis takes seconds. Nothing here
has started a framework's backend or threads, and the code under test is imported in the workers alone.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from surrogate_core.engine.garbage import set_aside
from surrogate_core.engine.isolation import keeper, programs
from surrogate_core.engine.isolation.branch import grown

__all__ = ["Nursery", "environment", "main"]

# The collector looks through everything that is imported, again and again, and finds nothing.
BOOT = (
    "import gc, sys, json; gc.disable(); sys.path[:] = json.loads(sys.argv[2])['path']; "
    "from surrogate_core.engine.isolation.nursery import main; main()"
)

THREADS = "OMP_NUM_THREADS"
"""What PyTorch, and NumPy where it multiplies matrices, take their number of threads from."""

ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
}
"""How much memory that is let go of glibc keeps. Judging makes arrays of half a MiB by the thousand; by itself glibc
gives each back to the system, which then has to make every page of the next one anew: a thirtieth of all time."""


class Nursery:
    """The process, seen from the parent.

    Args:
        preload: the modules that it imports; those that start no threads.
        threads: how many threads a worker's arithmetic may use, where the user has not said; ``None`` leaves it to
            the libraries, each of which takes every core.
        sharing: whether the workers share what they compile.
    """

    def __init__(self, preload: Sequence[str], threads: int | None = None, sharing: bool = False) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._turn = threading.Lock()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close())
        self._folder = tempfile.TemporaryDirectory("", "surrogate_core-", ignore_cleanup_errors=True)
        folder = self._folder.name
        asked = json.dumps({"path": sys.path, "preload": list(preload), "folder": folder})
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", BOOT, str(theirs.fileno()), asked],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                start_new_session=True,
                env={**environment(threads), **(programs.shared(folder) if sharing else {})},
            )

    def send(self, order: Mapping[str, Any], fds: Sequence[int]) -> None:
        """Have a worker or a branch started; raises :class:`OSError` where the nursery is gone, with what it wrote."""
        try:
            with self._turn:
                keeper.send(self._socket, order, fds)
        except OSError as error:
            self._log.seek(0)
            wrote = self._log.read()[-2_000:].decode(errors="replace").strip()
            raise OSError(f"{error}\n{wrote}" if wrote else str(error)) from None

    def close(self) -> None:
        """End it, and with it every worker."""
        self._socket.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._folder.cleanup()


def environment(threads: int | None) -> dict[str, str]:
    """The environment of the workers: that of this process, and what it leaves open of threads and of memory."""
    return {**ALLOCATOR, **({THREADS: str(threads)} if threads else {}), **os.environ}


def main() -> None:
    """Serve the parent on the socket whose number is the first argument, until it is gone.

    The second argument is a JSON object: ``path`` for ``sys.path``, ``preload`` with modules to import, ``folder``
    with what is removed at the end.
    """
    asked = json.loads(sys.argv[2])
    sys.path[:] = asked["path"]
    programs.unwarned()
    # An interrupt at the terminal is the parent's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in asked["preload"]:
        # What cannot be imported here raises again where it is needed, and is told there.
        with contextlib.suppress(Exception, SystemExit), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(name)
    with socket.socket(fileno=int(sys.argv[1])) as parent:
        _serve(parent)
    # The parent may have been killed, and it is its folder.
    shutil.rmtree(asked["folder"], ignore_errors=True)


def _serve(parent: socket.socket) -> None:
    gc.collect()
    set_aside()  # so that a worker's collector does not touch, and thereby copy, the pages it shares
    keepers: set[int] = set()
    keeper.adopt_orphans()
    with keeper.woken_by_children() as alarm:
        while True:
            ready, _, _ = select.select([parent, alarm], [], [])
            if alarm in ready:
                os.read(alarm, 4096)
                _bury(keepers)
            if parent in ready:
                order, fds, _, _ = socket.recv_fds(parent, 4096, keeper.FDS)
                if not order:
                    break
                keepers.add(_fork(parent, json.loads(order), fds))
                for fd in fds:
                    os.close(fd)
    # The keepers (and branches) see that the parent is gone, too: they end their workers first, and then themselves.
    for pid in keepers:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _fork(parent: socket.socket, order: dict[str, object], fds: list[int]) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX warns of its threads, of which there are none yet
        pid = os.fork()
    if pid:
        return pid
    try:
        parent.close()
        if "modules" in order:
            _branch_off(order, *fds)
        else:
            keeper.keep(order, fds)
    finally:
        os._exit(1)


def _branch_off(order: dict[str, object], fd: int) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=fd) as parent:
        if grown(parent, order):
            _serve(parent)


def _bury(keepers: set[int]) -> None:
    """Wait for those that ended; one that was killed left its worker's processes to this one."""
    for pid, _ in keeper.ended():
        keepers.discard(pid)
    for stranger in set(keeper.children(os.getpid())) - keepers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(stranger, signal.SIGKILL)


if __name__ == "__main__":
    main()
