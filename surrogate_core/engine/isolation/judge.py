"""Judging the units of one implementation in a worker: one that is brought down costs one property."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surrogate_core.engine.isolation.limits import Limits
from surrogate_core.engine.isolation.supervisor import Ended, Worker
from surrogate_core.engine.isolation.worker import AskResults
from surrogate_core.engine.plan import Unit
from surrogate_core.engine.result import Result, from_json
from surrogate_core.properties.outcome import Errored

__all__ = ["LOSSES", "Trouble", "judge"]

LOSSES = 3
"""Workers that may be lost without a result in between, for a reason that is not the implementation's."""


@dataclass(frozen=True)
class Trouble:
    """Something that keeps the ledger from adding up, in a sentence."""

    sentence: str


@dataclass
class _Round:
    """What one worker was doing, and what is still to be done."""

    waiting: dict[str, Unit]
    asked: tuple[Unit, ...] = ()
    doing: Unit | None = None
    heard: bool = False
    since: float = 0.0


def judge(
    units: Sequence[Unit],
    limits: Limits,
    start: Callable[[], Worker],
    worker: Worker | None = None,
    *,
    handed_on: bool = False,
) -> Generator[Result | Trouble, None, Worker | None]:
    """The results of one implementation's units as they happen, in the order of the units.

    Args:
        units: of one implementation.
        limits: of its workers.
        start: starts a worker.
        worker: one that is there already, and is used first.
        handed_on: whether that one has judged another implementation. Its end is not blamed on this one.

    Returns:
        The worker that judged the last of them, if it may go on to another implementation: none of them was errored,
        nothing of its process had to be put back, and it has started no process that is still there.
    """
    now, end = _Round({unit.id: unit for unit in units}), time.monotonic() + limits.total
    restarts, losses, shared, spotless = limits.restarts, LOSSES, True, True
    try:
        while now.waiting:
            now.asked, now.doing, now.heard = tuple(now.waiting.values()), None, False
            left = len(now.waiting)
            try:
                worker = worker or start()
                now.since = time.monotonic()
                for answer in worker.ask(AskResults(now.asked, shared), max(0.0, end - now.since)):
                    if said := _said(answer, now):
                        spotless = spotless and _spotless(said)
                        yield said
            except Ended as ended:
                if worker:
                    worker.close()
                    worker = None
                if handed_on:
                    handed_on = False
                    continue
                if ended.lost:
                    losses = (LOSSES if len(now.waiting) < left else losses) - 1
                    if not losses:
                        yield Trouble(f"{units[0].implementation.name}: {ended.what}; {_named(now.waiting)}")
                        return None
                    continue
                if now.doing:
                    yield _errored(now.doing, ended.what, ended.details, now.since)
                    del now.waiting[now.doing.id]
                    restarts -= 1
                elif now.heard and shared:
                    shared = False  # so that the fault is found in the property that it belongs to
                    continue
                if not now.doing or restarts < 0 or time.monotonic() > end:
                    yield from _given_up(now, ended, limits.restarts - restarts)
                    return None
            else:
                if now.waiting:
                    yield Trouble(f"{units[0].implementation.name}: {_named(now.waiting)}")
                    return None
                if spotless and not worker.children:
                    clean, worker = worker, None
                    return clean
        return None
    finally:
        if worker:
            worker.close()


def _spotless(said: Result | Trouble) -> bool:
    return isinstance(said, Result) and not isinstance(said.outcome, Errored) and not said.process


def _said(answer: Mapping[str, Any], now: _Round) -> Result | Trouble | None:
    now.heard, now.since = True, time.monotonic()
    name = now.asked[0].implementation.name
    try:
        if answer["kind"] == "doing":
            number = answer["unit"]
            now.doing = None if number is None else now.asked[number]
            return None
        result = from_json(answer)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        return Trouble(f"{name}: a worker reported what is no result ({type(error).__name__}: {error})")
    if now.waiting.pop(result.id, None) is None:
        known = result.id in {unit.id for unit in now.asked}
        return Trouble(f"{result.id} was reported {'twice' if known else 'and not asked for'}")
    now.doing = None
    return result


def _given_up(now: _Round, ended: Ended, times: int) -> Iterator[Result]:
    """Outcomes for what is not judged any more."""
    why = ended.what if not now.doing else f"its worker was ended {times} times, at last because {ended.what}"
    for number, unit in enumerate(now.waiting.values()):
        yield _errored(unit, f"not judged: {why}", "" if number else ended.details)
    now.waiting.clear()


def _errored(unit: Unit, message: str, details: str, since: float | None = None) -> Result:
    seconds = 0.0 if since is None else time.monotonic() - since
    return unit.result(Errored(message, details), seconds=seconds)


def _named(waiting: Mapping[str, Unit]) -> str:
    first, more = next(iter(waiting)), len(waiting) - 1
    return f"{first} was never reported" + (f", nor were {more} more" if more else "")
