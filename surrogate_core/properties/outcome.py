"""The closed set of outcomes. Nothing a property can say lies outside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from surrogate_core.drivers.base import Request

__all__ = [
    "KINDS",
    "STATES",
    "Errored",
    "ExpectedFailure",
    "Failed",
    "Kind",
    "Outcome",
    "Passed",
    "Skipped",
    "Unsupported",
    "Witness",
]

Figures = Mapping[str, Any]
"""Measured figures by name: numbers, strings, and lists of them (they are stored as JSON)."""


Kind = Literal["defect", "weakness", "difference"]
"""How a broken promise is to be taken:

defect      what is declared, or arithmetic itself, is contradicted;
weakness    nowhere is more lost than the bound grants the peak itself: accuracy goes where the value is negligible
            against the peak;
difference  another convention, in what no formula dictates.
"""

KINDS: tuple[Kind, ...] = ("defect", "weakness", "difference")
"""From the worst on."""


@dataclass(frozen=True)
class Witness:
    """The evidence of a failure: a request, and the index in it of the input that failed.

    ``index`` is ``None`` where the whole request is needed to see the failure; ``before`` are the
    evaluations that have to come first.
    """

    request: Request
    index: int | None = None
    before: tuple[Request, ...] = ()


@dataclass(frozen=True)
class Passed:
    """The implementation keeps the promise; ``remarks`` are what a reader should know all the same."""

    figures: Figures = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    state = "passed"


@dataclass(frozen=True)
class Failed:
    """The implementation breaks the promise.

    Attributes:
        given: the simplest input that shows it, decimal and hexadecimal.
        measured: what the implementation answered there.
        allowed: what would have been accepted.
        severity: worst absolute error as a share of the peak; ``None`` where the promise is not numeric.
        witness: the evaluation to repeat, ``None`` where there is no single one.
        script: a program that shows it without this harness; filled in by the engine.
        kind: how it is to be taken.
        example: of a search, the example that shows it, as JSON; empty where nothing was searched.
    """

    given: str
    measured: str
    allowed: str
    severity: float | None = None
    figures: Figures = field(default_factory=dict)
    witness: Witness | None = None
    script: str = ""
    kind: Kind = "defect"
    example: str = ""
    state = "failed"


@dataclass(frozen=True)
class Errored:
    """An exception inside the implementation, or something returned that is no array.

    Attributes:
        message: its type and what it says.
        traceback: from the implementation's first frame on.
        script: a program that shows it without this harness.
        example: of a search, the example that shows it, as JSON; empty where nothing was searched.
    """

    message: str
    traceback: str = ""
    script: str = ""
    example: str = ""
    state = "errored"


@dataclass(frozen=True)
class Unsupported:
    """A capability that the implementation does not offer."""

    capability: str
    state = "unsupported"


@dataclass(frozen=True)
class Skipped:
    """Not judged, for a reason that lies outside the implementation."""

    reason: str
    state = "skipped"


@dataclass(frozen=True)
class ExpectedFailure:
    """A failure or an error that is known and explained.

    Attributes:
        failure: what came of it all the same.
        reason: why, in a sentence.
        link: where to read on; empty where there is none.
        entry: file and line of the deviation that explains it.
        expires: the last day on which that holds; empty where it has none.
    """

    failure: Failed | Errored
    reason: str
    link: str = ""
    entry: str = ""
    expires: str = ""
    state = "expected failure"


Outcome = Passed | Failed | Errored | Unsupported | Skipped | ExpectedFailure

STATES: tuple[str, ...] = ("passed", "failed", "errored", "unsupported", "skipped", "expected failure")
