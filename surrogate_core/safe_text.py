"""Text from anywhere, such as a name, a path or an exception, made safe to show on a terminal, a page, in a log."""

from __future__ import annotations

import re

__all__ = ["UNPRINTABLE", "brief", "clipped", "printable", "representation", "word"]

UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Controls that move a terminal's cursor or colour, break a line where nobody expects it, or turn the direction of
what stands beside them; and halves of characters, which no file can hold."""


def printable(text: str) -> str:
    """``text`` with every such character replaced, so that a name cannot write on the terminal."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def clipped(text: str, longest: int) -> str:
    """``text`` of at most ``longest`` characters, and how many more there were."""
    return text if len(text) <= longest else f"{text[:longest]} … ({len(text) - longest:,} more characters)"


def representation(value: object) -> str:
    """``repr(value)``, and its type where that raises."""
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__}, whose repr raises>"


def word(value: object, name: str) -> str:
    """The attribute ``name`` of anything, where it is a string; empty where it is not, or raises."""
    try:
        found = getattr(value, name, "")
    except Exception:
        return ""
    return found if isinstance(found, str) else ""


def brief(text: str, longest: int) -> str:
    """``text`` in one line, printable and clipped."""
    return " ".join(printable(clipped(text, longest)).split("\n"))
