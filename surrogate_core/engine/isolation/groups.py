"""Surrogates of one library that one worker judges, one after another; and who comes when.

They share what has to be done once a process: in JAX, to compile the primitives of which each of them is made, in four
formats. A library's class and its function are the same surrogate twice besides, of which the same is expected at the
same inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surrogate_core.engine.plan import Unit
from surrogate_core.libraries import Library

__all__ = ["SIZE", "groups"]

SIZE = 4
"""A group of so many takes no further family. Two surrogates together take a sixth less time than each alone; of six
together, none takes less than of four."""

Batches = Mapping[str, Sequence[Unit]]
"""By implementation, its units."""


def groups(batches: Batches, shared: Mapping[str, Library], jobs: int) -> list[tuple[str, ...]]:
    """The implementations, in groups for a worker each; what has most to be judged first.

    Towards the end groups are smaller, so that nobody waits long for the last. Who is in a group with whom, and in
    which order, depends on what is to be judged and on ``jobs``, and not on what happens to be done sooner.

    Args:
        batches: by implementation, its units.
        shared: the libraries of those that may be judged in one process with others of it.
        jobs: how many groups are judged at a time.
    """
    found: list[list[str]] = []
    latest: dict[str, list[str]] = {}
    left = len(batches)
    alone = left <= jobs  # there is a worker for everybody
    families = [(name,) for name in batches] if alone else _families(batches, shared)
    for members in sorted(families, key=lambda members: (-_work(batches, members), members)):
        library = "" if alone or members[0] not in shared else shared[members[0]].name
        group = latest.get(library, [])
        if not library or not group or len(group) >= min(SIZE, left // (2 * jobs)):
            group = latest[library] = []
            found.append(group)
        group += members
        left -= len(members)
    return sorted(map(tuple, found), key=lambda group: -_work(batches, group))


def _families(batches: Batches, shared: Mapping[str, Library]) -> list[tuple[str, ...]]:
    """Those of one library that are judged in the same cases, which means by one spec; all others by themselves."""
    alike: dict[object, list[str]] = {}
    for name, units in batches.items():
        cases = {id(unit.case): unit.case for unit in units}  # many units have the very same one
        kind = (shared[name].name, tuple(dict.fromkeys(cases.values()))) if name in shared else name
        alike.setdefault(kind, []).append(name)
    return [tuple(sorted(names)) for names in alike.values()]


def _work(batches: Batches, names: Sequence[str]) -> int:
    return sum(len(batches[name]) for name in names)
