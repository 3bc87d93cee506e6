"""What a JAX program does, counted without a clock: from the jaxpr, and from what XLA says of the compiled program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import jax.extend.core as core

__all__ = ["compiled_counts", "traced_counts"]

_SILENT = {
    "broadcast_in_dim",
    "convert_element_type",
    "copy",
    "optimization_barrier",
    "reshape",
    "squeeze",
    "stop_gradient",
}
"""Primitives that compute nothing; a compiler is free to leave them out."""


def traced_counts(jaxpr: Any) -> dict[str, float]:
    """How often each primitive is evaluated, as ``traced exp``; the body of a scan counts once a step.

    Of the branches of a condition the dearest counts; a loop whose length is not known counts once.
    """
    return {f"traced {name}": float(count) for name, count in sorted(_counted(jaxpr).items())}


def _counted(jaxpr: Any) -> Counter[str]:
    found: Counter[str] = Counter()
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        inner = [_counted(body) for body in _bodies(equation.params)]
        if name == "cond":
            found.update(max(inner, key=lambda branch: branch.total()))
        elif inner:
            steps = equation.params["length"] if name == "scan" else 1
            for body in inner:
                found.update({what: steps * count for what, count in body.items()})
        elif name not in _SILENT:
            found[name] += 1
    return found


def _bodies(parameters: dict[str, Any]) -> Iterator[Any]:
    """The jaxprs within a primitive's parameters; of a rule that was not used, none."""
    for value in parameters.values():
        for item in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(item, core.ClosedJaxpr):
                yield item.jaxpr
            elif isinstance(item, core.Jaxpr):
                yield item


def compiled_counts(program: Any) -> dict[str, float]:
    """What XLA says of a compiled program: arithmetic, bytes moved, transcendentals, bytes of temporaries.

    XLA counts the body of a loop once, however often it runs. A backend that says nothing adds nothing.
    """
    cost: Any = program.cost_analysis() or {}
    memory = program.memory_analysis()
    known = {
        "compiled flops": cost.get("flops"),
        "compiled bytes": cost.get("bytes accessed"),
        "compiled transcendentals": cost.get("transcendentals"),
        "compiled temporaries": getattr(memory, "temp_size_in_bytes", None),
    }
    return {name: float(value) for name, value in known.items() if value is not None}
