"""How strict a check is: which states do not let it pass."""

from __future__ import annotations

from collections.abc import Sequence

from surrogate_core.engine.store import Run
from surrogate_core.errors import BadInput, near_misses

__all__ = ["DEFAULT", "STRICT", "exit_code", "offences", "strictness"]

STRICT = ("failed", "errored", "unsupported", "remark")
"""What may be asked for; remarks are of results that passed, and of what any of them did to its process."""

DEFAULT = ("failed", "errored")


def strictness(names: Sequence[str]) -> tuple[str, ...]:
    """What does not pass: failed and errored always, and what is named; raises :class:`BadInput` for another name."""
    for name in names:
        if name not in STRICT:
            raise BadInput(f"fail-on {name!r}", f"some of {', '.join(STRICT)}", near_misses(name, STRICT))
    return tuple(dict.fromkeys((*DEFAULT, *names)))


def offences(run: Run, fail_on: Sequence[str]) -> dict[str, int]:
    """How many results there are of each state that does not let the run pass; only those that are there."""
    remarks = sum(bool(r.remarks) for r in run.results)
    counts = {**run.ledger.counts, "remark": remarks}
    return {name: counts[name] for name in fail_on if counts[name]}


def exit_code(run: Run, fail_on: Sequence[str] = DEFAULT) -> int:
    """0 passes, 1 does not, 3 nothing was judged or the ledger does not add up."""
    return 3 if run.objections else 1 if run.complaints or offences(run, fail_on) else 0
