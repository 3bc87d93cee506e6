"""A failure in plain text: promise, input, answer, what was allowed, and the script that shows it."""

from __future__ import annotations

from surrogate_core.engine.telling import printable
from surrogate_core.properties.outcome import Errored, Failed
from surrogate_core.report.cells import Cell

__all__ = ["explain"]

NAMED = 6
"""So many further cases are named; the rest are counted."""


def explain(cell: Cell, *, with_traceback: bool = True) -> str:
    """The evidence of a failed or errored cell: its first case in full, the others by name."""
    first, outcome = cell.first, cell.first.outcome
    lines = [f"{cell.glyph} {cell.property_id} [{first.case}]", f"  promised  {cell.promise}"]
    if isinstance(outcome, Failed):
        lines += [f"  given     {outcome.given}", f"  measured  {outcome.measured}", f"  allowed   {outcome.allowed}"]
        if outcome.severity is not None:
            lines.append(f"  severity  worst error {outcome.severity:.3g} of the peak")
    if isinstance(outcome, Errored):
        lines.append(f"  raised    {outcome.message}")
        if with_traceback:
            lines += ["  │ " + line for line in outcome.traceback.splitlines()]
    others = [r.case for r in cell.results if r.outcome.state == cell.state and r is not first]
    if others:
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        lines.append(f"  also      {', '.join(others[:NAMED])}{more}")
    script = getattr(outcome, "script", "")
    if script and with_traceback:
        lines += ["  shown by", *("    " + line for line in script.splitlines())]
    return printable("\n".join(lines))
