"""The forward pass: the step, and its dtype. No rounding is involved, so no tolerance either."""

from __future__ import annotations

import numpy as np

from surrogate_core.properties.base import (
    Case,
    Property,
    Requests,
    Seen,
    breach,
    observed,
    spikes_alone,
    whole_sweep,
    wide,
)
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Witness
from surrogate_core.spec.digits import in_format
from surrogate_core.spec.oracle import forward
from surrogate_core.spec.sweep import simplest

__all__ = ["DTYPE", "STEP", "differences"]

STRETCHES = 12
"""So many stretches of one spike value are kept for a plot."""

ONLY_FLUSHED = "; here subnormal input is taken for zero, which the spec does not tolerate"

FLUSHED = (
    "{dtype}: subnormal input is taken for zero, by the platform or the code, so that x = {x:.3g} fires; "
    "the spec tolerates it"
)


def differences(case: Case, value: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(wrong, flushed): where the spikes over the sweep differ, and where only because subnormals flush.

    Where the spec does not tolerate that, the second are wrong, too.
    """
    exact, spikes = case.sweep.exact, wide(value)
    wrong = (spikes != expected) & ~(np.isnan(expected) & np.isnan(spikes))
    subnormal = (np.abs(exact) < case.format.smallest_normal) & (exact != 0)
    at_zero = np.where(np.signbit(exact), spikes[case.sweep.half], spikes[0])
    flushed = wrong & subnormal & (spikes == at_zero)
    return wrong & ~flushed if case.spec.flushing_tolerated else wrong, flushed


def _held(expected: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """What a format holds of the promised values: a count of 2**16 spikes is infinite in float16."""
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = wide(expected.astype(dtype))
    return np.where(np.isinf(rounded), rounded, expected)


def _judge_step(case: Case, seen: Seen) -> Outcome:
    expected = forward(case.spec, case.parameters, case.sweep.exact)
    promised = ~np.isnan(expected)
    requests = _observe_step(case)
    remarks: list[str] = []
    tolerated = 0
    for name, request in requests.items():
        value = observed(seen[name]).value
        expected = _held(expected, value.dtype)
        wrong, flushed = differences(case, value, np.where(promised, expected, wide(value)))
        if wrong.any():
            index = simplest(request.x, wrong)
            why = ONLY_FLUSHED if (wrong == flushed).all() else ""
            counts = {"wrong": int(wrong.sum()), "inputs": int(promised.sum()), "flushed": int(flushed.sum())}
            return breach(
                case,
                request,
                index,
                value[index],
                f"exactly {in_format(expected[index], case.format)}{why}",
                np.abs(wide(value) - expected)[wrong],
                {**counts, "subnormal_input": _subnormal_input(case, wide(value)), **_levels(case, expected, value)},
                spikes=True,
            )
        if flushed.any():
            tolerated = int(flushed.sum())
            example = case.sweep.exact[simplest(request.x, flushed)]
            remarks.append(FLUSHED.format(dtype=case.dtype, x=example))
    figures = {"inputs": int(promised.sum()), "exhaustive": case.sweep.exhaustive, "flushed": tolerated}
    answer = wide(observed(seen["under vjp"]).value)
    figures["subnormal_input"] = _subnormal_input(case, answer)
    return Passed(figures | _levels(case, expected, answer), tuple(dict.fromkeys(remarks)))


def _levels(case: Case, expected: np.ndarray, spikes: np.ndarray) -> dict[str, object]:
    """Declared and measured spikes as stretches of one value in ascending x, -0 before +0, for a plot.

    A step has two; a function of more stretches than a person tells apart has none, and nothing is stored.
    """
    exact, half = case.sweep.exact, case.sweep.half
    order = np.concatenate([np.arange(half, 2 * half)[::-1], np.arange(half)])
    order = order[np.isfinite(exact[order])]
    declared, measured = (_stretches(exact[order], wide(values)[order]) for values in (expected, spikes))
    return {"levels": {"declared": declared, "measured": measured}} if declared and measured else {}


def _stretches(x: np.ndarray, values: np.ndarray) -> list[list[float]]:
    """[first x, last x, value] of each stretch; none where there are more than ``STRETCHES``."""
    change = np.flatnonzero((values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))) + 1
    if change.size >= STRETCHES:
        return []
    first, last = [0, *change.tolist()], [*(change - 1).tolist(), x.size - 1]
    return [
        [float(f"{x[a]:.9g}"), float(f"{x[b]:.9g}"), float(f"{values[a]:.6g}")]
        for a, b in zip(first, last, strict=True)
    ]


def _subnormal_input(case: Case, spikes: np.ndarray) -> str:
    """Whether subnormal input is seen as what it is, on the side where the step differs from its value at 0."""
    exact, size = case.sweep.exact, np.abs(case.sweep.exact)
    taken: list[np.ndarray] = []
    for zero, side in ((0, exact > 0), (case.sweep.half, exact < 0)):
        subnormal = side & (size < case.format.smallest_normal)
        beyond = np.flatnonzero(side & ~subnormal)[0]
        if subnormal.any() and spikes[zero] != spikes[beyond]:
            taken.append(spikes[subnormal] == spikes[zero])
    if not taken:
        return "cannot be told: the step does not change at 0"
    as_zero = np.concatenate(taken)
    return "flushed" if as_zero.all() else "flushed in part" if as_zero.any() else "kept"


def _observe_step(case: Case) -> Requests:
    return {"alone": spikes_alone(case), "under vjp": whole_sweep(case)}


STEP = Property(
    id="forward.step",
    promise="The forward value is exactly the declared step, at every input.",
    observe=_observe_step,
    judge=_judge_step,
)


def _judge_dtype(case: Case, seen: Seen) -> Outcome:
    alone, swept_both = observed(seen["alone"]), observed(seen["sweep"])
    for what, array, request in (
        ("spikes alone", alone.value, spikes_alone(case)),
        ("spikes", swept_both.value, whole_sweep(case)),
        ("gradient", swept_both.gradient, whole_sweep(case)),
    ):
        if array.dtype != case.format.dtype:
            return Failed(
                given=f"x of dtype {case.dtype}",
                measured=f"{what} of dtype {array.dtype.name}",
                allowed=f"{what} of dtype {case.dtype}",
                witness=Witness(request, 0),
            )
    return Passed()


DTYPE = Property(
    id="forward.dtype",
    promise="Spikes and gradient have the dtype of the input.",
    observe=lambda case: {"alone": spikes_alone(case), "sweep": whole_sweep(case)},
    judge=_judge_dtype,
)
