"""Surrogates of one library that declare one spec: what is expected of them is derived once; and who comes when.

A library's class and its function are the same surrogate twice, judged by the same formula at the same inputs, and made
of the same programs.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from surrogate_core.engine.plan import Unit
from surrogate_core.libraries import Library
from surrogate_core.properties import Case

__all__ = ["Family", "Turns", "families", "in_turns"]

Batches = Mapping[str, Sequence[Unit]]
"""By implementation, its units."""


@dataclass(frozen=True, eq=False)
class Family:
    """The implementations ``members`` of one library, all of them judged in the same ``cases``."""

    library: Library
    cases: tuple[Case, ...]
    members: tuple[str, ...]


def families(batches: Batches, shared: Mapping[str, Library]) -> dict[str, Family]:
    """By member, the families among the implementations that come with others of a library, which ``shared`` names."""
    alike: dict[tuple[str, tuple[Case, ...]], list[str]] = {}
    for name, units in batches.items():
        if name in shared:
            cases = {id(unit.case): unit.case for unit in units}  # many units have the very same one
            alike.setdefault((shared[name].name, tuple(dict.fromkeys(cases.values()))), []).append(name)
    found = [
        Family(shared[names[0]], cases, tuple(names)) for (_, cases), names in alike.items() if cases and names[1:]
    ]
    return {name: family for family in found for name in family.members}


def in_turns(batches: Batches, known: Mapping[str, Family], jobs: int) -> list[str]:
    """The implementations in the order in which ``jobs`` of them at a time are best begun.

    What has most to be judged comes first, so that at the end nobody waits long for the last; and members of a family
    one after another, so that few families' expectations are held at a time.
    """
    if jobs == 1:
        return [*batches]
    groups = dict.fromkeys(known[name].members if name in known else (name,) for name in batches)
    largest = sorted(groups, key=lambda members: -max(len(batches[name]) for name in members))
    return [name for members in largest for name in members]


class Turns:
    """Whose turn it is: members of a family are not judged beside each other while there is anybody else.

    What the first has compiled, the next need not.

    Args:
        order: the implementations, who is to begin first of all.
        known: the families.
    """

    def __init__(self, order: Sequence[str], known: Mapping[str, Family]) -> None:
        self._waiting, self._known, self._lock = [*order], known, threading.Lock()
        self._judged = Counter[Family]()

    @contextlib.contextmanager
    def one(self) -> Iterator[str]:
        """The name of the one whose turn it is, until it has been judged; raises :class:`IndexError` after the last."""
        with self._lock:
            apart = (n for n in self._waiting if n not in self._known or not self._judged[self._known[n]])
            name = next(apart, self._waiting[0])
            self._waiting.remove(name)
            family = [self._known[name]] if name in self._known else []
            self._judged.update(family)
        try:
            yield name
        finally:
            with self._lock:
                self._judged.subtract(family)
