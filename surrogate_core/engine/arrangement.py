"""The order in which a run's results are told: that of its plan, in whatever order they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from surrogate_core.engine.result import Result

__all__ = ["arranged"]


def arranged(header: Mapping[str, Any], results: Iterable[Result]) -> tuple[Result, ...]:
    """The results by implementation, device, format, parameters, property and part, each in the header's order.

    Parameters are in the order of the implementation's own grid, its defaults first: that of the whole run
    would begin with whatever another implementation has.
    Several workers, an executor or a resumed run bring them in another order every time; what is drawn of
    them shall not differ. What the header does not know comes last.
    """
    implementations = [entry["name"] for entry in header["implementations"]]
    devices = [device[0] for each in header["devices"].values() for device in each]
    places = {
        kind: _places(values)
        for kind, values in (
            ("implementation", implementations),
            ("device", devices),
            ("dtype", header.get("dtypes")),
            ("parameters", header.get("grid")),
            ("property", [*header["properties"]]),
        )
    }
    own = {str(e["name"]): _places(e["grid"]) for e in header["implementations"] if "grid" in e}

    def place(kind: str, value: Any, among: Mapping[Any, int] | None = None) -> int:
        among = places[kind] if among is None else among
        return among.get(_hashable(value), len(among))

    def key(result: Result) -> tuple[Any, ...]:
        return (
            place("implementation", result.implementation),
            place("device", result.device),
            place("dtype", result.dtype),
            place("parameters", dict(result.parameters), own.get(result.implementation)),
            place("property", result.property_id),
            result.part,
        )

    return tuple(sorted(results, key=key))


def _places(values: Any) -> dict[Any, int]:
    """Where each value stands first. A header that was changed may hold anything, and orders nothing then."""
    values = values if isinstance(values, (list, tuple)) else ()
    return {_hashable(value): number for number, value in reversed([*enumerate(values)])}


def _hashable(value: Any) -> Any:
    return tuple(sorted((str(k), repr(v)) for k, v in value.items())) if isinstance(value, dict) else repr(value)
