"""The worker: a process in which an implementation is imported and judged; or several of one library, in turns."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from surrogate_core.engine.facts import facts
from surrogate_core.engine.isolation.channel import answer, receive
from surrogate_core.engine.isolation.keeper import children
from surrogate_core.engine.plan import Unit
from surrogate_core.engine.result import to_json
from surrogate_core.engine.run import run
from surrogate_core.engine.surroundings import kept
from surrogate_core.errors import BadInput
from surrogate_core.libraries.target import Misfit, Target
from surrogate_core.spec.model import Parameters

__all__ = ["AskFacts", "AskResults", "serve"]


@dataclass(frozen=True)
class AskFacts:
    """What has to be known of a target before anything can be planned."""

    target: Target
    parameters: Parameters


@dataclass(frozen=True)
class AskResults:
    """Units to judge. ``shared`` is whether one program may evaluate what several of them need."""

    units: Sequence[Unit]
    shared: bool


def serve(channel: int, dump: int) -> None:
    """Answer requests on the socket ``channel`` until the parent has no more; then leave the process.

    Stacks are written to ``dump``.

    To :class:`AskFacts` it answers ``{"kind": "imported"}``, and ``{"kind": "facts", ...}`` or ``{"kind":
    "mistake", ...}``; to
    :class:`AskResults` for each unit ``{"kind": "doing", "unit": its index or null}`` and ``{"kind":
    "result", ...}``; to both at last ``{"kind": "done", "children": how many processes it has started}``.
    """
    faulthandler.enable(dump)
    faulthandler.register(signal.SIGUSR1, dump, all_threads=True)
    # What was said last is wanted of a process that does not come to flush it.
    sys.stdout, sys.stderr = _unbuffered(1), _unbuffered(2)
    parent = socket.socket(fileno=channel)
    for asked in receive(parent):
        if isinstance(asked, AskFacts):
            _tell_facts(parent, asked)
        else:
            _tell_results(parent, asked)
        answer(parent, {"kind": "done", "children": len(children(os.getpid()))})
    os._exit(0)


def _unbuffered(fd: int) -> io.TextIOWrapper:
    stream = io.FileIO(fd, "w", closefd=False)
    return io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace", write_through=True)


def _tell_facts(parent: socket.socket, asked: AskFacts) -> None:
    def on_import() -> None:
        answer(parent, {"kind": "imported"})

    try:
        found: dict[str, Any] = {"kind": "facts", **asdict(facts(asked.target, asked.parameters, on_import))}
    except BadInput as mistake:
        kind = "misfit" if isinstance(mistake, Misfit) else "mistake"
        found = {"kind": kind, "message": [mistake.given, mistake.expected, mistake.next_step]}
    answer(parent, found)


def _tell_results(parent: socket.socket, asked: AskResults) -> None:
    target = asked.units[0].implementation.target
    with contextlib.suppress(BadInput), kept(target.name, "importing it", importing=True):
        target.factory()  # what it raises is told with the first unit
    index = {unit.id: number for number, unit in enumerate(asked.units)}

    def on_begin(unit: Unit | None) -> None:
        answer(parent, {"kind": "doing", "unit": None if unit is None else index[unit.id]})

    for result in run(asked.units, shared=asked.shared, on_begin=on_begin):
        answer(parent, {"kind": "result", **to_json(result)})
