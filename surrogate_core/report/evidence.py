"""What stands behind the answer: proved, sampled, where, with what, and what was not checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surrogate_core.engine import Result, Run
from surrogate_core.properties.outcome import Passed, Skipped, Unsupported
from surrogate_core.report.verdict import Tally, tally
from surrogate_core.report.words import count, decimal, listed, plural
from surrogate_core.spec.model import Parameters

__all__ = ["Row", "figures", "missing", "patterns", "proved", "remarks", "rows", "sampled", "searched", "unchecked"]


@dataclass(frozen=True)
class Row:
    """One promise of one implementation: what came of it in every format, and on how much it rests."""

    anchor: str
    property: str
    promise: str
    tally: Tally
    formats: tuple[Tally, ...]
    basis: str


def figures(result: Result) -> Mapping[str, Any]:
    """The measured figures of a result; none where its outcome has none."""
    found = getattr(result.outcome, "figures", {})
    return found if isinstance(found, Mapping) else {}


def rows(
    results: Mapping[str, Sequence[Result]], promises: Mapping[str, str], formats: Sequence[str], prefix: str
) -> tuple[Row, ...]:
    """A row for each property, with a tally for each format; ``results`` are by property."""
    made = []
    for number, (name, promise) in enumerate(promises.items(), start=1):
        of = results[name]
        by_format = tuple(tally(r for r in of if r.dtype == fmt) for fmt in formats)
        made.append(Row(f"{prefix}p{number}", name, promise, tally(of), by_format, _basis(of)))
    return tuple(made)


SIZES = {"inputs": "inputs", "pairs": "pairs", "nans": "patterns of NaN, and both infinities"}
"""Figures that say on how many inputs a promise was judged, in words."""

LISTS = ("shapes", "axes", "modes", "cotangents")
"""Figures that list what was tried."""


def _basis(results: Iterable[Result]) -> str:
    """On how much a promise was judged, in words."""
    inputs: dict[str, list[str]] = {}
    tried: dict[str, None] = {}
    for result in results:
        measured = figures(result)
        fit = measured.get("right")
        sizes = {"inputs a side": fit.get("rungs")} if isinstance(fit, Mapping) else {}
        for name, size in (sizes | {name: measured.get(name) for name in SIZES}).items():
            if decimal(size):
                amount = (
                    "every bit pattern"
                    if measured.get("exhaustive") is True
                    else f"{count(size)} {SIZES.get(name, name)}"
                )
                where = inputs.setdefault(amount, [])
                where += [result.dtype] if result.dtype not in where else []
        for name in LISTS:
            if isinstance(measured.get(name), list):
                tried[f"{name}: {', '.join(_item(v) for v in measured[name])}"] = None
    return "; ".join([*(f"{listed(where)}: {amount}" for amount, where in inputs.items()), *tried])


def _item(value: Any) -> str:
    return f"({', '.join(map(str, value))})" if isinstance(value, list) else str(value)


def patterns(results: Iterable[Result]) -> tuple[str, ...]:
    """The formats of which every bit pattern was judged, in words: ``float16 (65,536)``."""
    # A promise may leave inputs out (NaN, say): the format has as many as the widest promise.
    found: dict[str, float] = {}
    for r in results:
        if figures(r).get("exhaustive") is True:
            found[r.dtype] = max(found.get(r.dtype, 0), decimal(figures(r).get("inputs")) or 0)
    return tuple(f"{dtype} ({count(amount)})" for dtype, amount in found.items())


def proved(results: Iterable[Result]) -> tuple[str, ...]:
    """What holds for every bit pattern of a format, in sentences; none where nothing does."""
    results = tuple(results)
    held: dict[str, dict[str, int]] = {}
    patterns: dict[str, float] = {}
    for r in results:
        if isinstance(r.outcome, Passed) and figures(r).get("exhaustive") is True:
            formats = held.setdefault(r.property_id, {})
            formats[r.dtype] = formats.get(r.dtype, 0) + 1
            # A promise may leave inputs out (NaN, say): the format has as many as the widest promise.
            patterns[r.dtype] = max(patterns.get(r.dtype, 0), decimal(figures(r).get("inputs")) or 0)
    same: dict[str, list[str]] = {}
    for name, formats in held.items():
        # It may hold for more parameter settings in one format than in another: no more is said than was seen.
        alike = len(set(formats.values())) == 1
        amounts = (
            f"{dtype} ({count(patterns[dtype])})" + ("" if alike else f" for {_settings(amount)}")
            for dtype, amount in formats.items()
        )
        each = f", for {_settings(next(iter(formats.values())))}" if alike else ""
        same.setdefault(f"every bit pattern of {listed(amounts)}{each}", []).append(name)
    sentences = [f"{listed(names)}: {where}" for where, names in same.items()]
    whole: dict[tuple[str, str], list[int]] = {}
    for (_, name, _, dtype, _), number in _counted(results).items():
        if number == ALL_PATTERNS.get(dtype):
            whole.setdefault((name, dtype), []).append(number)
    for (name, dtype), settings in whole.items():
        where = f"every bit pattern of {dtype} ({count(settings[0])}), for {_settings(len(settings))}"
        sentences.append(f"{name}: {where}{_but_for(results, name, dtype)}")
    return tuple(sentences)


def _but_for(results: Iterable[Result], name: str, dtype: str) -> str:
    """What a proof leaves to the sweep, in words; empty where it leaves nothing."""
    proofs = (figures(r).get("tally") for r in results if (r.property_id, r.dtype) == (name, dtype))
    near = max((int(decimal(t.get("near_breakpoint")) or 0) for t in proofs if isinstance(t, Mapping)), default=0)
    return (
        f" (but within a few roundings of a breakpoint, where {count(near)} or more are left to the sweep)"
        if near
        else ""
    )


ALL_PATTERNS = {"float32": 1 << 32}
"""How many bit patterns the formats have that are counted in parts."""


_Setting = tuple[str, Parameters]
"""An implementation, and the values of its parameters."""


def _counted(results: Iterable[Result]) -> dict[tuple[str, str, Parameters, str, str], int]:
    """(implementation, property, parameters, format, device) of a proof -> patterns, of the parts that passed."""
    found: dict[tuple[str, str, Parameters, str, str], int] = {}
    for r in results:
        if isinstance(r.outcome, Passed) and "tally" in figures(r):
            key = (r.implementation, r.property_id, r.parameters, r.dtype, r.device)
            found[key] = found.get(key, 0) + int(decimal(figures(r).get("inputs")) or 0)
    return found


def _settings(amount: int) -> str:
    return plural(amount, "parameter setting")


def sampled(results: Iterable[Result]) -> str:
    """How many inputs stand for the formats that are too large to go through whole, and for which parameters."""
    results = tuple(results)
    every = {_setting(r) for r in results if r.dtype}
    inputs, patterns = dict[str, int](), dict[str, int]()
    swept, strided = set[_Setting](), set[_Setting]()
    for r in results:
        if figures(r).get("exhaustive") is False:
            inputs[r.dtype] = max(inputs.get(r.dtype, 0), int(decimal(figures(r).get("inputs")) or 0))
            swept.add(_setting(r))
    for (implementation, _, parameters, dtype, _), number in _counted(results).items():
        if number != ALL_PATTERNS.get(dtype):
            patterns[dtype] = max(patterns.get(dtype, 0), number)
            strided.add((implementation, parameters))
    groups = (("inputs", inputs, swept), ("bit patterns", patterns, strided))
    return "; ".join(
        f"{listed([f'{dtype} at {count(amount)} {what}' for dtype, amount in most.items()])}, for {_share(seen, every)}"
        for what, most, seen in groups
        if most
    )


def _setting(result: Result) -> _Setting:
    return result.implementation, result.parameters


def _share(seen: set[_Setting], every: set[_Setting]) -> str:
    if seen == every:
        return "each parameter setting"
    whose = " of all implementations" if len({implementation for implementation, _ in every}) > 1 else ""
    return f"{len(seen)} of {_settings(len(every))}{whose}"


def searched(results: Iterable[Result]) -> tuple[str, ...]:
    """How many examples were drawn for what has no small domain, and with which seed."""
    drawn: dict[tuple[str, int], int] = {}
    for r in results:
        examples, seed = decimal(figures(r).get("examples")), decimal(figures(r).get("seed"))
        if examples is not None and seed is not None:
            drawn[r.property_id, int(seed)] = drawn.get((r.property_id, int(seed)), 0) + int(examples)
    by_seed: dict[int, list[str]] = {}
    for (name, seed), examples in drawn.items():
        by_seed.setdefault(seed, []).append(f"{name} with {plural(examples, 'example')}")
    return tuple(f"{listed(said)}; seed {seed}" for seed, said in by_seed.items())


def remarks(results: Iterable[Result]) -> tuple[tuple[str, str], ...]:
    """(property, remark) with the number of cases, each remark once."""
    found: dict[tuple[str, str], int] = {}
    for r in results:
        for remark in r.remarks:
            key = (r.property_id, remark)
            found[key] = found.get(key, 0) + 1
    return tuple((name, f"{text} ({plural(cases, 'case')})") for (name, text), cases in found.items())


def missing(run: Run) -> tuple[str, ...]:
    """Properties in the header without one result."""
    seen = {r.property_id for r in run.results}
    return tuple(name for name in run.header.get("properties", {}) if name not in seen)


NAMED = 4
"""So many implementations are named in a sentence; more are counted."""


def _named(names: Collection[str]) -> str:
    return listed(names) if len(names) <= NAMED else plural(len(names), "implementation")


def unchecked(run: Run) -> tuple[str, ...]:
    """Sentences about everything that was not checked, and why."""
    groups: dict[tuple[str, str, str], dict[str, int]] = {}
    for r in run.results:
        if isinstance(r.outcome, (Skipped, Unsupported)):
            why = r.outcome.reason if isinstance(r.outcome, Skipped) else r.outcome.capability
            cases = groups.setdefault((r.outcome.state, r.property_id, why), {})
            cases[r.implementation] = cases.get(r.implementation, 0) + 1
    found = []
    everyone = len({r.implementation for r in run.results})
    # What concerns most implementations comes first.
    for (state, name, why), cases in sorted(groups.items(), key=lambda group: -len(group[1])):
        whose = (
            ""
            if len(cases) == everyone
            else f" by {_named(cases)}"
            if state == "unsupported"
            else f" for {_named(cases)}"
        )
        found.append(f"{name} {state}{whose} in {plural(sum(cases.values()), 'case')}: {why}")
    found += [
        f"No {' and no '.join(kinds)} was in reach of {framework} on this machine"
        for framework, kinds in run.header.get("absent", {}).items()
        if kinds
    ]
    never = int(run.header["planned"]) - len(run.results)
    if never > 0:
        found.append(f"{plural(never, 'planned result')} never arrived")
    if without := missing(run):
        why = "not reached" if never > 0 else "not asked for, or not promised by this spec"
        found.append(f"{listed(without)}: {why}")
    if sample := sampled(run.results):
        found.append(f"The inputs between the samples ({sample})")
    return tuple(found)
