"""What is computed in a thread of its own while the caller goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

__all__ = ["aside"]

T = TypeVar("T")


def aside(compute: Callable[[], T]) -> Callable[[], T]:
    """Begin to compute; the function that is returned waits for the result, or raises what ``compute`` raised.

    It pays where ``compute`` lets other threads run, as XLA does while it compiles. No thread is kept for the next one:
    one that waited would be missing after a fork.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(compute())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="aside").start()
    return future.result
