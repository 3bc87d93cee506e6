"""The order in which a run's results are told: that of its plan, in whatever order they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from surrogate_core.engine.result import Result

__all__ = ["arranged"]


def arranged(header: Mapping[str, Any], results: Iterable[Result]) -> tuple[Result, ...]:
    """The results by implementation, device, format, parameters, property and part, each in the header's order.

    Several workers, an executor or a resumed run bring them in another order every time; what is drawn of
    them shall not differ. What the header does not know comes last.
    """
    implementations = [entry["name"] for entry in header["implementations"]]
    devices = [device[0] for each in header["devices"].values() for device in each]
    dtypes, grid, properties = header.get("dtypes", ()), header.get("grid", ()), [*header["properties"]]
    places = {
        kind: {_hashable(value): number for number, value in reversed([*enumerate(values)])}
        for kind, values in (
            ("implementation", implementations),
            ("device", devices),
            ("dtype", dtypes if isinstance(dtypes, (list, tuple)) else ()),
            ("parameters", grid if isinstance(grid, (list, tuple)) else ()),
            ("property", properties),
        )
    }

    def place(kind: str, value: Any) -> int:
        return places[kind].get(_hashable(value), len(places[kind]))

    def key(result: Result) -> tuple[Any, ...]:
        return (
            place("implementation", result.implementation),
            place("device", result.device),
            place("dtype", result.dtype),
            place("parameters", dict(result.parameters)),
            place("property", result.property_id),
            result.part,
        )

    return tuple(sorted(results, key=key))


def _hashable(value: Any) -> Any:
    # A header that was changed may hold anything.
    return tuple(sorted((str(k), repr(v)) for k, v in value.items())) if isinstance(value, dict) else repr(value)
