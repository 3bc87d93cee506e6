"""What parent and worker say to each other: pickled requests one way, JSON lines the other.

The parent reads no pickle of a process in which foreign code has run.
"""

from __future__ import annotations

import json
import pickle
import socket
import struct
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["CutOff", "Damaged", "Lines", "answer", "receive", "request"]

LONGEST = 16 << 20
"""Bytes of one line; a result takes some thousands."""

LENGTH = struct.Struct("!Q")


class CutOff(Exception):
    """The code under test has closed the channel to the parent."""


class Damaged(Exception):
    """Something came that is no JSON object, or is too long to be one of ours."""


def request(message: object) -> bytes:
    """What the parent sends for ``message``; raises what pickle raises where it cannot be pickled."""
    content = pickle.dumps(message)
    return LENGTH.pack(len(content)) + content


def receive(channel: socket.socket) -> Iterator[Any]:
    """The requests that a worker is sent, until the parent has no more."""
    with channel.makefile("rb") as stream:
        while head := stream.read(LENGTH.size):
            yield pickle.loads(stream.read(*LENGTH.unpack(head)))


def answer(channel: socket.socket, message: Mapping[str, Any]) -> None:
    """Send one line to the parent; raises :class:`CutOff` where it cannot be reached."""
    try:
        channel.sendall(json.dumps(message, allow_nan=False).encode() + b"\n")
    except OSError as error:
        raise CutOff from error


class Lines:
    """Puts the bytes that come from a worker together to messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, content: bytes) -> Iterator[dict[str, Any]]:
        """The messages that ``content`` completes; raises :class:`Damaged`."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        if len(self._rest) > LONGEST:
            raise Damaged(f"a line longer than {LONGEST >> 20} MiB")
        for line in lines:
            try:
                message = json.loads(line)
            except (ValueError, RecursionError):
                raise Damaged("a line that is not JSON") from None
            if not isinstance(message, dict):
                raise Damaged("a line that is not a JSON object")
            yield message
