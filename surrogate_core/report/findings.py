"""What went wrong, told once: like cases stand together, and the simplest of them is told in full."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from surrogate_core.engine import Result
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed
from surrogate_core.report.overview import Noted
from surrogate_core.report.verdict import State, state
from surrogate_core.report.words import clip, decimal, listed, number, off, plural, setting

__all__ = ["Case", "Finding", "Known", "by_cause", "findings"]

MOST_CASES = 40
"""Cases listed beside the one that is told in full."""

SHORT, LINE, SCRIPT, TRACEBACK = 160, 1_000, 8_000, 12_000
"""Characters kept of a text that the implementation wrote: whatever it says, the report stays a report."""


@dataclass(frozen=True)
class Case:
    """A case that is listed and not told: of which promise, where it is, and how far off."""

    property: str
    where: str
    given: str
    measured: str
    allowed: str
    severity: str


@dataclass(frozen=True)
class Known:
    """Why a failure is expected.

    Attributes:
        link: an address of the web; empty where there is none.
        facts: (name, text) pairs: the reason, and where and how long it is declared.
    """

    link: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Finding:
    """Failures of one cause: of one property, those that only see the same through it, or errors of one message.

    Attributes:
        anchor: the id of its place on the page.
        title: the property that tells it best, or the message.
        properties: whose evidence it is.
        facts: (name, text) pairs about the simplest case.
        known: why it is expected; empty where any of it is not.
        affected: how many cases there are, in words.
        cases: the other cases; ``left_out`` more are not listed.
        told: whether it is told in full, or is a line among others.
    """

    anchor: str
    state: State
    title: str
    properties: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    known: tuple[Known, ...]
    script: str
    traceback: str
    affected: str
    cases: tuple[Case, ...]
    left_out: int
    told: bool = True

    def fact(self, name: str) -> str:
        """The text of one of its facts, empty where it has none of that name."""
        return dict(self.facts).get(name, "")

    @property
    def several(self) -> bool:
        """Whether the other cases are of several promises."""
        return len({case.property for case in self.cases}) > 1 or any(c.property != self.title for c in self.cases)


def findings(
    results: Sequence[Result], promises: Mapping[str, str], prefix: str, cases: int = MOST_CASES
) -> tuple[Finding, ...]:
    """Everything that went wrong with one implementation, by property: failures, then errors, then known deviations.

    Each is told in full, with up to ``cases`` other cases.
    """
    failed = _grouped(results, lambda o: isinstance(o, Failed), lambda r: r.property_id)
    errored = _grouped(results, lambda o: isinstance(o, Errored), lambda r: getattr(r.outcome, "message", ""))
    known = _grouped(
        results,
        lambda o: isinstance(o, ExpectedFailure),
        lambda r: (r.property_id, getattr(r.outcome, "reason", "")),
    )
    return tuple(
        # float32 is what people train in and read most easily; otherwise the first case, the default parameters.
        _finding(group, next((r for r in group if r.dtype == "float32"), group[0]), promises, f"{prefix}f{n}", cases)
        for n, group in enumerate([*failed, *errored, *known], start=1)
    )


def by_cause(
    found: Sequence[Noted], promises: Mapping[str, str], entry: Mapping[str, Any], prefix: str, told: int, cases: int
) -> tuple[Finding, ...]:
    """Everything that went wrong with one implementation, by cause, in the order of ``found``.

    The first ``told`` are told in full, with where the promise is written, the version, and up to ``cases`` other
    cases, one of each property foremost; of the others there is a line.
    """
    made = [
        _finding(one.results, one.told, promises, f"{prefix}f{n}", cases, _written(entry))
        for n, one in enumerate(found, start=1)
    ]
    return (*made[:told], *(_in_a_line(finding) for finding in made[told:]))


def _written(entry: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the library says that it does, where that is written, and in which version."""
    documented = entry.get("documented") or {}
    version = " ".join(str(entry[key]) for key in ("package", "version") if entry.get(key))
    facts = (
        ("Documented", str(documented.get("promise", ""))),
        ("Written in", str(documented.get("where", ""))),
        ("Version", version),
    )
    return tuple((name, clip(text, LINE)) for name, text in facts if text)


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


def _finding(
    group: Sequence[Result],
    told: Result,
    promises: Mapping[str, str],
    anchor: str,
    cases: int,
    written: tuple[tuple[str, str], ...] = (),
) -> Finding:
    others = _one_of_each_first([r for r in group if r is not told], told)
    properties = tuple(dict.fromkeys(r.property_id for r in group))
    known, outcome = _known(group), told.outcome
    outcome = outcome.failure if isinstance(outcome, ExpectedFailure) else outcome
    facts = [("Promise", promises.get(told.property_id, "")), *written, ("Where", _where(told))]
    title, trace, script = told.property_id, "", ""
    if isinstance(outcome, Failed):
        facts += [
            ("Given", clip(outcome.given, LINE)),
            ("Measured", clip(outcome.measured, LINE)),
            ("Allowed", clip(outcome.allowed, LINE)),
        ]
        facts.append(("Severity", f"a {outcome.kind}" + (f", {size}" if (size := off(outcome.severity)) else "")))
        if len(properties) > 1:
            facts.append(("Seen through it", listed(name for name in properties if name != told.property_id)))
        script = outcome.script
    elif isinstance(outcome, Errored):
        title = clip(outcome.message, LINE)
        names = listed(properties) if len(properties) <= 4 else plural(len(properties), "property", "properties")
        facts[0] = ("Met while judging", names)
        trace, script = outcome.traceback, outcome.script
    return Finding(
        anchor=anchor,
        state=state("expected failure" if known else outcome.state),
        title=title,
        properties=properties,
        facts=tuple(facts),
        known=known,
        script=clip(script.strip("\n"), SCRIPT),
        traceback=clip(trace.strip("\n"), TRACEBACK, keep="end"),
        affected=plural(len(group), "case"),
        cases=tuple(_case(r, SHORT if written else LINE) for r in others[:cases]),
        left_out=max(0, len(others) - cases),
    )


def _one_of_each_first(others: Sequence[Result], told: Result) -> list[Result]:
    """The cases, first one of each property that is not told, in float32 where there is one; as they were else."""
    seen = {told.property_id: told}
    for result in sorted(others, key=lambda r: r.dtype != "float32"):
        seen.setdefault(result.property_id, result)
    first = [result for name, result in seen.items() if name != told.property_id]
    chosen = set(map(id, first))
    return [*first, *(result for result in others if id(result) not in chosen)]


def _known(group: Sequence[Result]) -> tuple[Known, ...]:
    """Why a group is expected, each entry of the deviations file once; empty where a case of it is not."""
    outcomes = [r.outcome for r in group if isinstance(r.outcome, ExpectedFailure)]
    if len(outcomes) < len(group):
        return ()
    told = dict.fromkeys((o.reason, o.link, o.entry, o.expires) for o in outcomes)
    return tuple(
        Known(
            link if link.startswith(("https://", "http://")) else "",
            tuple(
                (name, clip(text, LINE))
                for name, text in (
                    ("Known because", reason),
                    ("Read on", link),
                    ("Declared in", entry),
                    ("Holds until", expires or ("further notice" if entry else "")),
                )
                if text
            ),
        )
        for reason, link, entry, expires in told
    )


def _where(result: Result) -> str:
    return f"{result.dtype}, {setting(result.parameters)}, {result.device}"


def _case(result: Result, most: int) -> Case:
    outcome = result.outcome.failure if isinstance(result.outcome, ExpectedFailure) else result.outcome
    if not isinstance(outcome, Failed):
        return Case(result.property_id, _where(result), "", "", "", "")
    return Case(
        result.property_id,
        _where(result),
        clip(outcome.given, most),
        clip(outcome.measured, most),
        clip(outcome.allowed, most),
        number(decimal(outcome.severity)),
    )
