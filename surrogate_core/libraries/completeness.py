"""Whether the entry of a library is complete: everything that its installed version holds is judged or excluded."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator

from surrogate_core.errors import BadInput
from surrogate_core.libraries.base import Library
from surrogate_core.libraries.sources import constructed

__all__ = ["gaps"]

SHORTEST = 10
"""Characters of a reason that says something."""


def gaps(library: Library, beside: Iterable[Library] = ()) -> tuple[str, ...]:
    """What is missing in a library's entry, a sentence each: none, where the entry is complete.

    Two nets are cast. What the library exports, which its ``public`` enumerates, has to be judged or excluded, and
    what is judged or excluded has to be there. What is made like a surrogate anywhere in its sources
    (``libraries/sources.py``) has to be judged, excluded or ``accepted``. Made for a test of the library's own::

        def test_every_surrogate_is_judged_or_excluded_with_a_reason():
            assert gaps(LIBRARY) == ()

    Args:
        library: the entry to look at; its package is imported where there is a ``public``.
        beside: other entries of the same package, whose part is not missing here.

    Raises:
        BadInput: the package is not installed.
    """
    found = constructed(library.package, library.bases)
    return (*_of_the_exported(library), *_of_the_sources(library, found, (library, *beside)), *_of_the_reasons(library))


def _of_the_exported(library: Library) -> Iterator[str]:
    if library.public is tuple:
        return
    exported, known = set(_public(library)), _known(library)
    if not exported:
        yield f"{library.name} exports nothing: its enumeration looks in the wrong place"
    for origin in sorted(exported - known):
        yield f"{origin} is exported: judge it, or exclude it with a reason"
    for origin in sorted(known - exported) if exported else ():
        yield f"{origin} is not exported any more: leave it out"


def _public(library: Library) -> Iterable[str]:
    for module in library.blocked:
        sys.modules.setdefault(module, None)  # pyright: ignore[reportArgumentType] None makes an import fail
    with warnings.catch_warnings():
        # What a library's own import warns of is no matter of ours.
        warnings.simplefilter("ignore")
        try:
            return list(library.public())
        except ModuleNotFoundError as error:
            raise BadInput(f"the package {library.package!r}: {error}", "an installed one", library.install) from error


def _known(library: Library) -> set[str]:
    return {s.origin for s in library.surrogates} | {e.origin for e in library.excluded}


def _of_the_sources(library: Library, found: tuple[str, ...], entries: tuple[Library, ...]) -> Iterator[str]:
    known = {origin for entry in entries for origin in (*_known(entry), *(e.origin for e in entry.accepted))}
    for origin in found:
        if not any(_covers(one, origin) for one in known):
            yield f"{origin} is made like a surrogate: judge it, exclude it, or accept it with a reason"
    for accepted in library.accepted:
        if not any(_covers(accepted.origin, origin) for origin in found):
            yield f"{accepted.origin} is accepted, and not in the sources any more: leave it out"


def _covers(known: str, origin: str) -> bool:
    """Whether ``origin`` is ``known``, within it, or what a module above its own exports as that.

    A package or module alone covers everything in it.
    """
    (module, _, name), (place, _, made) = known.partition(":"), origin.partition(":")
    return f"{place}.".startswith(f"{module}.") and (not name or f"{made}.".startswith(f"{name}."))


def _of_the_reasons(library: Library) -> Iterator[str]:
    for one in (*library.excluded, *library.accepted):
        if len(one.reason) <= SHORTEST:
            yield f"{one.origin} is left out for no reason that says something: {one.reason!r}"
