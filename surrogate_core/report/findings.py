"""What went wrong, told once: like cases stand together, and the simplest of them is told in full."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from surrogate_core.engine import Result
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed
from surrogate_core.report.verdict import State, state
from surrogate_core.report.words import clip, decimal, listed, number, off, plural, setting

__all__ = ["Case", "Finding", "findings"]

MOST_CASES = 40
"""Cases listed beside the one that is told in full."""

SHORT, LINE, SCRIPT, TRACEBACK = 160, 1_000, 8_000, 12_000
"""Characters kept of a text that the implementation wrote: whatever it says, the report stays a report."""


@dataclass(frozen=True)
class Case:
    """A case that is listed and not told: where it is, and how far off."""

    where: str
    given: str
    measured: str
    allowed: str
    severity: str


@dataclass(frozen=True)
class Finding:
    """Failures of one property, or errors of one message.

    Attributes:
        anchor: the id of its place on the page.
        properties: whose evidence it is.
        facts: (name, text) pairs about the simplest case.
        affected: how many cases there are, in words.
        cases: the other cases; ``left_out`` more are not listed.
        told: whether it is told in full, or is a line among others.
    """

    anchor: str
    state: State
    title: str
    properties: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    script: str
    traceback: str
    affected: str
    cases: tuple[Case, ...]
    left_out: int
    told: bool = True

    def fact(self, name: str) -> str:
        """The text of one of its facts, empty where it has none of that name."""
        return dict(self.facts).get(name, "")


def findings(
    results: Sequence[Result], promises: Mapping[str, str], prefix: str, told: int = 1000, cases: int = MOST_CASES
) -> tuple[Finding, ...]:
    """Everything that went wrong with one implementation: failures, then errors, then known deviations.

    The first ``told`` are told in full, with their scripts and up to ``cases`` other cases; of the others there
    is a line.
    """
    failed = _grouped(results, lambda o: isinstance(o, Failed), lambda r: r.property_id)
    errored = _grouped(results, lambda o: isinstance(o, Errored), lambda r: getattr(r.outcome, "message", ""))
    known = _grouped(
        results,
        lambda o: isinstance(o, ExpectedFailure),
        lambda r: (r.property_id, getattr(r.outcome, "reason", "")),
    )
    found = [
        _finding(group, promises, f"{prefix}f{number}", cases)
        for number, group in enumerate([*failed, *errored, *known], start=1)
    ]
    return (*found[:told], *(_in_a_line(finding) for finding in found[told:]))


def _in_a_line(finding: Finding) -> Finding:
    facts = tuple((name, clip(text, SHORT)) for name, text in finding.facts)
    title = clip(finding.title, SHORT)
    return replace(finding, title=title, facts=facts, script="", traceback="", cases=(), told=False)


def _grouped(
    results: Sequence[Result], chosen: Callable[[object], bool], key: Callable[[Result], Hashable]
) -> list[list[Result]]:
    groups: dict[Hashable, list[Result]] = {}
    for result in results:
        if chosen(result.outcome):
            groups.setdefault(key(result), []).append(result)
    return list(groups.values())


def _finding(group: list[Result], promises: Mapping[str, str], anchor: str, cases: int) -> Finding:
    # float32 is what people train in and read most easily; otherwise the first case, the default parameters.
    told = next((r for r in group if r.dtype == "float32"), group[0])
    others = [r for r in group if r is not told]
    properties = tuple(dict.fromkeys(r.property_id for r in group))
    outcome = told.outcome
    facts = [("Promise", promises.get(told.property_id, "")), ("Where", _where(told))]
    if isinstance(outcome, ExpectedFailure):
        facts.append(("Known because", clip(outcome.reason, LINE)))
        outcome = outcome.failure
    title, trace, script = told.property_id, "", ""
    if isinstance(outcome, Failed):
        facts += [
            ("Given", clip(outcome.given, LINE)),
            ("Measured", clip(outcome.measured, LINE)),
            ("Allowed", clip(outcome.allowed, LINE)),
        ]
        facts.append(("Severity", f"a {outcome.kind}" + (f", {size}" if (size := off(outcome.severity)) else "")))
        script = outcome.script
    elif isinstance(outcome, Errored):
        title = clip(outcome.message, LINE)
        names = listed(properties) if len(properties) <= 4 else plural(len(properties), "property", "properties")
        facts[0] = ("Met while judging", names)
        trace, script = outcome.traceback, outcome.script
    return Finding(
        anchor=anchor,
        state=state(told.outcome.state),
        title=title,
        properties=properties,
        facts=tuple(facts),
        script=clip(script.strip("\n"), SCRIPT),
        traceback=clip(trace.strip("\n"), TRACEBACK, keep="end"),
        affected=plural(len(group), "case"),
        cases=tuple(_case(r) for r in others[:cases]),
        left_out=max(0, len(others) - cases),
    )


def _where(result: Result) -> str:
    return f"{result.dtype}, {setting(result.parameters)}, {result.device}"


def _case(result: Result) -> Case:
    outcome = result.outcome.failure if isinstance(result.outcome, ExpectedFailure) else result.outcome
    if not isinstance(outcome, Failed):
        return Case(f"{result.property_id}: {_where(result)}", "", "", "", "")
    size = decimal(outcome.severity)
    return Case(
        _where(result),
        clip(outcome.given, LINE),
        clip(outcome.measured, LINE),
        clip(outcome.allowed, LINE),
        number(size),
    )
