"""From a failure to a program that shows it: shrink the evaluation, confirm it, write it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from surrogate_core.drivers import Observation, Request
from surrogate_core.drivers.base import describe
from surrogate_core.engine.bench import Bench
from surrogate_core.properties import Statement
from surrogate_core.properties.outcome import Failed, Witness

__all__ = ["programme", "script"]

WINDOWS = (1, 2, 3, 4, 8, 16, 32, 64)
"""Lengths tried around the failing input, shortest first."""


def script(bench: Bench, judged: Statement, failure: Failed) -> str:
    """A program that needs only the framework and the implementation; empty where none can be written."""
    if failure.witness is None:
        return ""
    if failure.witness.before:
        requests, shown = _shrink_program(bench, failure.witness), True
    else:
        request, shown = _shrink(bench, failure.witness)
        requests = (request,)
    written = programme(bench, requests)
    head = [
        judged.promise,
        f"implementation: {bench.implementation.name}, {bench.case.dtype} on {bench.case.device}",
        f"evaluated: {describe(requests[-1].operation, requests[-1].inner, requests[-1].outer)}",
        f"given: {failure.given}",
        f"measured: {failure.measured}",
        f"allowed: {failure.allowed}",
    ]
    if not shown:
        head.append("NOTE: among many inputs only; these few alone do not show it")
    return "".join(f"# {line}\n" for line in head) + written if written else ""


def programme(bench: Bench, requests: Sequence[Request]) -> str:
    """The program that makes the instances and evaluates the requests in order; empty where none can be written."""
    target = bench.implementation.target
    parameters = [bench.case.parameters if r.parameters is None else r.parameters for r in requests]
    imports, build = target.script(bench.case.parameters)
    writable = build and not any(r.threads > 1 or r.operation == "parameter" for r in requests)
    return bench.driver.script(requests, [target.script(p)[1] for p in parameters], imports) if writable else ""


def _shrink_program(bench: Bench, witness: Witness) -> tuple[Request, ...]:
    """The same calls with one input each, where the last of them then gives the same answer."""
    requests, index = (*witness.before, witness.request), witness.index
    if index is None:
        return requests
    # Of instances of their own, which have not been called before.
    alone = [replace(r.at(slice(index, index + 1)), instance=f"{r.instance} alone") for r in requests]
    answers = [bench.observe(r) for r in alone]
    bench.forget({r.instance for r in alone})
    whole = bench.observe(witness.request)
    return tuple(alone) if isinstance(whole, Observation) and _same(answers[-1], 0, whole, index) else requests


def _shrink(bench: Bench, witness: Witness) -> tuple[Request, bool]:
    """The shortest tried window of the inputs that gives the same answer at the failing one."""
    request, index = witness.request, witness.index
    if index is None or request.x.ndim != 1:
        return request, True
    whole = bench.observe(request)
    if not isinstance(whole, Observation):
        return request.at(slice(index, index + 1)), False
    for length in WINDOWS:
        start = max(0, min(index, request.x.size - length))
        part = request.at(slice(start, start + length))
        if _same(bench.observe(part), index - start, whole, index):
            return part, True
    return request.at(slice(index, index + 1)), False


def _same(answer: object, at: int, whole: Observation, index: int) -> bool:
    if not isinstance(answer, Observation) or answer.value.shape != (answer.value.size,) or at >= answer.value.size:
        return False
    pairs = [(answer.value[at], whole.value[index])]
    if whole.derivative is not None:
        if answer.derivative is None or answer.derivative.ndim != 1:
            return False
        pairs.append((answer.derivative[at], whole.derivative[index]))
    with np.errstate(invalid="ignore"):
        return all(a == b or (a != a and b != b) for a, b in pairs)
