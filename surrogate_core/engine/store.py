"""The results file: JSON lines. A header, one line per result as it happens, a footer with the ledger.

A file without its footer is incomplete: it is read as far as it goes and says so.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sympy

from surrogate_core.engine.arrangement import arranged
from surrogate_core.engine.ledger import JUDGED, NOT_RUN, Ledger, account
from surrogate_core.engine.plan import START, STARTED, Plan
from surrogate_core.engine.result import Result, from_json, plain
from surrogate_core.engine.selection import catalogued, surveyed
from surrogate_core.engine.versions import packages
from surrogate_core.errors import BadInput
from surrogate_core.properties import PROPERTIES
from surrogate_core.properties.outcome import Skipped
from surrogate_core.safe_text import brief
from surrogate_core.spec.model import Parameters, Spec

__all__ = ["SCHEMA", "Run", "described", "header", "read"]

SCHEMA = 2
"""Version of the file's layout; a reader refuses any other."""

LONGEST = 2_000
"""Characters kept of what a spec says of itself."""


@dataclass(frozen=True)
class Run:
    """A run as it is stored: all that a report or a comparison may know.

    Attributes:
        header: what was asked, of whom, where.
        results: in the order of the plan.
        complete: whether the footer is there.
        troubles: what kept the ledger from adding up, in sentences: a worker that vanished, a result that
            nobody had asked for.
        complaints: what the run says against the deviations that it was judged with, each with file and line.
    """

    header: Mapping[str, Any]
    results: tuple[Result, ...]
    complete: bool
    troubles: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()

    @functools.cached_property
    def ledger(self) -> Ledger:
        return account(int(self.header["planned"]), self.results)

    @functools.cached_property
    def objections(self) -> tuple[str, ...]:
        """Why the run proves nothing; empty where it is complete and adds up."""
        unfinished = () if self.complete else ("the run was not finished: its footer is missing",)
        return unfinished + self.troubles + self.ledger.objections + self._unjudged()

    @property
    def unusable(self) -> tuple[str, ...]:
        """A sentence for each entry that a survey could not use: what it names, or some of it, was not judged."""
        return tuple(map(str, self.header.get("broken", ())))

    def _unjudged(self) -> tuple[str, ...]:
        # One implementation's passes must not hide that another one was never judged.
        if not self.complete or not self.ledger.judged or self.header.get("partial"):
            return ()
        judged = {r.implementation for r in self.results if r.outcome.state in JUDGED}
        judged |= {name for name in {r.implementation for r in self.results} if self.cut_short(name)}
        names = (str(i["name"]) for i in self.header["implementations"])
        return tuple(f"nothing was judged of {name}" for name in names if name not in judged)

    def cut_short(self, implementation: str) -> bool:
        """Whether some of its results are missing because the check stopped early."""
        mine = (r.outcome for r in self.of(implementation))
        return any(isinstance(o, Skipped) and o.reason.startswith(NOT_RUN) for o in mine)

    @property
    def conforms(self) -> bool:
        """Whether all that was planned is accounted for, something judged, nothing failed or left out, no complaint."""
        return not (self.objections or self.unusable or self._departs)

    @property
    def _departs(self) -> bool:
        counts = self.ledger.counts
        return bool(self.complaints or counts["failed"] or counts["errored"])

    def of(self, implementation: str) -> tuple[Result, ...]:
        """The results of one implementation."""
        return tuple(r for r in self.results if r.implementation == implementation)

    def by_spec(self) -> tuple[Run, ...]:
        """A run for each spec, in the order of the header: its implementations, and their results."""
        if len(self.header.get("specs", {})) < 2:
            return (self,)
        runs = []
        for name, spec in self.header["specs"].items():
            mine = [i for i in self.header["implementations"] if i["spec"] == name]
            names = {i["name"] for i in mine}
            planned = sum(int(i["planned"]) for i in mine)
            head = {**self.header, "specs": {name: spec}, "implementations": mine, "planned": planned}
            results = tuple(r for r in self.results if r.implementation in names)
            runs.append(Run(head, results, self.complete, self.troubles))
        return tuple(runs)

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 does not conform, 3 nothing was judged (of an entry, too) or the ledger does not add up."""
        return 3 if self.objections else 1 if self._departs else 3 if self.unusable else 0


def header(plan: Plan, unlimited: str = "") -> dict[str, Any]:
    """What the first line of a results file says; ``unlimited`` is why no limits held, where none did."""
    known = {i.framework: i.facts for i in plan.implementations if i.facts.framework}
    planned = Counter(unit.implementation.name for unit in plan.units)
    planned.update(result.implementation for result in plan.settled)
    grids: dict[str, dict[Parameters, None]] = {i.name: {} for i in plan.implementations}
    for unit in plan.units:
        grids[unit.implementation.name][unit.case.parameters] = None
    return plain(
        {
            "kind": "header",
            "schema": SCHEMA,
            "specs": {i.spec.name: described(i.spec) for i in plan.implementations},
            "properties": {p.id: p.promise for p in PROPERTIES} | ({START: STARTED} if plan.settled else {}),
            "implementations": [
                {
                    "name": i.name,
                    "spec": i.spec.name,
                    "framework": i.framework,
                    "package": i.target.distribution,
                    "version": i.target.version(),
                    "planned": planned[i.name],
                    "file": _near(i.facts.file),
                    "line": i.facts.line,
                    "digest": i.facts.digest,
                    "grid": [dict(values) for values in grids[i.name]],
                    **catalogued(i.name),
                }
                for i in plan.implementations
            ],
            "survey": plan.survey,
            "libraries": surveyed([i.name for i in plan.implementations], plan.selection.libraries),
            "missing": dict(plan.selection.missing),
            "broken": list(plan.selection.broken),
            "partial": plan.partial,
            "environment": {
                "python": platform.python_version(),
                "platform": platform.platform(),
                "packages": packages(),
            },
            "devices": {name: [list(device) for device in facts.devices] for name, facts in known.items()},
            "absent": {name: list(facts.absent) for name, facts in known.items()},
            **({"unlimited": unlimited} if unlimited else {}),
            "profile": plan.profile,
            "seed": plan.seed,
            "dtypes": list(dict.fromkeys(unit.case.dtype for unit in plan.units)),
            "grid": [dict(values) for values in dict.fromkeys(unit.case.parameters for unit in plan.units)],
            "planned": len(plan.units) + len(plan.settled),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
    )


def described(spec: Spec) -> dict[str, Any]:
    """What a header says of a spec."""
    return {
        "title": brief(spec.title, LONGEST),
        "source": brief(spec.source, LONGEST),
        "gradient": str(spec.gradient),
        "latex": sympy.latex(spec.gradient),
        "forward": str(spec.step),
        "at_threshold": spec.at_threshold,
        "claims": [brief(claim.sentence(), LONGEST) for claim in spec.claims],
    }


def _near(file: str) -> str:
    """A path as a person would write it here."""
    here = Path.cwd()
    return str(Path(file).relative_to(here)) if file and Path(file).is_relative_to(here) else file


def read(path: str | os.PathLike[str]) -> Run:
    """The run stored at ``path``, as far as it goes.

    Raises:
        BadInput: no such file, or its header or a whole line of it is not that of a results file.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"results file {path}: {error}", "a file written with --results", "check the path") from None
    lines = list(_lines(path, text))
    if not lines:
        raise _not_results(path, 1, "no header")
    if lines[0].get("kind") == "header" and lines[0].get("schema") != SCHEMA:
        raise BadInput(
            f"results file {path} of schema {lines[0].get('schema')}",
            f"schema {SCHEMA}",
            "read it with the version of surrogate_core that wrote it",
        )
    if flaw := _flaw(lines[0]):
        raise _not_results(path, 1, flaw)
    results: list[Result] = []
    footer: Mapping[str, Any] | None = None
    for number, line in enumerate(lines[1:], start=2):
        if footer is not None:
            raise _not_results(path, number, "something after the footer")
        if line.get("kind") == "footer":
            footer = line
            continue
        try:
            results.append(from_json(line))
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            raise _not_results(path, number, f"not a result ({type(error).__name__}: {str(error)[:200]})") from None
    said = [_sentences(path, len(lines), footer or {}, name) for name in ("troubles", "complaints")]
    run = Run(lines[0], arranged(lines[0], results), footer is not None, *said)
    if footer is not None and footer.get("counts") != dict(run.ledger.counts):
        raise _not_results(path, len(lines), "the footer's counts are not those of the results")
    return run


def _sentences(path: object, line: int, footer: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = footer.get(name, [])
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise _not_results(path, line, f"{name} that are no sentences")
    return tuple(found)


HEADER: dict[str, type] = {
    "specs": dict,
    "properties": dict,
    "implementations": list,
    "environment": dict,
    "devices": dict,
    "absent": dict,
    "profile": str,
    "seed": int,
    "started": str,
    "planned": int,
}
"""What every header has, and of which type."""

NAMED = {
    "specs": ("title", "source", "gradient", "forward", "claims"),
    "implementations": ("name", "spec", "framework", "package", "version", "planned"),
    "environment": ("python", "platform", "packages"),
}
"""What its parts have."""


def _flaw(head: Mapping[str, Any]) -> str:
    """What is wrong with a header, in a few words; empty where nothing is."""
    if head.get("kind") != "header":
        return "no header"
    for key, kind in HEADER.items():
        if not isinstance(head.get(key), kind):
            return f"a header without {key!r}, or with something else there"
    for key, names in NAMED.items():
        for part in _parts(key, head[key]):
            if not isinstance(part, dict) or not set(names) <= part.keys():
                return f"a header whose {key!r} lacks one of {', '.join(names)}"
    for key, part in _texts(head):
        if not isinstance(part, str):
            return f"a header whose {key!r} has something else than words"
    for entry in head["implementations"]:
        if not isinstance(entry["planned"], int):
            return f"a header that does not say how much is planned of {entry['name']!r}"
        if entry["spec"] not in head["specs"]:
            return f"a header whose 'specs' lack {entry['spec']!r}, which {entry['name']} declares"
    return ""


def _texts(head: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(key, value) of everything in a header that has to be words."""
    for key, names in NAMED.items():
        for part in _parts(key, head[key]):
            yield from ((key, part[name]) for name in names if name not in ("planned", "claims", "packages"))
    for spec in head["specs"].values():
        yield from (("specs", claim) for claim in _elements(spec["claims"]))
    for promise in head["properties"].values():
        yield "properties", promise
    for names in head["absent"].values():
        yield from (("absent", name) for name in _elements(names))
    for devices in head["devices"].values():
        for device in _elements(devices):
            # A name and a kind, or something that is no text.
            pair = _elements(device)
            yield from (("devices", text) for text in (pair if len(pair) == 2 else [None]))
    packages = head["environment"]["packages"]
    yield from (("environment", text) for text in (packages.values() if isinstance(packages, dict) else [None]))


def _elements(value: Any) -> list[Any]:
    """Those of a list; of anything else something that is no text."""
    return value if isinstance(value, list) else [None]


def _parts(key: str, value: Any) -> list[Any]:
    """The parts of a header's entry that have names of their own."""
    return list(value.values()) if key == "specs" else value if isinstance(value, list) else [value]


def _lines(path: object, text: str) -> Iterator[dict[str, Any]]:
    whole = text.endswith("\n")
    parts = text.splitlines()
    for number, line in enumerate(parts, start=1):
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            if number == len(parts) and not whole and number > 1:
                return  # interrupted while it was written: everything before it counts
            raise _not_results(path, number, "not JSON") from None
        if not isinstance(values, dict):
            raise _not_results(path, number, "not a JSON object")
        yield values


def _not_results(path: object, line: int, what: str) -> BadInput:
    return BadInput(f"results file {path}, line {line}: {what}", "a file written with --results", "check the path")
