"""The forward pass: the step, its dtype, its shape. No rounding is involved, so no tolerance either."""

from __future__ import annotations

import numpy as np

from surrogate_core.drivers.base import Request
from surrogate_core.properties.base import (
    Case,
    Property,
    Requests,
    Seen,
    agreement,
    breach,
    observed,
    spikes_alone,
    whole_sweep,
    wide,
)
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Witness
from surrogate_core.spec.oracle import forward
from surrogate_core.spec.sweep import simplest

__all__ = ["DTYPE", "SHAPE", "STEP", "differences"]

FLUSHED = (
    "{dtype}: subnormal input is taken for zero, by the platform or the code, so that x = {x:.3g} fires; "
    "the spec tolerates it"
)

SHAPES: dict[str, tuple[int, ...]] = {
    "a scalar": (),
    "an empty array": (0,),
    "length 1": (1,),
    "rank 2": (3, 4),
    "rank 3": (2, 1, 3),
}


def differences(case: Case, value: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(wrong, flushed): where the spikes over the sweep differ, and where only because subnormals flush."""
    exact, spikes = case.sweep.exact, wide(value)
    wrong = (spikes != expected) & ~(np.isnan(expected) & np.isnan(spikes))
    subnormal = (np.abs(exact) < case.format.smallest_normal) & (exact != 0)
    at_zero = np.where(np.signbit(exact), spikes[case.sweep.half], spikes[0])
    flushed = wrong & subnormal & (spikes == at_zero) & case.spec.flushing_tolerated
    return wrong & ~flushed, flushed


def _judge_step(case: Case, seen: Seen) -> Outcome:
    expected = forward(case.spec, case.parameters, case.sweep.exact)
    promised = ~np.isnan(expected)
    requests = _observe_step(case)
    remarks: list[str] = []
    tolerated = 0
    for name, request in requests.items():
        value = observed(seen[name]).value
        wrong, flushed = differences(case, value, np.where(promised, expected, wide(value)))
        if wrong.any():
            index = simplest(request.x, wrong)
            return breach(
                case,
                request,
                index,
                value[index],
                f"exactly {expected[index]:g}",
                np.abs(wide(value) - expected)[wrong],
                {"wrong": int(wrong.sum()), "inputs": int(promised.sum())},
            )
        if flushed.any():
            tolerated = int(flushed.sum())
            example = case.sweep.exact[simplest(request.x, flushed)]
            remarks.append(FLUSHED.format(dtype=case.dtype, x=example))
    figures = {"inputs": int(promised.sum()), "exhaustive": case.sweep.exhaustive, "flushed": tolerated}
    return Passed(figures, tuple(dict.fromkeys(remarks)))


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


def _flat(case: Case) -> np.ndarray:
    return case.sample((24,))


def _observe_shape(case: Case) -> Requests:
    flat = _flat(case)
    # Its zeros stay behind: an answer that depends on what else is in the array is seen without them.
    nonzero = flat[flat != 0]
    shaped = {name: nonzero[: int(np.prod(shape))].reshape(shape) for name, shape in SHAPES.items()}
    return {name: Request("vjp", x) for name, x in shaped.items()} | {"flat": Request("vjp", flat)}


def _judge_shape(case: Case, seen: Seen) -> Outcome:
    requests = _observe_shape(case)
    for name, request in requests.items():
        answer, shape = observed(seen[name]), request.x.shape
        for what, array in (("spikes", answer.value), ("gradient", answer.gradient)):
            if array.shape != shape:
                return _misplaced(name, request, f"{what} of shape {array.shape}", f"{what} of shape {shape}")
    flat = observed(seen["flat"])
    kept = requests["flat"].x != 0
    for name, request in requests.items():
        answer = observed(seen[name])
        tolerance, _ = agreement(case, request.x)
        for what, array, plain, allowed in (
            ("spikes", answer.value, flat.value, np.zeros(request.x.shape)),
            ("gradient", answer.gradient, flat.gradient, tolerance),
        ):
            if name != "flat" and (told := _differing(wide(array), wide(plain[kept]), allowed)):
                return _misplaced(name, request, f"{what} {told[0]}", told[1])
    return Passed({"shapes": [list(shape) for shape in SHAPES.values()]})


def _differing(shaped: np.ndarray, flat: np.ndarray, allowed: np.ndarray) -> tuple[str, str] | None:
    """(measured, allowed) at the first element that is not what the longer flat array gives there."""
    got, slack = shaped.reshape(-1), allowed.reshape(-1)
    expected = flat[: got.size]
    with np.errstate(invalid="ignore"):
        same = (np.abs(got - expected) <= slack) | (got == expected) | (np.isnan(got) & np.isnan(expected))
    if same.all():
        return None
    at = int(np.flatnonzero(~same)[0])
    return f"{got[at]:.9g}", f"the {expected[at]:.9g} of the same x in a longer flat array ± {slack[at]:.3g}"


def _misplaced(name: str, request: Request, measured: str, allowed: str) -> Failed:
    return Failed(f"{name}: x of shape {request.x.shape}", measured, allowed, witness=Witness(request))


SHAPE = Property(
    id="forward.shape",
    promise="Spikes and gradient have the shape of the input, and do not depend on it: a scalar, empty, any rank.",
    observe=_observe_shape,
    judge=_judge_shape,
    any_shape=True,
)
