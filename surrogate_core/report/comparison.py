"""Two runs compared: what fails now and did not, what was mended, what came and went, which figures moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surrogate_core.engine import Result, Run
from surrogate_core.properties.outcome import Errored, Failed
from surrogate_core.report.words import decimal, number, plural

__all__ = ["Change", "Comparison", "compare"]

BROKEN = ("failed", "errored")

COUNTS = frozenset(
    {"inputs", "normal", "pairs", "wrong", "differing", "flushed", "out_of_bound", "wrong_spikes", "wrong_gradients"}
    | {"stacks", "left_out", "shapes", "calls", "arrays", "nans", "steps"}
)
"""Figures of which any other number is a change."""

SIZES = frozenset(
    {"max_ulp", "max_bound", "correctly_rounded", "faithful", "area", "per_input_byte", "worst", "smallest", "largest"}
)
"""Figures of which a hundredth more or less is a change; less than that is another processor's rounding."""

WORDS = frozenset(["exhaustive", "subnormal_input", "subnormal_output", "found"])

HUNDREDTH = 0.01


@dataclass(frozen=True)
class Change:
    """What became of one property of one implementation, in all the cases in which the same became of it.

    Attributes:
        what: the property, or a figure of it.
        cases: where, the first one foremost.
        before: in words; empty where there was nothing.
        after: likewise.
        detail: the evidence of the first case.
    """

    implementation: str
    what: str
    cases: tuple[str, ...]
    before: str
    after: str
    detail: str = ""

    @property
    def where(self) -> str:
        """``float32-alpha=1-cpu:0 and 3 more``."""
        more = f" and {len(self.cases) - 1} more" if len(self.cases) > 1 else ""
        return "".join(self.cases[:1]) + more


@dataclass(frozen=True)
class Comparison:
    """All that differs between two runs.

    Attributes:
        failing: failed or errored now, and not before; also where there was no such result.
        passing: passed now, failed or errored before.
        otherwise: any other change of state.
        appeared: results that only the new run has, and that are not broken.
        vanished: results that only the old run has.
        figures: measured figures that changed.
        circumstances: (what, before, after): versions, devices, seed, and what else the headers say.
        complaints: what only the new run says against the known deviations that it was judged with.
        objections: why the new run proves nothing.
        doubts: likewise for the old one, which takes nothing from the new one's answer.
    """

    failing: tuple[Change, ...]
    passing: tuple[Change, ...]
    otherwise: tuple[Change, ...]
    appeared: tuple[Change, ...]
    vanished: tuple[Change, ...]
    figures: tuple[Change, ...]
    circumstances: tuple[tuple[str, str, str], ...]
    complaints: tuple[str, ...]
    objections: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """3 where the new run is incomplete or does not add up, 1 where anything is newly wrong, otherwise 0."""
        return 3 if self.objections else 1 if self.failing or self.complaints else 0

    @property
    def answer(self) -> str:
        """The answer in one sentence."""
        if self.objections:
            return f"No answer: of the new run, {'; '.join(self.objections)}."
        if self.failing:
            return f"Newly failing: {_amount(self.failing)}."
        if self.complaints:
            return f"Newly against the known deviations: {'; '.join(self.complaints)}."
        mended = f" Newly passing: {_amount(self.passing)}." if self.passing else ""
        return f"Nothing newly fails.{mended}"


def _amount(changes: Sequence[Change]) -> str:
    properties = len({(c.implementation, c.what) for c in changes})
    cases = sum(len(c.cases) for c in changes)
    return f"{plural(cases, 'case')} of {plural(properties, 'property', 'properties')}"


def compare(old: Run, new: Run) -> Comparison:
    """What differs between two runs. Results are the same where implementation, property and case are."""
    before, after = ({r.id: r for r in run.results} for run in (old, new))
    told: dict[str, list[tuple[Result, str, str]]] = {
        kind: [] for kind in ("failing", "passing", "otherwise", "appeared", "vanished")
    }
    for name, result in after.items():
        was = before[name].outcome.state if name in before else ""
        if kind := _kind(was, result.outcome.state):
            told[kind].append((result, was, result.outcome.state))
    for name, result in before.items():
        if name not in after:
            told["vanished"].append((result, result.outcome.state, ""))
    both = [(before[name], result) for name, result in after.items() if name in before]
    return Comparison(
        **{kind: _grouped(changes) for kind, changes in told.items()},
        figures=_figures(both),
        circumstances=tuple(_circumstances(old.header, new.header)),
        complaints=tuple(said for said in new.complaints if said not in old.complaints),
        objections=new.objections,
        doubts=old.objections,
    )


def _kind(before: str, after: str) -> str:
    if after in BROKEN and before not in BROKEN:
        return "failing"
    if not before:
        return "appeared"
    if before in BROKEN and after == "passed":
        return "passing"
    return "otherwise" if before != after else ""


def _grouped(changes: Sequence[tuple[Result, str, str]]) -> tuple[Change, ...]:
    groups: dict[tuple[str, str, str, str], list[Result]] = {}
    for result, before, after in changes:
        groups.setdefault((result.implementation, result.property_id, before, after), []).append(result)
    return tuple(
        Change(name, prop, tuple(r.case for r in results), before, after, _evidence(results[0]))
        for (name, prop, before, after), results in groups.items()
    )


def _evidence(result: Result) -> str:
    outcome = result.outcome
    if isinstance(outcome, Failed):
        return f"{outcome.given}: {outcome.measured}; allowed {outcome.allowed}"
    if isinstance(outcome, Errored):
        return outcome.message.partition("\n")[0]
    return str(getattr(outcome, "reason", "") or getattr(outcome, "capability", ""))


# ---- figures ------------------------------------------------------------------------------------


def _figures(pairs: Sequence[tuple[Result, Result]]) -> tuple[Change, ...]:
    groups: dict[tuple[str, str, str], list[tuple[str, str, str]]] = {}
    for old, new in pairs:
        before, after = _flat(old), _flat(new)
        # Where the state changed, so did what is measured: only what was measured both times can be compared.
        names = before.keys() & after.keys() if old.outcome.state != new.outcome.state else {*before, *after}
        for name in (name for name in dict.fromkeys([*before, *after]) if name in names):
            if not _same(name, before.get(name), after.get(name)):
                told = (new.case, _word(before.get(name)), _word(after.get(name)))
                groups.setdefault((new.implementation, new.property_id, name), []).append(told)
    return tuple(
        Change(implementation, f"{prop}: {name}", tuple(c for c, _, _ in told), told[0][1], told[0][2])
        for (implementation, prop, name), told in groups.items()
    )


def _flat(result: Result) -> dict[str, Any]:
    """The figures of a result that are compared, by name; slopes with the error that they are allowed."""
    outcome = result.outcome
    figures: Mapping[str, Any] = getattr(outcome, "figures", {})
    found: dict[str, Any] = {name: figures[name] for name in figures if name in COUNTS | SIZES | WORDS}
    for side in ("right", "left"):
        if isinstance(fit := figures.get(side), Mapping):
            found[f"slope on the {side}"] = (fit.get("slope"), fit.get("allowed_slope_error"))
    if isinstance(outcome, Failed) and outcome.severity is not None:
        found["severity"] = outcome.severity
    if result.remarks:
        found["remark"] = "; ".join(result.remarks)
    return found


def _same(name: str, before: Any, after: Any) -> bool:
    if name.startswith("slope"):
        return _same_slope(before, after)
    old, new = decimal(before), decimal(after)
    if old is None or new is None or name in COUNTS:
        return before == after
    # NaN is a figure like another: one that stays has not changed.
    return old == new or (old != old and new != new) or abs(new - old) <= HUNDREDTH * abs(old)


def _same_slope(before: Any, after: Any) -> bool:
    """Whether two fitted slopes agree within the error that either of them is allowed."""
    (old, allowed), (new, other) = before or (None, None), after or (None, None)
    values = [decimal(v) for v in (old, new, allowed, other)]
    if any(v is None for v in values):
        return old == new
    a, b, limit, limit_too = (float(v) for v in values if v is not None)
    return a == b or abs(a - b) <= max(limit, limit_too)


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return number(value[0], 9)
    if value is None or isinstance(value, str | bool):
        return "" if value is None else str(value)
    return f"{value:,}" if isinstance(value, int) else number(value, 4)


# ---- circumstances ------------------------------------------------------------------------------


def _circumstances(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    before, after = dict(_facts(old)), dict(_facts(new))
    for name in dict.fromkeys([*before, *after]):
        if before.get(name, "") != after.get(name, ""):
            yield name, before.get(name, ""), after.get(name, "")


def _facts(head: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(what, in words) of everything a header says that may explain a difference."""
    yield "profile", str(head["profile"])
    yield "seed", str(head["seed"])
    for name, spec in head["specs"].items():
        for part in ("gradient", "forward", "claims"):
            told = spec[part]
            yield f"spec {name}: {part}", "; ".join(map(str, told)) if isinstance(told, list) else str(told)
    for entry in head["implementations"]:
        name = entry["name"]
        yield f"{name}: spec", str(entry["spec"])
        yield f"{name}: framework", str(entry["framework"])
        yield f"{name}: version", f"{entry['package']} {entry['version']}".strip()
        yield f"{name}: source", str(entry.get("digest") or "")[:12]
    for framework, found in head["devices"].items():
        yield f"devices of {framework}", ", ".join(" ".join(map(str, device)) for device in found)
    environment = head["environment"]
    yield "Python", str(environment["python"])
    yield "platform", str(environment["platform"])
    for name, version in environment["packages"].items():
        yield name, str(version)
