"""The catalogue of known surrogates, one library a file. Importing it loads none of them."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
from collections.abc import Iterable
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

__all__ = ["GROUP", "Entry", "broken", "entries", "find", "gaps", "installed", "libraries", "version"]

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


@functools.cache
def _added() -> _Found:
    """What entry points add, and a sentence for each that cannot be used: one of them must not cost the others."""
    added: list[Library] = []
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
        elif library.name in {known.name for known in (*OURS, *added)}:
            refused.append(f"{name} has the name {library.name!r}, which is taken")
        elif odd := [s.name for s in library.surrogates if not s.name.startswith(f"{library.name}.")]:
            refused.append(f"{name}: {', '.join(odd)} does not begin with {library.name}.")
        else:
            added.append(library)
    return _Found(tuple(added), tuple(refused))


def libraries() -> tuple[Library, ...]:
    """Every library of the catalogue: this project's, then those that other packages add."""
    return (*OURS, *_added().libraries)


def broken() -> tuple[str, ...]:
    """A sentence for each entry point that cannot be used."""
    return _added().broken


def entries(known: Iterable[Library] | None = None) -> dict[str, Entry]:
    """Every surrogate of the catalogue, by its name."""
    return {s.name: Entry(library, s) for library in known or libraries() for s in library.surrogates}


def find(name: str) -> Entry:
    """The surrogate called ``name``; raises :class:`BadInput` with near misses where there is none."""
    # Entry points are looked for only where they are needed: that reads the data of every installed package.
    found = entries(OURS).get(name) or entries().get(name)
    if found is None:
        raise BadInput(
            f"surrogate {name!r}", "a name from `surrogate-core list implementations`", near_misses(name, entries())
        )
    return found


def installed(library: Library) -> bool:
    """Whether the library's package can be found (it is not imported)."""
    return importlib.util.find_spec(library.package) is not None


def version(library: Library) -> str:
    """The installed version of a library; empty where it is missing."""
    if not installed(library):
        return ""
    try:
        return f"{library.distribution} {importlib.metadata.version(library.distribution)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{library.package}, not installed by pip"
