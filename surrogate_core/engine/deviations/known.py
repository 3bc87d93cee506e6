"""Known failures in a run: which failures an entry explains, and which entries the run contradicts.

Two kinds of mistake are told apart. What is wrong with the file by itself (no reason, a name that matches nothing)
is the user's, and ends the check before anything is judged. What the run found out (an entry that is no longer
needed, that fails differently than pinned, that has expired) is a finding: the run is finished, and does not
conform, as a test that passes unexpectedly fails a strict suite.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from surrogate_core.engine.deviations.model import Deviation, any_matches, matches, split_id
from surrogate_core.engine.deviations.same import difference, failing
from surrogate_core.engine.plan import PROFILES, START, Plan
from surrogate_core.engine.result import Result
from surrogate_core.errors import BadInput, near_misses
from surrogate_core.libraries import entries
from surrogate_core.properties.outcome import ExpectedFailure
from surrogate_core.spec.formats import FORMATS

__all__ = ["Complaint", "Known", "check_names"]

JUDGED = ("passed", "failed", "errored", "expected failure")


@dataclass(frozen=True)
class Complaint:
    """An entry that the run contradicts: where it stands, and what is the matter, in a sentence."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


def check_names(
    deviations: Iterable[Deviation], plan: Plan, more: Iterable[str] = (), *, narrowed: bool = False
) -> None:
    """Refuse entries whose implementation, parameters or pinned result do not exist.

    Args:
        deviations: the entries.
        plan: what is to be judged.
        more: implementations that exist beside those of the plan and of the catalogue.
        narrowed: whether only some properties, parameters or formats are judged, so that a pin may lie outside.

    Raises:
        BadInput: an implementation that is none of these, a parameter that its spec lacks, a version of
            an implementation that has none, a pinned id that no result of the profile has.
    """
    deviations = tuple(deviations)
    ids = {} if narrowed else _ids(plan)
    if not deviations:
        return
    planned = {i.name: i for i in plan.implementations}
    known = {*planned, *entries(), *more}
    for entry in deviations:
        for glob in entry.implementations:
            if not any(matches(glob, name) for name in known):
                raise BadInput(
                    f"{entry.place}: implementation {glob!r} matches nothing",
                    "a target of this check, or a name of the catalogue",
                    near_misses(glob, known),
                )
        mine = [i for name, i in planned.items() if any_matches(entry.implementations, name)]
        parameters = {p.name for i in mine for p in i.spec.parameters}
        for name, _ in entry.parameters:
            if mine and name not in parameters:
                raise BadInput(
                    f"{entry.place}: parameter {name!r}", "a parameter of the spec", near_misses(name, parameters)
                )
        if mine and any(not package for package, _ in entry.versions) and not any(i.target.version() for i in mine):
            raise BadInput(
                f"{entry.place}: version, but {mine[0].name} has none",
                "an implementation from an installed package",
                "name the package: version = { jax = '<0.11' }",
            )
        if entry.pin and entry.pin.profile == plan.profile and not entry.versions:
            _check_pinned(entry, entry.pin.id, ids)


def _ids(plan: Plan) -> dict[str, set[str]]:
    """By implementation, the ids of what is to be judged, of which one may be pinned."""
    found: dict[str, set[str]] = {}
    for unit in plan.units:
        found.setdefault(unit.implementation.name, set()).add(unit.id)
    return found


def _check_pinned(entry: Deviation, pinned: str, ids: Mapping[str, set[str]]) -> None:
    parts = split_id(pinned)
    if parts is None or parts[0] not in ids or pinned in ids[parts[0]]:
        return
    # On another machine there are other devices: a pin to one of those is left to that machine.
    device = DEVICE.search(parts[2])
    if parts[1] == START or not device or not any(f"-{device[0]}" in name for name in ids[parts[0]]):
        return
    raise BadInput(
        f"{entry.place}: the pinned id {pinned!r} matches nothing",
        "the id of a result of this check",
        near_misses(pinned, (name for name in ids[parts[0]] if f"::{parts[1]}[" in name)),
    )


DEVICE = re.compile(r"[a-z]+:\d+")
"""The device in the words of a case."""


class Known:
    """The entries of a deviations file, as they bear on one run.

    Args:
        deviations: the entries.
        head: the header of the run.
        narrowed: whether only some of the properties are judged.
        today: by default the day that it is.
    """

    def __init__(
        self,
        deviations: Sequence[Deviation],
        head: Mapping[str, Any],
        *,
        narrowed: bool = False,
        today: datetime.date | None = None,
    ) -> None:
        self._profile, self._narrowed = str(head["profile"]), narrowed
        today = today or datetime.date.today()
        own = {str(i["name"]): str(i["version"]) for i in head["implementations"]}
        packages = {str(name): str(version) for name, version in head["environment"]["packages"].items()}
        packages |= {str(i["package"]): str(i["version"]) for i in head["implementations"] if i["package"]}
        self._by_name = {name: [d for d in deviations if any_matches(d.implementations, name)] for name in own}
        self._mine = [d for d in deviations if any(d in found for found in self._by_name.values())]
        self._expired = {d.line for d in self._mine if d.expires and d.expires < today}
        self._foreign = {
            (d.line, name): text
            for name, found in self._by_name.items()
            for d in found
            if (text := d.foreign_version(own[name], packages))
        }

    def settle(self, result: Result) -> Result:
        """The result, as an expected failure where an entry explains it; one that was known is looked up anew."""
        failure = failing(result.outcome)
        if failure is None:
            return result
        result = replace(result, outcome=failure)
        for entry in self._by_name.get(result.implementation, ()):
            if entry.covers(result) and not self._objection(entry, result):
                last = str(entry.expires or "")
                return replace(result, outcome=ExpectedFailure(failure, entry.reason, entry.link, entry.place, last))
        return result

    def _objection(self, entry: Deviation, result: Result) -> str:
        """Why an entry does not explain a failure in its scope, in words; empty where it does."""
        failure = failing(result.outcome)
        if failure is None:
            return ""
        if foreign := self._foreign.get((entry.line, result.implementation)):
            return f"is for {foreign}"
        if entry.line in self._expired:
            return f"expired on {entry.expires}"
        if entry.pin and entry.pin.id == result.id and (other := difference(entry.pin, result, self._profile)):
            return f"fails differently than pinned: at {result.id} {other}"
        if unlike := entry.unlike(failure):
            return f"does not explain {unlike}, at {result.id}"
        return ""

    def complaints(self, results: Iterable[Result]) -> tuple[Complaint, ...]:
        """What the whole run says against the entries, in their order; one for each entry at most."""
        grouped: dict[str, list[Result]] = {name: [] for name in self._by_name}
        for result in results:
            grouped.setdefault(result.implementation, []).append(result)
        found = []
        for entry in self._mine:
            mine = [r for name, bearing in self._by_name.items() if entry in bearing for r in grouped[name]]
            covered = [r for r in mine if entry.covers(r)]
            started = entry.properties == (START,) and mine and not covered
            if sentence := "the entry is no longer needed: it starts" if started else self._complaint(entry, covered):
                found.append(Complaint(entry.file, entry.line, sentence))
        return tuple(found)

    def _complaint(self, entry: Deviation, covered: Sequence[Result]) -> str:
        if entry.line in self._expired:
            return f"the entry expired on {entry.expires}: {entry.reason}"
        open_ = [r for r in covered if r.outcome.state in ("failed", "errored")]
        for result in open_:
            if objection := self._objection(entry, result):
                return f"the entry {objection}"
        # A version that it is not about says nothing of whether it is needed.
        covered = [r for r in covered if (entry.line, r.implementation) not in self._foreign]
        judged = [r for r in covered if r.outcome.state in JUDGED]
        failed = [r for r in judged if failing(r.outcome)]
        pinned = [r for r in judged if entry.pin and r.id == entry.pin.id] if self._seen(entry) else []
        if pinned and not failing(pinned[0].outcome):
            if not failed:
                return f"the entry is no longer needed: {pinned[0].id} passes, and nothing else that it covers fails"
            return f"the entry fails differently than pinned: {pinned[0].id} passes, but {failed[0].id} fails"
        if entry.pin is None and judged and not failed and self._whole(entry, covered, entry.dtypes):
            return "the entry is no longer needed: nothing that it covers fails"
        return self._superfluous(entry, covered, failed) if failed and (pinned or entry.pin is None) else ""

    def _superfluous(self, entry: Deviation, covered: Sequence[Result], failed: Sequence[Result]) -> str:
        """The one of several names in a list that nothing fails for any more."""
        for key, names, part in (
            ("implementation", entry.implementations, lambda r: r.implementation),
            ("property", entry.properties, lambda r: r.property_id),
            ("dtype", entry.dtypes, lambda r: r.dtype),
        ):
            for name in names if len(names) > 1 else ():
                here = [r for r in covered if matches(name, part(r))]
                judged = any(r.outcome.state in JUDGED for r in here)
                dtypes = (name,) if key == "dtype" else entry.dtypes
                if judged and self._whole(entry, here, dtypes) and not any(matches(name, part(r)) for r in failed):
                    return f"the entry's {key} {name!r} is no longer needed: nothing fails there"
        return ""

    def _seen(self, entry: Deviation) -> bool:
        """Whether this run looks at least as closely as the one that the pin is from."""
        then = entry.pin.profile if entry.pin else ""
        return not then or PROFILES.index(self._profile) >= PROFILES.index(then)

    def _whole(self, entry: Deviation, covered: Sequence[Result], dtypes: Sequence[str]) -> bool:
        """Whether what the entry covers was looked at in every format, and in all that its globs may mean."""
        globs = any(sign in name for name in entry.properties for sign in "*?")
        wanted = {name for name in FORMATS if any_matches(dtypes, name)}
        return self._seen(entry) and not (globs and self._narrowed) and wanted <= {r.dtype for r in covered}
