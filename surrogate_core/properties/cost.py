"""What training costs beside the arithmetic: what the forward pass keeps for the backward pass."""

from __future__ import annotations

from surrogate_core.drivers.base import Request
from surrogate_core.properties.base import Case, Property, Requests, Seen, observed, wide
from surrogate_core.properties.outcome import Outcome, Passed

__all__ = ["RESIDUALS"]


def _observe(case: Case) -> Requests:
    # Of thousands of elements, so that a few scalars kept beside the arrays do not count as a byte of each.
    return {"kept": Request("residuals", case.sweep.x)}


def _judge(case: Case, seen: Seen) -> Outcome:
    size = case.format.dtype.itemsize
    kept = float(wide(observed(seen["kept"]).gradient).reshape(-1)[0]) / case.sweep.x.size
    # One array is what a gradient that depends on x needs; one byte an element more is another one.
    remark = f"The forward pass keeps {kept:.3g} bytes for the backward pass, per element of {size} bytes."
    return Passed({"per_input_byte": kept / size}, (remark,) if kept >= size + 1 else ())


RESIDUALS = Property(
    id="cost.residuals",
    promise="What the forward pass keeps for the backward pass is told; one array of the input's size is enough.",
    observe=_observe,
    judge=_judge,
    scope="once",
)
