"""Sparing Python's garbage collector what was there before."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["earlier_objects_spared", "set_aside"]

_for_good = False


def set_aside() -> None:
    """From here on the garbage collector leaves alone what is there, in this process and in all that are forked."""
    global _for_good
    gc.freeze()
    _for_good = True


@contextlib.contextmanager
def earlier_objects_spared() -> Iterator[None]:
    """Within it, the garbage collector leaves alone what was there when it was entered.

    That is two frameworks and sympy, a million objects that stay: to go through them takes a tenth of a second, a tenth
    of the time that a check takes. Where somebody has already set objects aside, it is theirs to say when they
    are looked at again, and nothing is done.
    """
    # To count a million of them takes a fiftieth of a second.
    if _for_good or gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
