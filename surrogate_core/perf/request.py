"""What a user asks of `bench`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from surrogate_core.errors import BadInput
from surrogate_core.libraries import entries
from surrogate_core.perf import artifact
from surrogate_core.perf.decide import GATE, Rule

__all__ = ["FEWEST", "Request", "consistent"]

FEWEST = 3
"""Processes: a bound between two of them says next to nothing."""


@dataclass(frozen=True)
class Request:
    """What was asked.

    Attributes:
        targets: what is timed; one where ``against`` or ``against_python`` is given.
        against: another target, or the path of a frozen artifact.
        against_python: another interpreter, for the same target.
        spec: what the targets declare; by default what the catalogue says, otherwise ``slayer``.
        params: parameter values; by default the spec's own.
        framework: ``auto``, ``jax`` or ``torch``.
        large: whether 2^24 elements are timed too.
        dtypes: formats in which everything is timed.
        globs: names of benchmarks; by default all.
        rule: how many processes and rounds, and how to decide.
        seed: of the order of turns.
        strict: whether what is inconclusive counts as not passed.
    """

    targets: Sequence[str]
    against: str = ""
    against_python: str = ""
    spec: str | None = None
    params: Mapping[str, float] = field(default_factory=dict)
    framework: str = "auto"
    large: bool = False
    dtypes: Sequence[str] = ()
    globs: Sequence[str] = ()
    rule: Rule = GATE
    seed: int = 0
    strict: bool = False


def consistent(request: Request) -> None:
    """Nothing happens where it can be planned.

    Raises:
        BadInput: it contradicts itself, or names what is not there.
    """
    if not request.targets:
        raise BadInput("no target", "at least one implementation to time", "see `surrogate-core list implementations`")
    if request.against and request.against_python:
        raise BadInput("--against and --against-python", "one of them", "two comparisons are two runs")
    if (request.against or request.against_python) and len(request.targets) > 1:
        raise BadInput(f"{len(request.targets)} targets and --against", "one target", "compare one at a time")
    if not (math.isfinite(request.rule.effect) and request.rule.effect >= 0):
        given = f"--effect {request.rule.effect:g}"
        raise BadInput(given, "a share of the old time, 0 or more", "0.02 stands for 2 %")
    known = not request.against or ":" in request.against or artifact.is_artifact(request.against)
    if not known and request.against not in entries():
        raise BadInput(
            f"--against {request.against!r}: no such file, nor surrogate of the catalogue",
            "another target, or a file that --freeze wrote",
            "check the path, or see `surrogate-core list implementations`",
        )
    if twice := {t for t in request.targets if list(request.targets).count(t) > 1}:
        raise BadInput(f"target {twice.pop()!r}, given twice", "each target once", "drop one of them")
    if request.rule.processes < FEWEST or request.rule.rounds < 1:
        raise BadInput(
            f"{request.rule.processes} processes of {request.rule.rounds} rounds",
            f"{FEWEST} processes or more, of at least one round",
            "leave them out for 7 x 20",
        )
