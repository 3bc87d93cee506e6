"""What changed without any clock: counts of two programs, compared and put in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surrogate_core.perf.job import Measured

__all__ = ["changes", "compilation_changes", "count_changes"]

TIMES = {1.0: "once", 2.0: "twice"}

UNITS = {
    "compiled bytes": "bytes moved",
    "compiled flops": "arithmetic operations",
    "compiled temporaries": "bytes of temporaries",
}


def changes(old: Measured, new: Measured) -> tuple[str, ...]:
    """Every count that differs, in words: ``exp evaluated twice, was once``.

    What stands in a program as it was traced a compiler may still merge; so its own counts stand beside it.
    """
    before, now = ((m.compilations, m.recompilations) for m in (old, new))
    return (*count_changes(old.counts, new.counts), *compilation_changes(before, now))


def compilation_changes(old: Sequence[int], new: Sequence[int]) -> tuple[str, ...]:
    """What changed of the programs that were compiled: to make the arm ready, and by a further call."""
    names = ("programs compiled to make it ready", "programs compiled by a further call")
    return tuple(
        f"{what}: {now}, was {before}" for what, before, now in zip(names, old, new, strict=True) if before != now
    )


def count_changes(old: Mapping[str, float], new: Mapping[str, float]) -> tuple[str, ...]:
    """Every count that differs, in words, those of the traced program first."""
    names = sorted(old.keys() | new.keys(), key=lambda name: (name.startswith("compiled"), name))
    return tuple(filter(None, (_change(name, old, new) for name in names)))


def _change(name: str, old: Mapping[str, float], new: Mapping[str, float]) -> str:
    kind, _, what = name.partition(" ")
    before, now = old.get(name, 0.0), new.get(name, 0.0)
    if before == now:
        return ""
    if kind == "traced":
        return f"{what} evaluated {_times(now)}, was {_times(before)}"
    return f"compiled: {now:,.0f} {UNITS.get(name, what)}, was {before:,.0f}"


def _times(count: float) -> str:
    return TIMES.get(count, "never" if count == 0 else f"{count:,.0f} times")
