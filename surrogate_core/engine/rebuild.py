"""Rebuilding: from what a results file says of a counterexample back to the unit of work that it came of.

What the file says is not trusted. Of code it names alone the target and the property; whatever else could not have
been planned here is refused, and the reason told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from surrogate_core import libraries
from surrogate_core.engine.deviations.same import failing
from surrogate_core.engine.plan import START, Implementation, Unit
from surrogate_core.engine.result import Result, plain
from surrogate_core.engine.store import described
from surrogate_core.engine.where import Place
from surrogate_core.errors import BadInput
from surrogate_core.libraries.target import locate
from surrogate_core.properties import PROPERTIES, Case, Proof, Search
from surrogate_core.properties.outcome import Errored
from surrogate_core.properties.transforms import DEVICES
from surrogate_core.spec.catalogue import get_spec, spec_names
from surrogate_core.spec.formats import get_format
from surrogate_core.spec.model import Parameters, Spec

__all__ = ["example", "implementation", "unit"]

PROMISES = ("gradient", "forward", "at_threshold", "claims")
"""What a stored spec promises; titles and sources may change."""


def implementation(
    head: Mapping[str, Any], results: Sequence[Result], where: Place, given: Spec | None = None
) -> Implementation | Errored:
    """The implementation that some results are of, imported; or how it ended the process that imported it.

    Args:
        head: the header of their run.
        results: of one implementation.
        where: where it is imported.
        given: a spec that the catalogue may lack.

    Raises:
        BadInput: the target or its spec cannot be found, or the spec promises something else than it did.
    """
    name = results[0].implementation
    entry = next((i for i in head["implementations"] if i["name"] == name), None)
    if entry is None:
        raise BadInput(f"{name}, which the file's header lacks", "a file as check wrote it", "run the check again")
    spec = _spec(name, entry["spec"], head["specs"][entry["spec"]], given)
    target = locate(name, entry["framework"])
    stored = next((result.parameters for result in results if result.property_id != START), None)
    values = spec.grid(head["profile"])[0] if stored is None else _checked(spec, stored)
    (found,) = where.facts([(target, values)])
    if isinstance(found, BadInput):
        raise found
    return found if isinstance(found, Errored) else Implementation(target, found.framework, spec, found)


def unit(mine: Implementation, result: Result, head: Mapping[str, Any]) -> Unit:
    """The unit that a result came of; of a search, with the example that failed.

    Raises:
        BadInput, ValueError: no run has such a unit here; the message says why.
    """
    judged = next((p for p in PROPERTIES if p.id == result.property_id), None)
    if judged is None or not judged.applies(mine.spec) or mine.framework not in judged.frameworks:
        raise BadInput(
            f"property {result.property_id!r}",
            f"one that is judged of {mine.framework} and the spec {mine.spec.name}",
            "see `surrogate-core list properties`",
        )
    devices = tuple(name for name, _ in mine.facts.devices)
    needed = [str(name) for name, _ in head["devices"].get(mine.framework, [])] if judged is DEVICES else []
    if absent := [name for name in (result.device, *needed) if name not in devices]:
        raise BadInput(
            f"device {absent[0]}, which is not here", f"a machine that has it (here is {', '.join(devices)})",
            "replay it there",
        )  # fmt: skip
    case = Case(
        mine.spec, get_format(result.dtype).name, _checked(mine.spec, result.parameters), result.device, devices,
        mine.framework, head["profile"], head["seed"],
    )  # fmt: skip
    found = Unit(mine, judged.id, case)
    if isinstance(judged, Search) and (stored := example(result)):
        found = replace(found, example=judged.restored(case, stored))
    if isinstance(judged, Proof):
        parts = (replace(found, span=span) for span in judged.spans(case))
        found = next((part for part in parts if part.part == result.part), found)
    if found.id != result.id or (isinstance(judged, Proof) and found.span is None):
        raise BadInput(f"the part {result.part!r}", f"one that {head['profile']} judges", "run the check again")
    return found


def example(result: Result) -> str:
    """What a search found, as it is stored; empty where nothing is."""
    found = failing(result.outcome)
    return found.example if found else ""


def _spec(target: str, name: str, stored: Mapping[str, Any], given: Spec | None) -> Spec:
    """The spec called ``name``, once it is known to promise what is stored of it."""
    found = next(filter(None, (_named(name, given), _declared(target, name), _catalogued(name))), None)
    if found is None:
        raise BadInput(
            f"spec {name!r}, which is none of the catalogue",
            "a spec that can be found by its name",
            "give it with --spec package.module:ATTRIBUTE",
        )
    now = plain(described(found))
    for part in PROMISES:
        if now[part] != stored.get(part):
            raise BadInput(
                f"spec {name!r}, whose {part} was {stored.get(part)} and is {now[part]}",
                "the promises of the stored run",
                "run the check again: against another promise the counterexample says nothing",
            )
    return found


def _named(name: str, given: Spec | None) -> Spec | None:
    return given if given is not None and given.name == name else None


def _declared(target: str, name: str) -> Spec | None:
    if ":" in target:
        return None
    try:
        declared = libraries.find(target).surrogate.declared()
    except BadInput:  # told when it is located
        return None
    return declared if declared.name == name else None


def _catalogued(name: str) -> Spec | None:
    return get_spec(name) if name in spec_names() else None


def _checked(spec: Spec, parameters: Parameters) -> Parameters:
    """Stored parameters, once the spec has them."""
    names = [parameter.name for parameter in spec.parameters]
    if [name for name, _ in parameters] != names:
        given = ", ".join(name for name, _ in parameters)
        raise BadInput(
            f"parameters {given!r}", f"those of the spec {spec.name}: {', '.join(names)}", "run the check again"
        )
    return tuple((p.name, p.check(value)) for p, (_, value) in zip(spec.parameters, parameters, strict=True))
