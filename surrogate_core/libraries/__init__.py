"""The catalogue of known surrogates, one library a file. Importing it loads none of them."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from surrogate_core.errors import BadInput, near_misses
from surrogate_core.libraries import (
    brainpy,
    braintools,
    norse,
    own,
    rockpool,
    rockpool_jax,
    sinabs,
    snnax,
    snntorch,
    spikingjelly,
    spyx,
)
from surrogate_core.libraries.base import Documented as Documented
from surrogate_core.libraries.base import Excluded as Excluded
from surrogate_core.libraries.base import Hazard as Hazard
from surrogate_core.libraries.base import Library as Library
from surrogate_core.libraries.base import Surrogate as Surrogate
from surrogate_core.libraries.completeness import gaps as gaps
from surrogate_core.libraries.faults import faults
from surrogate_core.libraries.presence import module_spec

__all__ = ["GROUP", "Entry", "broken", "entries", "find", "gaps", "installed", "libraries", "version", "whence"]

GROUP = "surrogate_core.libraries"
"""The entry-point group by which other packages add a :class:`Library`."""

OURS: tuple[Library, ...] = (
    own.LIBRARY,
    braintools.LIBRARY,
    brainpy.LIBRARY,
    norse.LIBRARY,
    rockpool.LIBRARY,
    rockpool_jax.LIBRARY,
    sinabs.LIBRARY,
    snnax.LIBRARY,
    snntorch.LIBRARY,
    spikingjelly.LIBRARY,
    spyx.LIBRARY,
)


class Entry(NamedTuple):
    """A surrogate and the library it belongs to."""

    library: Library
    surrogate: Surrogate


class _Found(NamedTuple):
    libraries: tuple[Library, ...]
    broken: tuple[str, ...]
    points: Mapping[str, str]


@functools.cache
def _added() -> _Found:
    """What entry points add, and a sentence for each that cannot be used: one of them must not cost the others."""
    added: dict[str, Library] = {}
    refused: list[str] = []
    for point in importlib.metadata.entry_points(group=GROUP):
        name = f"the entry point {point.name} = {point.value}"
        try:
            library = point.load()
        except (Exception, SystemExit) as error:
            refused.append(f"{name} cannot be loaded: {type(error).__name__}: {error}")
            continue
        if not isinstance(library, Library):
            refused.append(f"{name} is a {type(library).__name__}, no surrogate_core.libraries.Library")
        elif wrong := faults(library, (*OURS, *added.values())):
            refused.append(f"{name} cannot be used: {'; '.join(wrong)}")
        else:
            added[name] = library
    return _Found(tuple(added.values()), tuple(refused), {library.name: name for name, library in added.items()})


def libraries() -> tuple[Library, ...]:
    """Every library of the catalogue: this project's, then those that other packages add."""
    return (*OURS, *_added().libraries)


def broken() -> tuple[str, ...]:
    """A sentence for each entry point that cannot be used."""
    return _added().broken


def whence(library: Library) -> str:
    """Where the entry of a library comes from, in a few words."""
    return _added().points.get(library.name) or f"the entry of {library.name} in surrogate_core"


def entries(known: Iterable[Library] | None = None) -> dict[str, Entry]:
    """Every surrogate of the catalogue, by its name."""
    return {s.name: Entry(library, s) for library in known or libraries() for s in library.surrogates}


def find(name: str) -> Entry:
    """The surrogate called ``name``; raises :class:`BadInput` with near misses where there is none."""
    # Entry points are looked for only where they are needed: that reads the data of every installed package.
    known = entries(OURS).get(name) or entries().get(name)
    if known is None:
        # Of a library that is known an entry point that cannot be used says nothing.
        foreign = not any(name.startswith(f"{library.name}.") for library in libraries())
        told = (*(broken() if foreign else ()), near_misses(name, entries()))
        raise BadInput(f"surrogate {name!r}", "a name from `surrogate-core list implementations`", "; ".join(told))
    return known


def installed(library: Library) -> bool:
    """Whether the library's package can be found (it is not imported)."""
    return module_spec(library.package) is not None


def version(library: Library) -> str:
    """The installed version of a library; empty where it is missing."""
    if not installed(library):
        return ""
    try:
        return f"{library.distribution} {importlib.metadata.version(library.distribution)}"
    except (importlib.metadata.PackageNotFoundError, ValueError):  # the latter where no distribution is named
        return f"{library.package}, not installed by pip"
