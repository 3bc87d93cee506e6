"""Evaluating in several threads at once, so that whatever calls share does show."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import FrameType
from typing import Any, Protocol

import numpy as np

from surrogate_core.drivers import Observation, Request

__all__ = ["Wrap", "at_once"]

PAUSE = 1e-5
"""Seconds of rest before a line of the implementation. A short call is over before Python, by itself, would let
another thread run: few of its races would show."""

PAUSES = 200
"""Lines of one call that are rested before; a large implementation is not to take for ever."""

OTHERS = sys.stdlib_module_names | {"jax", "jaxlib", "numpy", "torch"}
"""Packages whose lines are not the implementation's."""

PATIENCE = 60.0
"""Seconds that threads wait for one another before they give up."""

Wrap = Callable[[Callable[[Any], Any]], Callable[[Any], Any]]
"""From a spike function to one that does something more."""


class Evaluate(Protocol):
    """Evaluate a request; the spike function, once wrapped, is what the driver calls."""

    def __call__(self, request: Request, wrap: Wrap = ...) -> Observation: ...


def at_once(request: Request, evaluate: Evaluate) -> Observation:
    """Thread i evaluates the rows of ``x[i]``, one after the other, all threads at once; laid out as ``x``.

    Raises:
        TimeoutError: the threads wait for one another in vain.
        Exception: what the implementation raised in one of them.
    """
    alone = replace(request, threads=1)
    together = threading.Barrier(request.threads, timeout=PATIENCE)

    def waiting(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def spike(x: Any) -> Any:
            spikes = function(x)
            together.wait()
            return spikes

        return spike

    def rows(thread: int) -> list[Observation] | Exception | SystemExit:
        try:
            together.wait()
            answers: list[Observation] = []
            for turn in range(request.x.shape[1]):
                row = alone.at((thread, turn))
                with _resting():
                    # In every other turn nobody goes backward before all have gone forward: what a call leaves for
                    # its backward pass, another call has then overwritten. In between, threads run as they happen to.
                    answers.append(evaluate(row) if turn % 2 else evaluate(row, waiting))
            return answers
        except (Exception, SystemExit) as error:
            together.abort()
            return error

    with ThreadPoolExecutor(request.threads) as pool:
        return _laid_out(list(pool.map(rows, range(request.threads))), request)


@contextlib.contextmanager
def _resting() -> Iterator[None]:
    """Within it, in this thread, other threads may run before every line of the implementation."""
    left = PAUSES

    def line(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal left
        if event == "line" and left:
            left -= 1
            time.sleep(PAUSE)
        return line

    def call(frame: FrameType, event: str, arg: Any) -> Any:
        name = frame.f_globals.get("__name__") or ""
        ours = name.startswith(("surrogate_core.drivers.", "surrogate_core.engine."))
        return None if ours or name.partition(".")[0] in OTHERS else line

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(before)


def _laid_out(answers: list[list[Observation] | Exception | SystemExit], request: Request) -> Observation:
    errors = [answer for answer in answers if not isinstance(answer, list)]
    # That the others waited in vain for the thread that raised says nothing.
    if told := [error for error in errors if not isinstance(error, threading.BrokenBarrierError)]:
        raise told[0]
    if errors:
        raise TimeoutError(f"{request.threads} threads at once waited {PATIENCE:g} s for one another")
    rows = [answer for answer in answers if isinstance(answer, list)]
    value = np.stack([np.stack([a.value for a in row]) for row in rows])
    if request.operation == "value":
        return Observation(value)
    return Observation(value, np.stack([np.stack([a.gradient for a in row]) for row in rows]))
