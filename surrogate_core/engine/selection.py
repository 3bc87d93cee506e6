"""What a survey judges: every surrogate of every library that is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from surrogate_core import libraries
from surrogate_core.errors import BadInput, near_misses

__all__ = ["Selection", "catalogued", "select_libraries", "surveyed"]


@dataclass(frozen=True)
class Selection:
    """The surrogates of the libraries that are here.

    Attributes:
        names: of the surrogates, as targets.
        missing: (library, command that brings it) of those that are not.
    """

    names: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]


def select_libraries(names: Sequence[str] = ()) -> Selection:
    """The surrogates of the named libraries; without names, of all that are installed.

    Raises:
        BadInput: a library that is not known, one that was asked for by name and is not installed, or an entry
            point that cannot be used.
    """
    known = {library.name: library for library in libraries.libraries()}
    for name in names:
        if name not in known:
            expected = "a library of the catalogue, or of a package with an entry point"
            raise BadInput(f"library {name!r}", expected, near_misses(name, known))
        if not libraries.installed(known[name]):
            raise BadInput(f"library {name!r}, which is not installed", "an installed library", known[name].install)
    if not names and libraries.broken():
        raise BadInput("; ".join(libraries.broken()), "entry points that load a Library", "mend or uninstall them")
    chosen = [known[name] for name in dict.fromkeys(names)] or list(known.values())
    here = [library for library in chosen if libraries.installed(library)]
    return Selection(
        tuple(surrogate.name for library in here for surrogate in library.surrogates),
        tuple((library.name, library.install) for library in chosen if library not in here),
    )


def catalogued(name: str) -> dict[str, Any]:
    """What the catalogue says of a target, for the header of a results file; nothing of one it does not know."""
    if ":" in name:
        return {}
    library, surrogate = libraries.find(name)
    return {
        "library": library.name,
        "family": surrogate.spec,
        "documented": {"promise": surrogate.documented.promise, "where": surrogate.documented.where},
    }


def surveyed(names: Sequence[str]) -> dict[str, Any]:
    """By library: its version, what its import does, what is not covered, and what is left out, and why."""
    chosen = dict.fromkeys(libraries.find(name).library for name in names if ":" not in name)
    return {
        library.name: {
            "version": libraries.version(library),
            "hazards": [hazard.remark for hazard in library.hazards],
            "uncovered": list(library.uncovered),
            "excluded": {excluded.origin: excluded.reason for excluded in library.excluded},
        }
        for library in chosen
    }
