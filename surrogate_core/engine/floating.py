"""How this thread's processor computes: a library compiled for speed may change it as soon as it is loaded.

``-ffast-math`` links code that flushes subnormal numbers for the whole thread, and ``torch.set_flush_denormal`` does
so too; the references that implementations are held to would then be wrong in the tail.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["floating_point", "reset_floating_point"]

TINY, ONE, HALF_AN_ULP = 5e-324, 1.0, 2.0**-53
"""The least subnormal number, and what is lost beside 1 where ties round to even."""

USUAL = "round to nearest, subnormals kept"

DEFAULT = ctypes.c_void_p(-1)
"""``FE_DFL_ENV`` of the C library on Linux: the mode that a program starts in."""


def floating_point() -> str:
    """The mode, in words; :data:`USUAL` is what every program starts in."""
    nearest = ONE + HALF_AN_ULP == ONE and ONE + 1.5 * HALF_AN_ULP != ONE
    kept = TINY * ONE != 0.0
    if nearest and kept:
        return USUAL
    return f"{'round to nearest' if nearest else 'another rounding'}, subnormals {'kept' if kept else 'flushed'}"


def reset_floating_point(before: str) -> None:
    """Put the mode that every program starts in back; raises :class:`OSError` where the C library has no way to."""
    if sys.platform != "linux" or ctypes.CDLL(None).fesetenv(DEFAULT) or floating_point() != before:
        raise OSError("the C library offers no way back")
