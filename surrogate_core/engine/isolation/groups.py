"""Surrogates of one library that one worker judges, one after another; and who comes when.

They share what JAX needs to be told once a process: the primitives of which each of them is made, in four formats. A
library's class and its function are the same surrogate twice besides, of which the same is expected at the same inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surrogate_core.engine.plan import Unit
from surrogate_core.libraries import Library

__all__ = ["SIZE", "groups"]

SIZE = 4
"""Surrogates of a group at the most, its last family apart. Two take a sixth less time than alone, and six not less
than four."""

Batches = Mapping[str, Sequence[Unit]]
"""By implementation, its units."""


def groups(batches: Batches, shared: Mapping[str, Library], jobs: int) -> list[tuple[str, ...]]:
    """The implementations, in groups for a worker each; what has most to be judged first.

    So nobody waits long at the end for the last. Who is in a group with whom depends on what is to be judged, and not
    on what happens to be done sooner: what is left behind in a process is the same in every run.

    Args:
        batches: by implementation, its units.
        shared: the libraries of those that may be judged in one process with others of it.
        jobs: how many groups are judged at a time; there are as many, where there are so many families.
    """
    size = max(1, min(SIZE, len(batches) // jobs))
    found: list[list[str]] = []
    open_: dict[str, list[str]] = {}
    for members in sorted(_families(batches, shared), key=lambda members: (-_work(batches, members), min(members))):
        library = shared[members[0]].name if members[0] in shared else ""
        group = open_.get(library, [])
        if not (library and group and len(group) < size):
            group = open_[library] = []
            found.append(group)
        group += members
    return [tuple(group) for group in sorted(found, key=lambda group: -_work(batches, group))]


def _families(batches: Batches, shared: Mapping[str, Library]) -> list[tuple[str, ...]]:
    """Those of one library that are judged in the same cases, which means by one spec; all others by themselves."""
    alike: dict[object, list[str]] = {}
    for name, units in batches.items():
        cases = {id(unit.case): unit.case for unit in units}  # many units have the very same one
        kind = (shared[name].name, tuple(dict.fromkeys(cases.values()))) if name in shared else name
        alike.setdefault(kind, []).append(name)
    return [tuple(names) for names in alike.values()]


def _work(batches: Batches, names: Sequence[str]) -> int:
    return sum(len(batches[name]) for name in names)
