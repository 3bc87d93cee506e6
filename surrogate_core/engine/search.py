"""Searching: Hypothesis draws examples and shrinks the ones that fail; every answer is kept, so shrinking is cheap.

What it ends with is cut down once more, by what the property says is simpler.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity

from surrogate_core.engine.bench import Bench
from surrogate_core.properties import Search
from surrogate_core.properties.base import Requests
from surrogate_core.properties.examples import encode
from surrogate_core.properties.outcome import Errored, Failed, Outcome, Passed, Unsupported

__all__ = ["run"]

Settle = Callable[[Any, Requests], Outcome]
"""From an example and its requests to the outcome for that example."""


CONSTANTS = ("_get_local_constants", "CONSTANTS_CACHE")
"""Where Hypothesis finds those that it mixes in, and keeps those that a strategy permits."""

_PERMITTED: dict[Any, Any] = {}


STEPS = 100
"""Simpler examples that are looked at, of the one that Hypothesis ends with."""


class _Broken(Exception):
    """An example does not pass: Hypothesis' sign to shrink it."""


@dataclass
class _Findings:
    """What the examples so far have shown."""

    examples: int = 0
    passed: int = 0
    shrinks: int = 0
    broken: Failed | Errored | None = None
    example: Any = None
    figures: Counter[str] = field(default_factory=Counter)
    remarks: dict[str, None] = field(default_factory=dict)
    lacking: dict[str, None] = field(default_factory=dict)


def run(judged: Search, bench: Bench, settle: Settle, first: Any = None) -> Outcome:
    """The outcome over all examples: the smallest failing one that was found, or what they add up to.

    One that is known to have failed is looked at ``first``; where it fails again, that is the outcome, unshrunk.
    """
    found = _Findings()

    def settled(example: Any, requests: Requests) -> Outcome:
        try:
            return settle(example, requests)
        finally:
            bench.forget({request.instance for request in requests.values()} - {""})

    def attempt(example: Any) -> None:
        requests = judged.observe(bench.case, example)
        if found.broken is None:
            found.examples += 1
        elif not bench.known(requests.values()):
            if found.shrinks >= judged.shrinks:
                return
            found.shrinks += 1
        _note(found, example, settled(example, requests))

    if first is not None:
        with contextlib.suppress(_Broken):
            attempt(first)
    if found.broken is None:
        _explore(attempt, judged, bench)
        _cut_down(found, judged, lambda example: settled(example, judged.observe(bench.case, example)))
    return _summed(found, bench.case.seed)


def _explore(attempt: Callable[[Any], None], judged: Search, bench: Bench) -> None:
    settings = hypothesis.settings(
        max_examples=judged.wanted(bench.case),
        database=None,
        derandomize=False,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)),
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
    )
    explored = hypothesis.given(judged.examples(bench.case))(attempt)
    with contextlib.suppress(_Broken), drawn_alike():  # noted as the last, smallest one
        settings(hypothesis.seed(bench.case.seed)(explored))()


@contextlib.contextmanager
def drawn_alike() -> Iterator[None]:
    """Within it, the same seed draws the same in every process.

    Hypothesis mixes in the constants that it reads in the local modules that happen to be loaded: those of a project
    whose suite runs the check, or of the file that was judged before. It has no setting for that.
    """
    providers: Any = sys.modules.get("hypothesis.internal.conjecture.providers")
    if not all(hasattr(providers, name) for name in ("Constants", *CONSTANTS)):
        yield  # a version of Hypothesis that has them elsewhere, or not at all
        return
    before = [getattr(providers, name) for name in CONSTANTS]
    for name, value in zip(CONSTANTS, (providers.Constants, _PERMITTED), strict=True):
        setattr(providers, name, value)
    try:
        yield
    finally:
        for name, value in zip(CONSTANTS, before, strict=True):
            setattr(providers, name, value)


def _cut_down(found: _Findings, judged: Search, outcome_of: Callable[[Any], Outcome]) -> None:
    """Go from the failing example to a simpler one that fails likewise, and on from there, within :data:`STEPS`."""
    left = STEPS
    while found.broken is not None:
        for example in itertools.islice(judged.simpler(found.example), left):
            left -= 1
            outcome = outcome_of(example)
            if isinstance(outcome, (Failed, Errored)) and _alike(outcome, found.broken):
                found.broken, found.example = outcome, example
                break
        else:
            return


def _alike(one: Failed | Errored, other: Failed | Errored) -> bool:
    """Whether both are failures of one kind, or both errors: a defect is not to be told by a weakness."""
    kinds = [outcome.kind if isinstance(outcome, Failed) else "errored" for outcome in (one, other)]
    return kinds[0] == kinds[1]


def _note(found: _Findings, example: Any, outcome: Outcome) -> None:
    if isinstance(outcome, (Failed, Errored)):
        found.broken, found.example = outcome, example
        raise _Broken
    if isinstance(outcome, Unsupported):
        found.lacking[outcome.capability] = None
    if isinstance(outcome, Passed) and found.broken is None:
        found.passed += 1
        found.figures.update({name: value for name, value in outcome.figures.items() if isinstance(value, int)})
        found.remarks |= dict.fromkeys(outcome.remarks)


def _summed(found: _Findings, seed: int) -> Outcome:
    figures = {"examples": found.examples, "seed": seed, **found.figures}
    if isinstance(found.broken, Failed):
        return replace(found.broken, figures={**found.broken.figures, **figures}, example=encode(found.example))
    if found.broken is not None:
        return replace(found.broken, example=encode(found.example))
    if found.lacking and not found.passed:
        return Unsupported("; ".join(found.lacking))
    return Passed(figures, tuple(found.remarks))
