"""What a survey judges: every surrogate of every library that is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from surrogate_core import libraries
from surrogate_core.engine.family import family
from surrogate_core.errors import BadInput, near_misses
from surrogate_core.libraries.target import Misfit
from surrogate_core.safe_text import brief

__all__ = ["Selection", "catalogued", "select_libraries", "surveyed", "without"]

LONGEST = 500
"""Characters kept of what an installed version lacks: a value or a signature may be of any length."""


@dataclass(frozen=True)
class Selection:
    """The surrogates of the libraries that are here.

    Attributes:
        names: of the surrogates, as targets.
        missing: (library, command that brings it) of those that are not.
        libraries: names of those that are, with those that have no surrogate of their own.
        broken: a sentence for each entry point that cannot be used, so that nothing of it is judged; and for each
            entry of a library that does not fit the installed version, so that what it names in vain is not.
    """

    names: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    libraries: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


def select_libraries(names: Sequence[str] = ()) -> Selection:
    """The surrogates of the named libraries; without names, of all that are installed.

    An entry point that cannot be used costs no other library its judgement; it is named where all are asked for.

    Raises:
        BadInput: a library that is not known, one that was asked for by name and is not installed, or only such
            as have no surrogate of their own.
    """
    known = {library.name: library for library in libraries.libraries()}
    for name in names:
        if name not in known:
            expected = "a library of the catalogue, or of a package with an entry point"
            raise BadInput(f"library {name!r}", expected, "; ".join((near_misses(name, known), *libraries.broken())))
        if not libraries.installed(known[name]):
            raise BadInput(f"library {name!r}, which is not installed", "an installed library", known[name].install)
    chosen = [known[name] for name in dict.fromkeys(names)] or list(known.values())
    here = [library for library in chosen if libraries.installed(library)]
    if names and not any(library.surrogates for library in here):
        raise BadInput(
            "; ".join(f"library {library.name!r}, which has no surrogate of its own to judge" for library in here),
            "a library with surrogates of its own",
            " ".join(_why_not(library) for library in here),
        )
    return Selection(
        tuple(surrogate.name for library in here for surrogate in library.surrogates),
        tuple((library.name, library.install) for library in chosen if library not in here),
        tuple(library.name for library in here),
        () if names else libraries.broken(),
    )


def without(selection: Selection, misfits: Mapping[str, Misfit]) -> Selection:
    """What is left once it has turned out which surrogates the installed versions lack, by name: told as ``broken``."""
    lacking: dict[libraries.Library, list[Misfit]] = {}
    for name, misfit in misfits.items():
        lacking.setdefault(libraries.find(name).library, []).append(misfit)
    empty = {library.name for library, those in lacking.items() if len(those) == len(library.surrogates)}
    return replace(
        selection,
        names=tuple(name for name in selection.names if name not in misfits),
        libraries=tuple(name for name in selection.libraries if name not in empty),
        broken=(*selection.broken, *(_told(library, those) for library, those in lacking.items())),
    )


def _told(library: libraries.Library, misfits: Sequence[Misfit]) -> str:
    what = "; ".join(brief(misfit.given, LONGEST) for misfit in misfits)
    rest = "" if len(misfits) == len(library.surrogates) else "; the others that it names are judged"
    return (
        f"{libraries.whence(library)} does not fit {libraries.version(library)}: {what}: "
        f"correct the entry, or install a version that it fits{rest}"
    )


def _why_not(library: libraries.Library) -> str:
    """Why nothing of a library is judged, in a sentence: what is said of its names, and where they are judged."""
    reasons = list(dict.fromkeys(excluded.reason for excluded in library.excluded))
    if not reasons:
        return f"The catalogue knows no public surrogate of {library.name}."
    others = dict.fromkeys(e.same_as.partition(".")[0] for e in library.excluded if e.same_as)
    instead = f"; judge {' and '.join(others)} instead" if others else ""
    return f"Of the public names of {library.name} ({len(library.excluded)}): {'; '.join(reasons)}{instead}."


def catalogued(name: str) -> dict[str, Any]:
    """What the catalogue says of a target, for the header of a results file; nothing of one it does not know."""
    if ":" in name:
        return {}
    library, surrogate = libraries.find(name)
    return {
        "library": library.name,
        "family": family(name),
        "documented": {"promise": surrogate.documented.promise, "where": surrogate.documented.where},
    }


def surveyed(names: Sequence[str], more: Sequence[str] = ()) -> dict[str, Any]:
    """By library: its version, what its import does, what is not covered, and what is left out, and why.

    Told are the libraries of the surrogates ``names``, and those called ``more``, of which nothing may be judged.
    """
    known = {library.name: library for library in libraries.libraries()} if more else {}
    chosen = dict.fromkeys(libraries.find(name).library for name in names if ":" not in name)
    chosen |= dict.fromkeys(known[name] for name in more)
    return {
        library.name: {
            "version": libraries.version(library),
            "hazards": [hazard.remark for hazard in library.hazards],
            "uncovered": list(library.uncovered),
            "excluded": {excluded.origin: excluded.reason for excluded in library.excluded},
        }
        for library in chosen
    }
