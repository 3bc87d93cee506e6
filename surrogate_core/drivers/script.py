"""A request written down as a program that needs only its framework and the implementation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from surrogate_core.drivers.base import Operation, Request, Transform, TransformName

__all__ = ["Dialect", "literal", "program"]

DIRECTED = ("vjp", "late vjp", "vjp again", "jvp", "linearize", "affine", "recurrent")
"""Operations with a cotangent or tangent."""


@dataclass(frozen=True)
class Dialect:
    """How one framework says things.

    Attributes:
        imports: the lines that import it.
        array: an array, from ``{values}`` and ``{dtype}``.
        ones: ones like ``x``.
        operations: each operation as an expression of ``{spike}``, ``x`` and ``v`` (and ``weights``).
        vmap: ``{call}`` batched over ``{axes}``, its results over ``{out}``.
        transforms: the other transformations, of ``{call}``.
        nested: operations that read otherwise within a vmap.
        definitions: functions that an operation or a transformation calls.
        wide: a line that float64 needs; after the implementation's import, which may undo it.
    """

    imports: str
    array: str
    ones: str
    operations: Mapping[Operation, str]
    vmap: str
    transforms: Mapping[TransformName, str]
    nested: Mapping[Operation, str] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    wide: str = ""


def program(dialect: Dialect, requests: Sequence[Request], builds: Sequence[str], imports: str) -> str:
    """The program; it prints what each operation derives, or the spikes and their dtype where it is their value.

    Args:
        dialect: of the framework.
        requests: what to evaluate, in order.
        builds: for each of them the expression that makes its spike function.
        imports: the lines that bring the factory into scope.
    """
    lines = [*dialect.imports.splitlines(), imports]
    if dialect.wide and any(request.x.dtype.name == "float64" for request in requests):
        lines.append(dialect.wide)
    names = {name for r in requests for name in (r.operation, *(t.name for t in r.inner + r.outer))}
    lines += [dialect.definitions[name] for name in dialect.definitions if name in names]
    made: dict[tuple[str, str], str] = {}
    several = len({(r.instance, build) for r, build in zip(requests, builds, strict=True)}) > 1
    for number, (request, build) in enumerate(zip(requests, builds, strict=True)):
        who = (request.instance, build)
        if who not in made:
            made[who] = f"spike_{len(made) + 1}" if several else "spike"
            lines.append(f"{made[who]} = {build}")
        lines += _evaluation(dialect, request, made[who], f"evaluate_{number + 1}" if len(requests) > 1 else "evaluate")
    return "\n".join(lines) + "\n"


def _evaluation(dialect: Dialect, request: Request, spike: str, name: str) -> list[str]:
    """The lines that evaluate one request and print what came out."""
    dtype = request.x.dtype.name
    for transform in request.inner:
        spike = _applied(dialect, transform, spike, 1)
    batched = any(transform.name == "vmap" for transform in request.outer)
    templates = {**dialect.operations, **(dialect.nested if batched else {})}
    expression = templates[request.operation].format(spike=spike)
    directed = request.operation in DIRECTED
    lines = [f"x = {dialect.array.format(values=literal(request.x), dtype=dtype)}"]
    if request.weights:
        written = (dialect.array.format(values=literal(w), dtype=dtype) for w in request.weights)
        lines.append(f"weights = [{', '.join(written)}]")
    if directed and request.direction is None:
        lines.append(f"v = {dialect.ones}")
    elif directed:
        lines.append(f"v = {dialect.array.format(values=literal(request.direction), dtype=dtype)}")
    if request.outer:
        arguments = "x, v" if directed else "x"
        lines += ["", f"def {name}({arguments}):", f"    return {expression}", ""]
        call = name
        for transform in request.outer:
            call = _applied(dialect, transform, call, 2 if directed else 1)
        expression = f"{call}({arguments})"
    if request.operation == "value":
        return [*lines, f"s = {expression}", "print(s, s.dtype)"]
    return [*lines, f"print({expression})"]


def _applied(dialect: Dialect, transform: Transform, call: str, arguments: int) -> str:
    if transform.name == "vmap":
        axes = str(transform.in_axis) if arguments == 1 else f"({transform.in_axis}, {transform.in_axis})"
        return dialect.vmap.format(call=call, axes=axes, out=transform.out_axis)
    return dialect.transforms[transform.name].format(call=call)


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
