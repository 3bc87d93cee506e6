"""Where implementations are judged: in this process, or apart from it in workers."""

from __future__ import annotations

import contextlib
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any

from surrogate_core import libraries
from surrogate_core.engine.executors import Crew, Stopped, crew, cut, gather
from surrogate_core.engine.isolation import Ended, Limits, Pool, Trouble, available
from surrogate_core.engine.plan import Asked, Found, Unit, here
from surrogate_core.engine.result import Result
from surrogate_core.engine.run import run
from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import Errored

__all__ = ["Place", "place", "unavailable"]

ASKED = "Judged in the command's own process, as was asked: without limits of time and memory"
OBJECTS = "Factories that were given as objects were judged in the caller's process: without limits of time and memory"


def unavailable() -> str:
    """Why implementations are not judged in processes of their own here; empty where they are."""
    if available():
        return ""
    return (
        f"Judged in the command's own process: on {sys.platform} there are no limits of time and memory, and what "
        "hangs or crashes takes the whole check with it; they take Linux"
    )


class Here:
    """In this process, one after the other. Nothing is limited: what hangs, hangs.

    Attributes:
        unlimited: why, in a sentence.
    """

    troubles: tuple[str, ...] = ()
    stopped = False

    def __init__(self, unlimited: str) -> None:
        self.unlimited = unlimited

    def facts(self, asked: Asked) -> Sequence[Found]:
        """What has to be known of targets before work is planned."""
        return here(asked)

    def run(self, units: Sequence[Unit]) -> Iterator[Result]:
        """The results as they happen."""
        return run(units)


class Apart:
    """In workers: each implementation by itself, or several of one library after one another.

    Factories that were given as objects are judged in this process, unless ``all_of_them``.

    Attributes:
        troubles: what keeps the ledger from adding up, in sentences.
        unlimited: what is judged in this process all the same, in a sentence; empty where nothing is.
        stopped: whether it could not go on to the end, because nobody was left to judge.
    """

    stopped = False

    def __init__(self, pool: Pool, all_of_them: bool, objects: bool = False) -> None:
        self._pool, self._all = pool, all_of_them
        self.unlimited = OBJECTS if objects and not all_of_them else ""
        self.troubles: tuple[str, ...] = ()

    def facts(self, asked: Asked) -> Sequence[Found]:
        """What has to be known of targets before work is planned; how a worker ended, where it did not survive."""
        apart = [one for one in asked if self._isolated(one[0].given)]
        close = [one for one in asked if not self._isolated(one[0].given)]
        told = [*zip(apart, self._pool.facts(apart), strict=True), *zip(close, here(close), strict=True)]
        found = {target.name: _outcome(answer) for (target, _), answer in told}
        return [found[target.name] for target, _ in asked]

    def run(self, units: Sequence[Unit]) -> Iterator[Result]:
        """The results as they happen."""
        apart: list[Unit] = []
        close: list[Unit] = []
        for unit in units:
            (apart if self._isolated(unit.implementation.target.given) else close).append(unit)
        for said in self._pool.run(apart):
            if isinstance(said, Trouble):
                self.troubles += (said.sentence,)
            else:
                yield said
        yield from run(close)

    def _isolated(self, given: Callable[..., Any] | None) -> bool:
        return given is None or self._all


class Spread(Apart):
    """On the workers of an executor, wherever they are; what is to be known before, it finds out here."""

    def __init__(self, pool: Pool, crew: Crew, limits: Limits) -> None:
        super().__init__(pool, True)
        self._crew, self._limits = crew, limits

    def run(self, units: Sequence[Unit]) -> Iterator[Result]:
        """The results as they happen."""
        for said in gather(self._crew, cut(units, self._limits)):
            if isinstance(said, Trouble):
                self.troubles += (said.sentence,)
                self.stopped |= isinstance(said, Stopped)
            else:
                yield said


Place = Here | Apart
"""Either of them."""


def _outcome(found: Ended | Found) -> Found:
    if isinstance(found, Ended):
        return Errored(found.what, found.details)
    return found


@contextlib.contextmanager
def place(
    targets: Sequence[str | Callable[..., Any]],
    limits: Limits,
    jobs: int,
    in_process: bool | None,
    executor: str | Executor | None = None,
) -> Iterator[Here | Apart]:
    """Where ``targets`` are judged: strings apart, objects here, unless ``in_process`` or ``executor`` say otherwise.

    Raises:
        BadInput: an object that is to be judged apart cannot be pickled; an executor that cannot be used.
    """
    named = [target for target in targets if isinstance(target, str)]
    if executor is not None:
        if in_process or not available():
            here_alone = "in_process" if in_process else f"{sys.platform}, where processes cannot be isolated"
            raise BadInput(f"executor {executor!r} and {here_alone}", "one of them", "leave the executor out")
        for target in targets:
            _check_pickled(target)
        with crew(executor, jobs) as workers, Pool(limits, jobs, _frameworks(named), _shared(named)) as pool:
            yield Spread(pool, workers, limits)
        return
    if in_process or not available() or (in_process is None and not named):
        yield Here(unavailable() or (ASKED if in_process else OBJECTS))
        return
    if in_process is False:
        for target in targets:
            _check_pickled(target)
    jobs, several = max(1, min(jobs, len(targets))), len(targets) > 1
    with Pool(limits, jobs, _frameworks(named), _shared(named), alike=several) as pool:
        yield Apart(pool, in_process is False, len(named) < len(targets))


def _frameworks(names: Sequence[str]) -> list[str]:
    """The frameworks to import once for all. What the catalogue does not know imports PyTorch itself, if it does."""
    known = libraries.entries() if any(":" not in name for name in names) else {}
    return sorted({known[name].surrogate.framework if name in known else "jax" for name in names}) or ["jax"]


def _shared(names: Sequence[str]) -> dict[str, libraries.Library]:
    """The targets that come with others of one library, where that may be imported for all of them."""
    known = libraries.entries() if any(":" not in name for name in names) else {}
    homes = {name: known[name].library for name in names if name in known and known[name].library.preload}
    several = {home for home, times in Counter(library.name for library in homes.values()).items() if times > 1}
    return {name: library for name, library in homes.items() if library.name in several}


def _check_pickled(target: object) -> None:
    try:
        pickle.dumps(target)
    except Exception as error:
        raise BadInput(
            f"target {target!r}, which cannot be sent to another process: {error}",
            "a factory that can be imported, or in_process=True",
            "define it at the top of a module, or give it as 'package.module:attribute'",
        ) from None
