"""A result: one property, judged for one implementation in one case. Plain values, stored as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from surrogate_core.properties.outcome import (
    Errored,
    ExpectedFailure,
    Failed,
    Outcome,
    Passed,
    Skipped,
    Unsupported,
)
from surrogate_core.spec.model import Parameters

__all__ = ["Result", "case_words", "from_json", "identity", "to_json"]

OUTCOMES: dict[str, type[Any]] = {
    kind.state: kind for kind in (Passed, Failed, Errored, Unsupported, Skipped, ExpectedFailure)
}


@dataclass(frozen=True)
class Result:
    """What came of one unit of work.

    Attributes:
        implementation: its name, as the header of the results file lists it.
        seconds: time spent on it, shared evaluations counted where they first happened.
        compilations: programs compiled on the way.
        part: the part of a proof, in words; empty where there is only one.
        process: what the implementation changed in its process, in sentences, where it was found with this.
    """

    implementation: str
    property_id: str
    dtype: str
    device: str
    parameters: Parameters
    outcome: Outcome
    seconds: float = 0.0
    compilations: int = 0
    part: str = ""
    process: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know whatever the outcome: of the promise, and of the process."""
        return (*(self.outcome.remarks if isinstance(self.outcome, Passed) else ()), *self.process)

    @property
    def id(self) -> str:
        """Stable name: ``implementation::property[dtype-parameter=value-device]``."""
        return identity(self.implementation, self.property_id, self.case)

    @property
    def case(self) -> str:
        """Where it was judged, in words."""
        return case_words(self.dtype, self.parameters, self.device, self.part)


def identity(implementation: str, property_id: str, case: str) -> str:
    """The name of the one result that a unit of work has."""
    return f"{implementation}::{property_id}[{case}]"


def case_words(dtype: str, parameters: Parameters, device: str, part: str = "") -> str:
    """A case in words: ``float32-alpha=1-cpu:0``."""
    # Six digits where they tell the value; all of them where two values would share a name.
    values = (f"{name}={f'{v:g}' if float(f'{v:g}') == v else repr(v)}" for name, v in parameters)
    return "-".join(filter(None, [dtype, *values, device, part]))


def plain(value: Any) -> Any:
    """``value`` with everything JSON lacks put into words: NaN and infinities as strings, tuples as lists."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def restored(value: Any) -> Any:
    """The inverse of :func:`plain`, for figures: the words for NaN and infinities become floats again."""
    if value in ("nan", "inf", "-inf"):
        return float(value)
    if isinstance(value, Mapping):
        return {key: restored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [restored(item) for item in value]
    return value


def to_json(result: Result) -> dict[str, Any]:
    """A result as JSON-able values; the witness is not stored, its script is."""
    outcome = result.outcome
    stored = {f.name: getattr(outcome, f.name) for f in fields(outcome) if f.name not in ("witness", "failure")}
    if isinstance(outcome, ExpectedFailure):
        stored |= {"failure": to_json(_with_outcome(result, outcome.failure))["outcome"]}
    return plain(
        {
            "implementation": result.implementation,
            "property": result.property_id,
            "dtype": result.dtype,
            "device": result.device,
            "parameters": dict(result.parameters),
            **({"part": result.part} if result.part else {}),
            "outcome": {"state": outcome.state, **stored},
            "seconds": round(result.seconds, 6),
            "compilations": result.compilations,
            **({"process": result.process} if result.process else {}),
        }
    )


def _with_outcome(result: Result, outcome: Outcome) -> Result:
    return Result(result.implementation, result.property_id, result.dtype, result.device, result.parameters, outcome)


def from_json(stored: Mapping[str, Any]) -> Result:
    """The result that :func:`to_json` stored.

    Raises:
        KeyError, TypeError, ValueError: the values are not those of a result.
    """
    return Result(
        implementation=_text(stored["implementation"]),
        property_id=_text(stored["property"]),
        dtype=_text(stored["dtype"]),
        device=_text(stored["device"]),
        parameters=tuple((str(name), float(value)) for name, value in stored["parameters"].items()),
        outcome=_outcome(stored["outcome"]),
        part=_text(stored.get("part", "")),
        seconds=float(stored["seconds"]),
        compilations=int(stored["compilations"]),
        process=_texts(stored.get("process", [])),
    )


def _outcome(stored: Mapping[str, Any]) -> Outcome:
    kind = OUTCOMES[stored["state"]]
    values = {name: value for name, value in stored.items() if name != "state"}
    for name in {"figures", "severity"} & values.keys():
        values[name] = restored(values[name])
    if not isinstance(values.get("figures", {}), Mapping):
        raise TypeError("figures without names")
    if "remarks" in values:
        values["remarks"] = _texts(values["remarks"])
    if values.get("severity") is not None:
        values["severity"] = float(values["severity"])  # an infinite one is stored as a word
    if "failure" in values:
        values["failure"] = _outcome(values["failure"])
    for name in values.keys() - {"figures", "severity", "remarks", "failure"}:
        _text(values[name])
    return kind(**values)


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(f"{values!r} where sentences are expected")
    return tuple(map(_text, values))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} where words are expected")
    return value
