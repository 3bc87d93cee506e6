"""What the promises of a page mean: where on the page each is explained."""

from __future__ import annotations

from collections.abc import Iterable

from surrogate_core.errors import BadInput
from surrogate_core.properties.explanations import Explanation, explanation

__all__ = ["meanings"]


def meanings(promises: Iterable[str]) -> tuple[tuple[str, Explanation], ...]:
    """(id of its place, explanation) of each promise that this version knows.

    A results file may hold promises of another version, and the sentence that nothing could be started.
    """
    found = []
    for number, name in enumerate(promises, start=1):
        try:
            found.append((f"m{number}", explanation(name)))
        except BadInput:
            continue
    return tuple(found)
