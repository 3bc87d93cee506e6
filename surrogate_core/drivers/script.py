"""A request written down as a program that needs only its framework and the implementation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from surrogate_core.drivers.base import Operation, Request, Transform

__all__ = ["Dialect", "literal", "program"]


@dataclass(frozen=True)
class Dialect:
    """How one framework says things.

    Attributes:
        imports: the lines that import it.
        array: an array, from ``{values}`` and ``{dtype}``.
        ones: ones like ``x``.
        operations: each operation as an expression of ``{spike}``, ``x`` and ``v``.
        nested: operations that read otherwise within a transformation.
        vmap: ``{call}`` batched over ``{axes}``, its results over ``{out}``.
        jit: ``{call}`` compiled.
        wide: a line that makes float64 possible; after the implementation's import, which may undo it.
    """

    imports: str
    array: str
    ones: str
    operations: Mapping[Operation, str]
    vmap: str
    jit: str
    nested: Mapping[Operation, str] = field(default_factory=dict)
    wide: str = ""


def program(dialect: Dialect, request: Request, build: str, imports: str) -> str:
    """The program; it prints what the operation derives, or the spikes where it is their value.

    Args:
        dialect: of the framework.
        request: what to evaluate.
        build: the expression that makes the spike function.
        imports: the lines that bring its factory into scope.
    """
    dtype = request.x.dtype.name
    spike = "spike"
    for transform in request.inner:
        spike = _applied(dialect, transform, spike, 1)
    templates = {**dialect.operations, **(dialect.nested if request.outer else {})}
    expression = templates[request.operation].format(spike=spike)
    directed = request.operation in ("vjp", "jvp")
    lines = [dialect.imports, imports]
    if dialect.wide and dtype == "float64":
        lines.append(dialect.wide)
    lines += [f"spike = {build}", f"x = {dialect.array.format(values=literal(request.x), dtype=dtype)}"]
    if directed and request.direction is None:
        lines.append(f"v = {dialect.ones}")
    elif directed:
        lines.append(f"v = {dialect.array.format(values=literal(request.direction), dtype=dtype)}")
    if request.outer:
        arguments = "x, v" if directed else "x"
        lines += ["", f"def evaluate({arguments}):", f"    return {expression}", ""]
        call = "evaluate"
        for transform in request.outer:
            call = _applied(dialect, transform, call, 2 if directed else 1)
        expression = f"{call}({arguments})"
    return "\n".join([*lines, f"print({expression})"]) + "\n"


def _applied(dialect: Dialect, transform: Transform, call: str, arguments: int) -> str:
    if transform.name == "jit":
        return dialect.jit.format(call=call)
    axes = str(transform.in_axis) if arguments == 1 else f"({transform.in_axis}, {transform.in_axis})"
    return dialect.vmap.format(call=call, axes=axes, out=transform.out_axis)


def literal(array: Any) -> str:
    """The values as Python source that reproduces every bit: hexadecimal floats, ``nan`` and ``inf``."""

    def one(number: float) -> str:
        if number != number or number in (np.inf, -np.inf):
            return f'float("{number}")'
        short = repr(number)
        return short if len(short) < 8 else f'float.fromhex("{number.hex()}")'

    def nest(values: Any) -> str:
        return one(values) if isinstance(values, float) else "[" + ", ".join(map(nest, values)) + "]"

    with np.errstate(invalid="ignore"):  # a signalling NaN is shown like any other
        return nest(array.astype(np.float64).tolist())
