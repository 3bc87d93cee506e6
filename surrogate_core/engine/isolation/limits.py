"""What an implementation may take before its worker is ended."""

from __future__ import annotations

import math
from dataclasses import dataclass

from surrogate_core.errors import BadInput

__all__ = ["Limits", "limits"]

SECONDS = {"quick": (120.0, 1_200.0), "standard": (600.0, 6_000.0), "thorough": (3_600.0, 36_000.0)}
"""By profile: (one property, all of an implementation). Many times what a slow machine needs: they end what
hangs, and are no judgement of speed."""


@dataclass(frozen=True)
class Limits:
    """The limits of one worker.

    Attributes:
        timeout: seconds that one property may take.
        total: seconds that all properties of one implementation may take together.
        memory: MiB that the worker and its child processes may hold in memory; ``None`` sets no limit.
        restarts: fresh workers that an implementation gets after the first had to be ended.
        start: seconds that importing it may take, which is no property.
    """

    timeout: float
    total: float
    memory: int | None = None
    restarts: int = 3
    start: float = 60.0


def limits(profile: str, timeout: float | None = None, total: float | None = None, memory: int | None = None) -> Limits:
    """The limits that a user asked for, else those of the profile.

    Raises:
        BadInput: a limit that is no number above 0.
    """
    usual = SECONDS.get(profile, SECONDS["standard"])  # a profile that does not exist is told when it is planned
    for name, value, unit in (("timeout", timeout, "s"), ("total timeout", total, "s"), ("memory", memory, "MiB")):
        if value is not None and not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
            raise BadInput(f"{name} {value!r}", f"a number above 0, in {unit}", "leave it out for the usual limit")
    seconds, whole = timeout or usual[0], None if memory is None else math.ceil(memory)
    return Limits(seconds, total or usual[1], whole, start=max(seconds, Limits.start))
