"""Options that name several things: given more than once, with commas, or both."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["listed"]


def listed(given: Iterable[str] | None) -> list[str]:
    """The names of every time that the option was given, each once, in the order of the command line."""
    return list(dict.fromkeys(name.strip() for text in given or () if text for name in text.split(",")))
