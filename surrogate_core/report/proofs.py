"""What was counted over very many bit patterns, the parts of a proof added up; and what became of subnormal numbers."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from surrogate_core.engine import Result
from surrogate_core.report.evidence import figures
from surrogate_core.report.table import BOUNDS, Line, Table, bounds, grade, heads, of_ulps
from surrogate_core.report.verdict import UNJUDGED, State, state
from surrogate_core.report.words import count, decimal, number, plural, share

__all__ = ["patterns", "subnormals"]


def patterns(results: Sequence[Result]) -> Table:
    """Errors over the patterns of each format and parameter setting, one line for all the parts of a proof."""
    parts: dict[tuple[Any, ...], list[Result]] = {}
    for r in results:
        if isinstance(figures(r).get("tally"), Mapping):
            parts.setdefault((r.dtype, r.device, r.parameters), []).append(r)
    lines = [Line(heads(group[0], results), _state(group), _cells(group)) for group in parts.values()]
    return Table(
        "All over float32",
        "Every 2,048th bit pattern, or all of them. Of the errors, those where the gradient is a normal number; near a "
        "breakpoint the sweep judges, and not the proof.",
        ("Format", "Parameters"),
        (
            "Patterns",
            "Largest error, ulp",
            "at x =",
            "Correctly rounded",
            "Under 1 ulp",
            *BOUNDS,
            "Near a breakpoint",
            "Grade",
        ),
        tuple(lines),
    )


def _state(group: Sequence[Result]) -> State:
    names = [r.outcome.state for r in group]
    return state(next((name for name in names if name != "passed"), "passed"))


def _cells(group: Sequence[Result]) -> tuple[str, ...]:
    tallies = [figures(r)["tally"] for r in group]
    normal, near = _sum(tallies, "normal"), _sum(tallies, "near_breakpoint")
    worst = max(tallies, key=lambda t: decimal(t.get("max_ulp")) or 0)
    ulps = decimal(worst.get("max_ulp")) or 0
    faithful = sum(sum(int(n) for n in t.get("ulp_counts", ())[:2]) for t in tallies)
    wrong = any(decimal(t.get("gradients", {}).get("count")) for t in tallies)
    return (
        count(sum(int(decimal(figures(r).get("inputs")) or 0) for r in group)),
        of_ulps(ulps),
        _input(worst.get("max_ulp_at")),
        share(_sum(tallies, "correctly_rounded") / normal) if normal else "–",
        share(faithful / normal) if normal else "–",
        # A file that was written before they were counted says nothing of them.
        *bounds(normal, _sum(tallies, "out_of_bound") if all("out_of_bound" in t for t in tallies) else None),
        count(near),
        grade(ulps, wrong),
    )


def _sum(tallies: Sequence[Mapping[str, Any]], name: str) -> int:
    return sum(int(decimal(t.get(name)) or 0) for t in tallies)


def _input(pattern: Any) -> str:
    if not isinstance(pattern, int) or not 0 <= pattern < 1 << 32:
        return "–"
    (value,) = struct.unpack("<f", struct.pack("<I", pattern))
    return f"{number(value, 9)} (0x{pattern:08x})"


def subnormals(results: Sequence[Result]) -> Table:
    """Whether subnormal input is taken for zero, and whether gradients that ought to be subnormal are zero.

    Whether that is as it should be the promises tell, of which one may be broken for another reason.
    """
    found: dict[tuple[str, Any], dict[str, str]] = {}
    for r in results:
        for name in ("subnormal_input", "subnormal_output"):
            if r.property_id in ("forward.step", "gradient.oracle") and name in figures(r):
                found.setdefault((r.dtype, r.parameters), {})[name] = str(figures(r)[name])
    alike: dict[tuple[str, str, str], int] = {}
    for (dtype, _), said in found.items():
        key = (dtype, said.get("subnormal_input", "–"), said.get("subnormal_output", "–"))
        alike[key] = alike.get(key, 0) + 1
    lines = [
        Line((dtype,), UNJUDGED, (taken, given, plural(settings, "parameter setting")))
        for (dtype, taken, given), settings in alike.items()
    ]
    return Table(
        "Subnormal numbers",
        "Flushed: taken for zero as input, or zero where the gradient ought to be subnormal. Platforms do so, and it "
        "is tolerated unless the spec says otherwise of the input.",
        ("Format",),
        ("Subnormal input", "Subnormal gradients", "Where"),
        tuple(lines),
    )
