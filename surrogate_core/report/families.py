"""Surrogates of one name side by side, whatever formula each declares: in what they agree, in what they differ.

A different convention is no defect: each is judged against its own declaration. Who moves from one library to
another wants to know all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from surrogate_core.engine import Result, Run
from surrogate_core.properties.outcome import Failed
from surrogate_core.report.formula import mathml
from surrogate_core.report.words import decimal, listed, number, setting

__all__ = ["COLUMNS", "Family", "Member", "Trait", "families"]

COLUMNS = ("At", "At the threshold", "g′(0)", "Peak", "Area", "Second derivative", "At NaN", "Dtype")

DIGITS = 3
"""Figures count as equal where as many digits are."""

SECOND = {"formula": "of the formula", "zero": "0", "neither": "neither 0 nor of the formula"}

UNKNOWN = "–"

NEXT_TO = 1.2e-38
"""Nearer to 0 than this is no other place than 0: below the smallest normal number, platforms flush."""


@dataclass(frozen=True)
class Trait:
    """One measured trait in words, and whether most of the family has another."""

    text: str
    differs: bool = False


@dataclass(frozen=True)
class Member:
    """One implementation: its traits, in the order of :data:`COLUMNS`.

    Attributes:
        others: further names in its library that are alike in all of it, as a class and its function are.
        declared: its formula, where not all of the family declare the same; ``apart`` where most declare another.
    """

    name: str
    traits: tuple[Trait, ...]
    others: tuple[str, ...] = ()
    declared: Markup = field(default=Markup())
    apart: bool = False


@dataclass(frozen=True)
class Family:
    """All implementations of one name, and a sentence on what they differ in."""

    title: str
    members: tuple[Member, ...]
    sentence: str

    @property
    def size(self) -> int:
        """How many implementations there are."""
        return sum(1 + len(member.others) for member in self.members)


@dataclass(frozen=True)
class _Row:
    """What an implementation is told by; ``gradient`` is the formula that it declares."""

    library: str
    gradient: str
    traits: tuple[str, ...]


def families(run: Run) -> tuple[Family, ...]:
    """Every family of which a run judged two implementations that are not one under two names of their library."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    named = {_base(e["spec"]): str(e["family"]) for e in run.header["implementations"] if e.get("family")}
    for entry in run.header["implementations"]:
        # What the catalogue does not know stands with those that declare the same.
        family = str(entry.get("family") or named.get(_base(entry["spec"])) or entry["spec"])
        groups.setdefault(family, []).append(entry)
    by_name: dict[str, list[Result]] = {}
    for result in run.results:
        by_name.setdefault(result.implementation, []).append(result)
    found = (_family(run, family, entries, by_name) for family, entries in groups.items() if len(entries) > 1)
    return tuple(family for family in found if len(family.members) > 1)


def _base(spec: object) -> str:
    """A spec's name without what a library changes of it: ``sigmoid`` of ``sigmoid(alpha=25.0)``."""
    return str(spec).partition("(")[0]


def figures(result: Result) -> Mapping[str, Any]:
    """The measured figures of a result, of a known failure too."""
    found = getattr(getattr(result.outcome, "failure", result.outcome), "figures", {})
    return found if isinstance(found, Mapping) else {}


def _family(
    run: Run, family: str, entries: Sequence[Mapping[str, Any]], results: Mapping[str, Sequence[Result]]
) -> Family:
    specs = run.header["specs"]
    rows: dict[_Row, list[str]] = {}
    for entry in entries:
        name, spec = str(entry["name"]), specs.get(entry["spec"], {})
        traits = _traits(results.get(name, []), spec)
        row = _Row(str(entry.get("library") or name), str(spec.get("gradient", "")), traits)
        rows.setdefault(row, []).append(name)
    usual = [_usual(column) for column in zip(*(row.traits for row in rows), strict=True)]
    formula = _usual([row.gradient for row in rows])
    several = len({row.gradient for row in rows}) > 1
    members = tuple(
        Member(
            name,
            # Parameters are told, not compared: each library has its own defaults.
            tuple(
                Trait(text, i > 0 and UNKNOWN not in (text, common) and text != common)
                for i, (text, common) in enumerate(zip(row.traits, usual, strict=True))
            ),
            tuple(others),
            mathml(row.gradient) if several else Markup(),
            several and row.gradient != formula,
        )
        for row, (name, *others) in rows.items()
    )
    # A family that has the name of a spec has its title, too.
    titled = [specs.get(e["spec"]) or specs.get(family) or {} for e in entries if family == _base(e["spec"])]
    title = next((str(spec["title"]) for spec in titled if spec.get("title")), family)
    return Family(title, members, _sentence(members, several))


def _sentence(members: Sequence[Member], several: bool) -> str:
    """In what members agree or differ; ``several`` is whether they declare several formulas."""
    columns = [*zip(*(member.traits for member in members), strict=True)][1:]
    apart = [name for name, column in zip(COLUMNS[1:], columns, strict=True) if any(t.differs for t in column)]
    measured = [sum(trait.text != UNKNOWN for trait in column) for column in columns]
    declared = "They declare different formulas. " if several else ""
    if apart:
        return f"{declared}They differ in: {listed(f'“{name}”' for name in apart)}."
    if max(measured) < 2:
        return f"{declared}Nothing was measured that could be compared."
    if min(measured) == len(members):
        return f"{declared}They agree in all of it."
    return f"{declared}They agree in all that was measured of several."


def _usual(column: Sequence[str]) -> str:
    """What more of those that were measured have than anything else; empty where nothing is."""
    (first, *more) = Counter(text for text in column if text != UNKNOWN).most_common(2) or [(UNKNOWN, 0)]
    return "" if more and more[0][1] == first[1] else first[0]


def _traits(results: Sequence[Result], spec: Mapping[str, Any]) -> tuple[str, ...]:
    oracle = next((r for r in results if r.property_id == "gradient.oracle" and "portrait" in figures(r)), None)
    face: Mapping[str, Any] = figures(oracle)["portrait"] if oracle else {}
    return (
        setting(oracle.parameters) if oracle else UNKNOWN,
        _threshold(face, spec),
        _number(face, "at_zero"),
        _peak(face),
        _number(face, "area"),
        _second(results),
        _nan(face),
        _dtype(results),
    )


def _number(face: Mapping[str, Any], name: str) -> str:
    """A figure of a portrait, where ``None`` is NaN."""
    if name not in face:
        return UNKNOWN
    return "NaN" if face[name] is None else number(face[name], DIGITS)


def _threshold(face: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    """What the spike is at 0, where the step is there and not at another threshold."""
    if not str(spec.get("forward", "")).startswith("Heaviside(x,"):
        return UNKNOWN
    spike = _number(face, "spike_at_zero")
    return {UNKNOWN: UNKNOWN, "1": "fires (≥)", "0": "silent (>)"}.get(spike, f"gives {spike}")


def _peak(face: Mapping[str, Any]) -> str:
    if "peak" not in face:
        return UNKNOWN
    at = decimal(face["peak_at"]) or 0.0
    side = "above" if at > 0 else "below"
    place = f"at {number(at, DIGITS)}" if abs(at) > NEXT_TO else f"just {side} 0" if at else ""
    return f"{_number(face, 'peak')} {place}".strip()


def _second(results: Sequence[Result]) -> str:
    found = next((r for r in results if r.property_id == "gradient.second"), None)
    if found is None or found.outcome.state not in ("passed", "failed", "expected failure"):
        return UNKNOWN
    return SECOND.get(str(figures(found).get("found")), "cannot be had")


def _nan(face: Mapping[str, Any]) -> str:
    if "spike_at_nan" not in face:
        return UNKNOWN
    return f"spike {_number(face, 'spike_at_nan')}, gradient {_number(face, 'gradient_at_nan')}"


def _dtype(results: Sequence[Result]) -> str:
    """What becomes of the dtype of the input, over all formats that were judged."""
    kept, lost = [], []
    for result in results:
        if result.property_id == "forward.dtype":
            failure = getattr(result.outcome, "failure", result.outcome)
            if isinstance(failure, Failed):
                lost.append(result.dtype)
            elif result.outcome.state == "passed":
                kept.append(result.dtype)
    if lost:
        return f"lost for {listed(dict.fromkeys(lost))}"
    return "that of the input" if kept else UNKNOWN
