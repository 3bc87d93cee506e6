"""The forward pass: the step, its dtype, its shape. No rounding is involved, so no tolerance either."""

from __future__ import annotations

import numpy as np

from surrogate_core.drivers.base import Request
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
from surrogate_core.spec.oracle import forward
from surrogate_core.spec.sweep import simplest

__all__ = ["DTYPE", "SHAPE", "STEP", "differences"]

FLUSHED = (
    "{dtype}: subnormal input is taken for zero, so that x = {x:.3g} fires; "
    "the platform flushes subnormals, and the spec tolerates it"
)

SHAPES: dict[str, tuple[int, ...]] = {
    "a scalar": (),
    "an empty array": (0,),
    "length 1": (1,),
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
    observation = observed(seen["sweep"])
    for what, array in (("spikes", observation.value), ("gradient", observation.gradient)):
        if array.dtype != case.format.dtype:
            return Failed(
                given=f"x of dtype {case.dtype}",
                measured=f"{what} of dtype {array.dtype.name}",
                allowed=f"{what} of dtype {case.dtype}",
                witness=Witness(whole_sweep(case), 0),
            )
    return Passed()


DTYPE = Property(
    id="forward.dtype",
    promise="Spikes and gradient have the dtype of the input.",
    observe=lambda case: {"sweep": whole_sweep(case)},
    judge=_judge_dtype,
)


def _observe_shape(case: Case) -> Requests:
    return {name: Request("vjp", case.sample(shape)) for name, shape in SHAPES.items()}


def _judge_shape(case: Case, seen: Seen) -> Outcome:
    for name, request in _observe_shape(case).items():
        answer = observed(seen[name])
        for what, array in (("spikes", answer.value), ("gradient", answer.gradient)):
            if array.shape != request.x.shape:
                return Failed(
                    given=f"{name}: x of shape {request.x.shape}",
                    measured=f"{what} of shape {array.shape}",
                    allowed=f"{what} of shape {request.x.shape}",
                    witness=Witness(request),
                )
    return Passed({"shapes": [list(shape) for shape in SHAPES.values()]})


SHAPE = Property(
    id="forward.shape",
    promise="Spikes and gradient have the shape of the input: a scalar, empty, one element, any rank.",
    observe=_observe_shape,
    judge=_judge_shape,
    any_shape=True,
)
