"""The ledger: everything planned is accounted for, or the run is not a pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from surrogate_core.engine.result import Result
from surrogate_core.properties.outcome import STATES

__all__ = ["NOT_RUN", "Ledger", "account"]

JUDGED = ("passed", "failed", "errored", "expected failure")

NOT_RUN = "not run: "
"""How the reason of a result begins that was skipped because a check stopped early."""


@dataclass(frozen=True)
class Ledger:
    """How many results were planned, and how many there are of each state.

    Attributes:
        planned: number of units of work.
        counts: results by state, in the order of ``STATES``.
        duplicates: results that were reported more than once.
    """

    planned: int
    counts: Mapping[str, int]
    duplicates: int = 0

    @property
    def judged(self) -> int:
        """Results that say something about the implementation."""
        return sum(self.counts[state] for state in JUDGED)

    @property
    def objections(self) -> tuple[str, ...]:
        """Why the run proves nothing, in sentences; empty where it adds up."""
        total = sum(self.counts.values())
        found = []
        if total != self.planned:
            found.append(f"{self.planned} results were planned, but {total} are accounted for")
        if self.duplicates:
            found.append(f"{self.duplicates} results were reported twice")
        if not self.judged:
            found.append("nothing was judged")
        return tuple(found)

    def sentence(self) -> str:
        """``224 planned = 210 passed + 14 skipped``."""
        parts = [f"{count} {state}" for state, count in self.counts.items() if count]
        return f"{self.planned} planned = {' + '.join(parts) or '0'}"


def account(planned: int, results: Iterable[Result]) -> Ledger:
    """The ledger of ``results`` against the number that was planned."""
    results = list(results)
    counts = Counter(result.outcome.state for result in results)
    twice = len(results) - len({result.id for result in results})
    return Ledger(planned, {state: counts[state] for state in STATES}, twice)
