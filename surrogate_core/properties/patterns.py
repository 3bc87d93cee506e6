"""All of float32: spikes and gradients at every bit pattern, or at every 2,048th of them.

A sweep of 65,536 points sees a defect that is as wide as an exponent. What hides in a narrow window, or at one
pattern, is found by looking at all of them, which is done where they are evaluated (see drivers/tally.py).
"""

from __future__ import annotations

import numpy as np

from surrogate_core.drivers.base import Request
from surrogate_core.drivers.tally import MAGNITUDES, Span, Tally, spans
from surrogate_core.properties.base import Case, Proof, Requests, Seen, breach, observed, wide
from surrogate_core.properties.outcome import Failed, Outcome, Passed
from surrogate_core.spec.oracle import expect, forward

__all__ = ["PATTERNS"]

STRIDE = 2048
"""In `standard`: 4,096 patterns of every exponent and sign, 2^21 in all, at one rate: the sweep sees the others."""

PARTS = 64
"""In `thorough`: 2^26 patterns a part, which take well under a second where they are compiled."""

FLUSHED = "subnormal input is taken for zero at {count:,} patterns, such as {x}; the spec tolerates it"
ZEROED = "gradients that ought to be subnormal are zero at {zeroed:,} patterns of {all:,}, which is tolerated"


def _spans(case: Case) -> tuple[Span, ...]:
    if case.dtype != "float32" or case.profile == "quick":
        return ()
    # The seed chooses which of the patterns, so that many runs see more of them than one.
    return spans(PARTS) if case.profile == "thorough" else (Span(case.seed % STRIDE, MAGNITUDES, STRIDE),)


def _found(tally: Tally) -> dict[str, int]:
    findings = {
        "spike": tally.spikes,
        "gradient": tally.gradients,
        "spike at a non-finite input": tally.nonfinite_spikes,
        "gradient at a non-finite input": tally.nonfinite_gradients,
    }
    return {what: f.pattern for what, f in findings.items() if f.pattern is not None}


def _value(pattern: int) -> np.ndarray:
    return np.array([pattern], np.uint32).view(np.float32)


COMPANY = 64
"""Equal inputs: enough that a vectorised loop takes them, whose exp may be another than that of a lone number."""


def _closer(case: Case, tally: Tally) -> Requests:
    alone = {what: Request("vjp", _value(pattern)) for what, pattern in _found(tally).items()}
    return alone | {_together(what): Request("vjp", np.repeat(request.x, COMPANY)) for what, request in alone.items()}


def _together(what: str) -> str:
    return f"{what}, among {COMPANY} equal ones"


def _judge(case: Case, tally: Tally, seen: Seen) -> Outcome:
    figures = _figures(tally)
    for what in _found(tally):
        alone, together = (_failed(case, tally, what, name, seen, figures) for name in (what, _together(what)))
        return alone or together or _unseen(case, tally, what, seen, figures)
    remarks = []
    if tally.flushed.pattern is not None:
        x = f"{float(_value(tally.flushed.pattern)[0]):.3g}"
        remarks.append(FLUSHED.format(count=tally.flushed.count, x=x))
    if tally.zeroed:
        remarks.append(ZEROED.format(zeroed=tally.zeroed, all=tally.zeroed + tally.kept))
    return Passed(figures, tuple(remarks))


def _failed(case: Case, tally: Tally, what: str, name: str, seen: Seen, figures: dict[str, object]) -> Failed | None:
    """The failure as the request called ``name`` shows it; ``None`` where its first answer is right."""
    request, answer = _closer(case, tally)[name], observed(seen[name])
    exact = wide(request.x)
    counts = {"wrong_spikes": tally.spikes.count, "wrong_gradients": tally.gradients.count}
    if spikes := what.startswith("spike"):
        promised = forward(case.spec, case.parameters, exact)[0]
        allowed, measured, right = f"exactly {promised:g}", answer.value[0], wide(answer.value)[0] == promised
        error = np.abs(wide(answer.value) - promised)
    else:
        expected = expect(case.spec, case.parameters, case.format, exact)
        allowed, measured = f"{expected.gradient[0]:.9g} ± {expected.bound[0]:.3g}", answer.gradient[0]
        right, error = bool(expected.within(wide(answer.gradient))[0]), np.abs(expected.error(wide(answer.gradient)))
    return None if right else breach(case, request, 0, measured, allowed, error, {**counts, **figures}, spikes=spikes)


def _unseen(case: Case, tally: Tally, what: str, seen: Seen, figures: dict[str, object]) -> Failed:
    """A failure that only the whole program shows: told as it is. How far off it was is not known either."""
    request, answer = _closer(case, tally)[what], observed(seen[what])
    counts = {"wrong_spikes": tally.spikes.count, "wrong_gradients": tally.gradients.count}
    exact = wide(request.x)
    if what.startswith("spike"):
        measured, allowed = answer.value[0], f"exactly {forward(case.spec, case.parameters, exact)[0]:g}"
    else:
        expected = expect(case.spec, case.parameters, case.format, exact)
        measured, allowed = answer.gradient[0], f"{expected.gradient[0]:.9g} ± {expected.bound[0]:.3g}"
    found = breach(case, request, 0, measured, allowed, None, {**counts, **figures})
    told = f"something else among very many inputs in one program; alone, {found.measured}"
    return Failed(found.given, told, f"{what}: {allowed}", None, found.figures)


def _figures(tally: Tally) -> dict[str, object]:
    at = None if tally.max_ulp_at is None else f"{float(_value(tally.max_ulp_at)[0]):.9g} (0x{tally.max_ulp_at:08x})"
    return {
        "inputs": tally.size,
        "max_ulp": tally.max_ulp,
        "max_ulp_at": at,
        "flushed": tally.flushed.count,
        "subnormal_output": _output(tally),
        "tally": tally.to_dict(),
    }


def _output(tally: Tally) -> str:
    if not tally.zeroed:
        return "kept" if tally.kept else "none"
    return "flushed" if not tally.kept else "flushed in part"


PATTERNS = Proof(
    id="pointwise.patterns",
    promise="Spikes and gradients are as declared all over float32: at every 2,048th bit pattern, in the profile "
    "`thorough` at all 2^32.",
    scope="one rate",
    spans=_spans,
    closer=_closer,
    judge=_judge,
)
