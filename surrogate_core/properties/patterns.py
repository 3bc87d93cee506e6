"""All of float32: spikes and gradients at every bit pattern, or at every 2,048th of them.

A sweep of 65,536 points sees a defect that is as wide as an exponent. What hides in a narrow window, or at one
pattern, is found by looking at all of them, which is done where they are evaluated (see drivers/tally.py).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surrogate_core.drivers.base import Observation, Request
from surrogate_core.drivers.tally import MAGNITUDES, Span, Tally, spans
from surrogate_core.properties.base import Case, Proof, Requests, Seen, breach, gravest, observed, whole_sweep, wide
from surrogate_core.properties.outcome import Failed, Outcome, Passed
from surrogate_core.spec.cases import at_nan
from surrogate_core.spec.digits import in_format
from surrogate_core.spec.expectation import Expectation
from surrogate_core.spec.oracle import expect, forward
from surrogate_core.spec.sweep import simplest

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


def _found(tally: Tally) -> tuple[str, int] | None:
    """What is told of all that is wrong, finite numbers and spikes first; and the pattern nearest to 0 where it is."""
    findings = {
        "spike": tally.spikes,
        "gradient": tally.gradients,
        "spike at a non-finite input": tally.nonfinite_spikes,
        "gradient at a non-finite input": tally.nonfinite_gradients,
    }
    return next(((what, found.pattern) for what, found in findings.items() if found.pattern is not None), None)


def _value(pattern: int) -> np.ndarray:
    return np.array([pattern], np.uint32).view(np.float32)


COMPANY = 64
"""Equal inputs: enough that a vectorised loop takes them, whose exp may be another than that of a lone number."""


def _closer(case: Case, span: Span, tally: Tally) -> Requests:
    """The sweep, which may hold a simpler input that fails, and the failing pattern, alone and among its like."""
    if (told := _found(tally)) is None:
        return {}
    alone = _value(told[1])
    return {
        "sweep": whole_sweep(case),
        "alone": Request("vjp", alone),
        "among equal ones": Request("vjp", np.repeat(alone, COMPANY)),
    }


def _judge(case: Case, span: Span, tally: Tally, seen: Seen) -> Outcome:
    if (told := _found(tally)) is not None:
        return _failed(case, span, tally, told[0], seen)
    remarks = []
    if tally.flushed.pattern is not None:
        x = f"{float(_value(tally.flushed.pattern)[0]):.3g}"
        remarks.append(FLUSHED.format(count=tally.flushed.count, x=x))
    if tally.zeroed:
        remarks.append(ZEROED.format(zeroed=tally.zeroed, all=tally.zeroed + tally.kept))
    return Passed(_figures(tally), tuple(remarks))


def _failed(case: Case, span: Span, tally: Tally, what: str, seen: Seen) -> Failed:
    """The failure at the simplest input that shows it, as large as the worst of all that were counted and swept."""
    worst = _worst(case, span, tally, what, seen)
    for name, request in _closer(case, span, tally).items():
        answer = observed(seen[name])
        wrong, errors = _wrong(case, what, request, answer)
        wrong &= span.stands_for(request.x.view(np.uint32))
        if wrong.any():
            # Each wrong spike is a defect.
            grave = wrong if what.startswith("spike") else gravest(case, request, wrong, np.abs(errors))
            return _shown(case, tally, what, request, answer, simplest(request.x, grave), worst)
    request, answer = _closer(case, span, tally)["alone"], observed(seen["alone"])
    found = _shown(case, tally, what, request, answer, 0, worst)
    measured = f"something else among very many inputs in one program; alone, {found.measured}"
    # Only the whole program shows it, so that there is no script.
    return replace(found, measured=measured, allowed=f"{what}: {found.allowed}", witness=None)


def _wrong(case: Case, what: str, request: Request, answer: Observation) -> tuple[np.ndarray, np.ndarray]:
    """(wrong, errors) of spikes or of gradients, at finite inputs or at the others, by the definition of a tally."""
    exact = wide(request.x)
    kept = np.isfinite(exact) if what in ("spike", "gradient") else ~np.isfinite(exact)
    if what.startswith("spike"):
        value, promised = wide(answer.value), forward(case.spec, case.parameters, exact)
        at_zero = forward(case.spec, case.parameters, np.zeros(1))[0]
        subnormal = (np.abs(exact) < case.format.smallest_normal) & (exact != 0)
        flushed = subnormal & (value == at_zero) & case.spec.flushing_tolerated
        return kept & (value != promised) & ~np.isnan(promised) & ~flushed, value - promised
    expected, measured = _expected(case, request), wide(answer.gradient)
    unpromised = np.isnan(exact) & bool(at_nan(case.spec, case.parameters))
    unpromised |= np.isinf(exact) & np.isnan(expected.gradient)
    return kept & ~expected.within(measured) & ~unpromised, expected.error(measured)


def _expected(case: Case, request: Request) -> Expectation:
    if request.x is case.sweep.x:
        return case.sweep.expected
    return expect(case.spec, case.parameters, case.format, wide(request.x))


def _worst(case: Case, span: Span, tally: Tally, what: str, seen: Seen) -> float:
    """The largest error: of a spike as a share of a spike, of a gradient of its peak, whichever is larger.

    Whoever knows a failure by its size knows all of it, whichever part of it is told.
    """
    peak = case.sweep.expected.peak or 1.0
    beyond = "" if what in ("spike", "gradient") else " at a non-finite input"
    counted = (tally.nonfinite_spikes, tally.nonfinite_gradients) if beyond else (tally.spikes, tally.gradients)
    shares = [counted[0].worst, counted[1].worst / peak]
    here = span.stands_for(case.sweep.x.view(np.uint32))
    for kind, scale in (("spike", 1.0), ("gradient", peak)):
        wrong, errors = _wrong(case, f"{kind}{beyond}", whole_sweep(case), observed(seen["sweep"]))
        sizes = np.abs(errors[wrong & here])
        shares.append(float(np.max(np.where(np.isnan(sizes), np.inf, sizes), initial=0.0)) / scale)
    return max(shares)


def _shown(
    case: Case, tally: Tally, what: str, request: Request, answer: Observation, index: int, worst: float
) -> Failed:
    """The failure at one input."""
    spikes = what.startswith("spike")
    if spikes:
        promised = forward(case.spec, case.parameters, wide(request.x))[index]
        measured, allowed = answer.value[index], f"exactly {in_format(promised, case.format)}"
    else:
        measured, allowed = answer.gradient[index], _expected(case, request).accepted(index)
    counts = {"wrong_spikes": tally.spikes.count, "wrong_gradients": tally.gradients.count}
    error = np.array([worst * (1.0 if spikes else case.sweep.expected.peak or 1.0)])
    return breach(case, request, index, measured, allowed, error, {**counts, **_figures(tally)}, spikes=spikes)


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
