"""Implementations of one family side by side: in what they agree, and in what they differ.

A different convention is no defect: each is judged against its own declaration. Who moves from one library to
another wants to know all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surrogate_core.engine import Result, Run
from surrogate_core.properties.outcome import Failed
from surrogate_core.report.words import decimal, listed, number, setting

__all__ = ["COLUMNS", "Family", "Member", "Trait", "families"]

COLUMNS = ("At", "At the threshold", "g′(0)", "Peak", "Area", "Second derivative", "At NaN", "Dtype")

DIGITS = 3
"""Figures count as equal where as many digits are."""

SECOND = {"formula": "of the formula", "zero": "0", "neither": "neither 0 nor of the formula"}

UNKNOWN = "–"


@dataclass(frozen=True)
class Trait:
    """One measured trait in words, and whether most of the family has another."""

    text: str
    differs: bool = False


@dataclass(frozen=True)
class Member:
    """One implementation: its traits, in the order of :data:`COLUMNS`."""

    name: str
    traits: tuple[Trait, ...]


@dataclass(frozen=True)
class Family:
    """All implementations of one formula, and a sentence on what they differ in."""

    title: str
    members: tuple[Member, ...]
    sentence: str


def families(run: Run) -> tuple[Family, ...]:
    """Every family of which a run judged two implementations or more, in the order of the header."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for entry in run.header["implementations"]:
        groups.setdefault(str(entry.get("family") or entry["spec"]), []).append(entry)
    by_name: dict[str, list[Result]] = {}
    for result in run.results:
        by_name.setdefault(result.implementation, []).append(result)
    return tuple(
        _family(run, family, {str(e["name"]): by_name.get(str(e["name"]), []) for e in entries})
        for family, entries in groups.items()
        if len(entries) > 1
    )


def figures(result: Result) -> Mapping[str, Any]:
    """The measured figures of a result, of a known failure too."""
    found = getattr(getattr(result.outcome, "failure", result.outcome), "figures", {})
    return found if isinstance(found, Mapping) else {}


def _family(run: Run, family: str, members: Mapping[str, Sequence[Result]]) -> Family:
    rows = {name: _traits(results) for name, results in members.items()}
    usual = [_usual(column) for column in zip(*rows.values(), strict=True)]
    # Parameters are told, not compared: each library has its own defaults.
    marked = tuple(
        Member(
            name,
            tuple(
                Trait(text, i > 0 and UNKNOWN not in (text, common) and text != common)
                for i, (text, common) in enumerate(zip(row, usual, strict=True))
            ),
        )
        for name, row in rows.items()
    )
    apart = [COLUMNS[i] for i in range(len(COLUMNS)) if any(m.traits[i].differs for m in marked)]
    told = f"They differ in: {listed(f'“{name}”' for name in apart)}." if apart else "They agree in all of it."
    spec = run.header["specs"].get(family, {})
    return Family(str(spec.get("title") or family), marked, told)


def _usual(column: Sequence[str]) -> str:
    """What most of those have that were measured."""
    measured = Counter(text for text in column if text != UNKNOWN)
    return measured.most_common(1)[0][0] if measured else UNKNOWN


def _traits(results: Sequence[Result]) -> tuple[str, ...]:
    oracle = next((r for r in results if r.property_id == "gradient.oracle" and "portrait" in figures(r)), None)
    face: Mapping[str, Any] = figures(oracle)["portrait"] if oracle else {}
    return (
        setting(oracle.parameters) if oracle else UNKNOWN,
        _threshold(face),
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


def _threshold(face: Mapping[str, Any]) -> str:
    spike = _number(face, "spike_at_zero")
    return {UNKNOWN: UNKNOWN, "1": "fires (≥)", "0": "silent (>)"}.get(spike, f"gives {spike}")


def _peak(face: Mapping[str, Any]) -> str:
    if "peak" not in face:
        return UNKNOWN
    at = decimal(face["peak_at"])
    return number(face["peak"], DIGITS) + (f" at {number(at, DIGITS)}" if at else "")


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
