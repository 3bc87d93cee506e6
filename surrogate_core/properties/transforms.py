"""Under transformations: the same spikes and the same gradient as the plain call gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surrogate_core.drivers.base import Observation, Operation, Request, Transform, Unsupported, describe
from surrogate_core.properties.base import (
    Case,
    Property,
    Requests,
    Seen,
    agreement,
    breach,
    gravest,
    observed,
    shown,
    spikes_alone,
    staged,
    swept,
    whole_sweep,
    wide,
)
from surrogate_core.properties.compare import SMALL, bounds_off, cotangents, distance, slack, unlike
from surrogate_core.properties.forward import differences
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Witness
from surrogate_core.properties.outcome import Unsupported as UnsupportedOutcome
from surrogate_core.spec.digits import in_format, plus_minus
from surrogate_core.spec.sweep import simplest

__all__ = ["DEVICES", "JIT", "MODES", "VMAP"]

FLUSHED = "{where} takes negative subnormal input for zero where the plain call does not; the spec tolerates it"


def _compare_sweeps(case: Case, where: str, request: Request, base: Observation, got: Observation) -> Failed | str:
    """A failure, or a remark (empty where there is nothing to say)."""
    if got.value.dtype != base.value.dtype:
        measured, allowed = f"spikes of dtype {got.value.dtype.name}", f"the plain call's {base.value.dtype.name}"
        return Failed(where, measured, allowed, witness=Witness(request, 0))
    wrong, flushed = differences(case, got.value, wide(base.value))
    if wrong.any():
        index = simplest(case.sweep.x, wrong)
        allowed = f"the plain call's {in_format(base.value[index], case.format)}"
        return breach(case, request, index, got.value[index], allowed)
    if got.derivative is not None:
        plain, other = wide(base.gradient), wide(got.gradient)
        tolerance, _ = agreement(case, case.sweep.exact)
        error = distance(other, plain)
        differ = error > tolerance
        if differ.any():
            index = simplest(case.sweep.x, gravest(case, request, differ, error))
            allowed = f"the plain call's {plus_minus(plain[index], tolerance[index], case.format)}"
            return breach(case, request, index, got.gradient[index], allowed, error[differ])
    return FLUSHED.format(where=where) if flushed.any() else ""


JIT_ALONE = (Transform("jit"),)

COMPILED = {"jit of the spikes": "plain spikes", "jit of forward and backward": "plain"}
"""What is compared with what."""

UNCOMPILED = "torch.compile compiles none of it, and runs it eagerly: {why}"
BROKEN = "torch.compile leaves its program, and runs eagerly what it cannot trace, such as the backward pass: {why}"


def _jit_skipped(case: Case) -> str | None:
    if case.framework == "jax" or case.profile == "thorough":
        return None
    return "PyTorch runs eagerly; torch.compile, its compiler, takes seconds and is judged in --profile thorough"


def _observe_jit(case: Case) -> Requests:
    # PyTorch's compiler is given the spike function and makes the backward pass from it.
    inside, outside = ((), JIT_ALONE) if case.framework == "jax" else (JIT_ALONE, ())
    return {
        "plain spikes": spikes_alone(case),
        "plain": whole_sweep(case),
        "jit of the spikes": Request("value", case.sweep.x, inner=JIT_ALONE),
        # A turn of its own: what shares a program with others is compiled with less optimisation than users get.
        "jit of forward and backward": Request("vjp", case.sweep.x, inner=inside, outer=outside, turn=1),
    }


def _judge_jit(case: Case, seen: Seen) -> Outcome:
    requests, remarks = _observe_jit(case), []
    for where, base in COMPILED.items():
        verdict = _compare_sweeps(case, where, requests[where], observed(seen[base]), observed(seen[where]))
        if isinstance(verdict, Failed):
            return verdict
        remarks += [verdict] if verdict else []
    if case.framework == "jax":
        return Passed(swept(case), tuple(remarks))
    answers = [observed(seen[name]) for name in COMPILED]
    breaks = tuple(dict.fromkeys(reason for answer in answers for reason in answer.breaks))
    programs = [answer.compiled for answer in answers]
    if breaks or not all(programs):
        remarks.append((BROKEN if all(programs) else UNCOMPILED).format(why="; ".join(breaks) or "it does not say why"))
    return Passed(swept(case) | {"programs": programs, "graph_breaks": list(breaks)}, tuple(remarks))


JIT = Property(
    id="transform.jit",
    promise="Compiled, the spikes are those of the plain call and the gradient agrees within the derived bound.",
    observe=_observe_jit,
    judge=_judge_jit,
    scope="each dtype",
    skip=_jit_skipped,
)


SHAPE = (12, 3, 7)
"""Batches of an even and of an odd number beyond those of :mod:`surrogate_core.properties.stacks`: a rule that goes in
blocks does otherwise from some size on. Few enough for a script."""

AXES = ((0, 0), (1, 0), (-1, 1))
"""(in_axes, out_axes) pairs: the first axis, and two that a rule which assumes it gets wrong."""


EAGER = ", eager"


def _observe_vmap(case: Case) -> Requests:
    x, weights, jit = case.sample(SHAPE), cotangents(case, SHAPE), staged(case)
    requests = {"plain": Request("vjp", x, direction=weights, outer=jit)}
    for into, out in AXES:
        batch = (Transform("vmap", into, out),)
        requests[describe("vjp", (), batch)] = Request("vjp", x, direction=weights, outer=batch + jit)
        moved = np.moveaxis(weights, into, out)
        requests[describe("vjp", batch, ())] = Request("vjp", x, direction=moved, inner=batch, outer=jit)
    if jit:
        # Once without jit, too: what remembers values, or branches on them, cannot do so within a trace. A batch of
        # numbers takes the programs that an eager call of as many takes.
        batch, few, each = (Transform("vmap"),), case.sample((SMALL,)), cotangents(case, (SMALL,))
        requests[f"plain{EAGER}"] = Request("vjp", few, direction=each)
        requests[f"{describe('vjp', (), batch)}{EAGER}"] = Request("vjp", few, direction=each, outer=batch)
    return requests


def _judge_vmap(case: Case, seen: Seen) -> Outcome:
    requests = _observe_vmap(case)
    missing: dict[str, list[str]] = {}
    for name, request in requests.items():
        if name.startswith("plain"):
            continue
        plain = observed(seen[f"plain{EAGER if name.endswith(EAGER) else ''}"])
        within = slack(case, request.x, cotangents(case, request.x.shape), plain.gradient)
        answer = seen[name]
        if isinstance(answer, Unsupported):
            missing.setdefault(str(answer), []).append(name)
            continue
        batch = next(t for t in request.inner + request.outer if t.name == "vmap")
        axes = batch.in_axis, batch.out_axis
        # vmap of the whole moves both results' axes; vjp of a vmap gives a gradient laid out as x.
        gradient = plain.gradient if request.inner else np.moveaxis(plain.gradient, *axes)
        allowed = within if request.inner else np.moveaxis(within, *axes)
        where = f"{name}, x of shape {request.x.shape}"
        moved = Observation(np.moveaxis(plain.value, *axes), gradient)
        if failure := unlike(case, where, request, answer, moved, allowed):
            return failure
    return UnsupportedOutcome(_lacking(missing)) if missing else Passed({"axes": [list(a) for a in AXES]})


def _lacking(missing: dict[str, list[str]]) -> str:
    """What an implementation lacks, each answer of the framework once, with the evaluations that met it."""
    return "; ".join(f"{answer} [{', '.join(names)}]" for answer, names in missing.items())


VMAP = Property(
    id="transform.vmap",
    promise="Batched over any axis, spikes and gradient are those of the plain call, in the right layout.",
    observe=_observe_vmap,
    judge=_judge_vmap,
    any_shape=True,
    scope="once",
)


TANGENTS = "jvp of other tangents"


def _observe_modes(case: Case) -> Requests:
    x, jit = case.sample((SMALL,)), staged(case)
    operations: tuple[Operation, ...] = ("value", "vjp", "grad", "jacrev", "jvp", "jacfwd")
    requests = {operation: Request(operation, x, outer=jit) for operation in operations}
    # Tangents of ones, which all the others have, show nothing of a rule that is not linear in them.
    return requests | {TANGENTS: Request("jvp", x, direction=cotangents(case, x.shape), outer=jit)}


def _judge_modes(case: Case, seen: Seen) -> Outcome:
    requests = _observe_modes(case)
    x = requests["vjp"].x
    spikes, base = observed(seen["value"]).value, observed(seen["vjp"])
    tolerance, _ = agreement(case, x)
    plain = wide(base.gradient)
    missing: dict[str, list[str]] = {}
    for name, request in requests.items():
        if name == "value":
            continue
        answer = seen[name]
        if isinstance(answer, Unsupported):
            missing.setdefault(str(answer), []).append(name)
            continue
        derivative = wide(answer.gradient)
        if derivative.ndim == 2:
            beside = np.where(np.eye(x.size, dtype=bool), 0.0, derivative)
            if (beside != 0).any():
                row, column = (int(i) for i in np.argwhere(beside != 0)[0])
                return Failed(
                    f"{name} of {x.size} inputs",
                    f"d spike[{row}] / d x[{column}] = {in_format(beside[row, column], case.format)}",
                    "0: spikes are elementwise",
                    witness=Witness(request),
                )
            derivative = np.diagonal(derivative)
        weights = np.ones(x.shape) if request.direction is None else wide(request.direction)
        promised = plain * weights
        allowed = tolerance if request.direction is None else slack(case, x, request.direction, promised)
        error, beats = distance(derivative, promised), distance(wide(answer.value), wide(spikes))
        wrong = (error > allowed) | (beats > 0)
        if wrong.any():
            index = simplest(x, wrong)
            times = "" if request.direction is None else f" times the tangent {weights[index]:g}"
            return Failed(
                f"{name} at x = {shown(case, x[index])}",
                f"derivative {in_format(derivative[index], case.format)}, "
                f"spike {in_format(answer.value[index], case.format)}",
                f"what vjp gives{times}: {plus_minus(promised[index], allowed[index], case.format)}, "
                f"spike {in_format(spikes[index], case.format)} alone",
                severity=float((error / np.abs(weights)).max()) / (case.sweep.expected.peak or 1.0),
                witness=Witness(request),
            )
    return (
        UnsupportedOutcome(_lacking(missing))
        if missing
        else Passed({"modes": [name for name in requests if name != "value"]})
    )


MODES = Property(
    id="transform.modes",
    promise="Forward and reverse mode agree: grad, vjp, jvp, jacrev and jacfwd give one gradient.",
    observe=_observe_modes,
    judge=_judge_modes,
    scope="once",
)


def _others(case: Case) -> tuple[str, ...]:
    return tuple(d for d in case.devices if d != case.device)


def _observe_devices(case: Case) -> Requests:
    here = {"here": whole_sweep(case)}
    return here | {name: Request("vjp", case.sweep.x, device=name) for name in _others(case)}


def _judge_devices(case: Case, seen: Seen) -> Outcome:
    requests, remarks = _observe_devices(case), []
    answers = {case.device: observed(seen["here"])} | {name: observed(seen[name]) for name in _others(case)}
    # How far each is from the formula tells which of two is to blame.
    off = {name: float(f"{bounds_off(case, answer.gradient):.3g}") for name, answer in answers.items()}
    for name in _others(case):
        verdict = _compare_sweeps(case, name, requests[name], answers[case.device], answers[name])
        if isinstance(verdict, Failed):
            told = ", ".join(f"{off[device]:.3g} on {device}" for device in (case.device, name))
            return replace(verdict, measured=f"{verdict.measured}; largest error in bounds: {told}")
        remarks += [verdict] if verdict else []
    return Passed({"devices": [*answers], "bounds_off": off}, tuple(remarks))


DEVICES = Property(
    id="device.agreement",
    promise="Every device gives the same spikes, and gradients that agree within the derived bound.",
    observe=_observe_devices,
    judge=_judge_devices,
    skip=lambda case: None if _others(case) else f"{case.device} is the only device: there is none to compare it with",
)
