"""What is wrong with an entry that another package adds: looked for once, before anything of it is used.

What this project's own entries say, its tests verify. Of others nothing is known: a slip in one of them must neither
stop the survey of all libraries nor be told as a defect of the library that it describes.
"""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from surrogate_core.errors import BadInput
from surrogate_core.libraries.base import Library, Surrogate
from surrogate_core.safe_text import brief, representation, word

if TYPE_CHECKING:
    from surrogate_core.spec.model import Spec

__all__ = ["faults"]

LONGEST_VALUE, LONGEST, LONGEST_ADVICE = 80, 500, 200
"""Characters kept of a value, of what is said of a mistake, and of what to do: a list of all there is helps nobody."""


def faults(library: Library, known: Sequence[Library] = ()) -> tuple[str, ...]:
    """What keeps an entry from being used, each with the surrogate and what to do; none where it can be used.

    Args:
        library: the entry.
        known: entries that are there already, so that names of theirs are taken.
    """
    # What is of another type cannot be asked for the rest, and of what has no spec no other can be told.
    return tuple(_of_the_types(library)) or (*_of_the_names(library, known), *_of_the_specs(library, known))


def _of_the_types(library: Library) -> Iterator[str]:
    yield from _mistyped(library, "")
    for surrogate in _those(library.surrogates, Surrogate):
        of_it = list(_mistyped(surrogate, f"{word(surrogate, 'name')}: "))
        yield from of_it or _unhashable(surrogate)
    for part in (library.excluded, library.hazards, library.accepted):
        for one in _those(part, object):
            yield from _mistyped(one, f"{type(one).__name__}: ")


def _mistyped(entry: Any, whose: str) -> Iterator[str]:
    """What the fields of a dataclass hold that they are not declared to hold."""
    if not hasattr(type(entry), "__dataclass_fields__"):
        return  # told by whatever holds it
    hints = typing.get_type_hints(type(entry))
    for field in fields(entry):
        value = getattr(entry, field.name)
        if not _is(value, hints[field.name]):
            yield f"{whose}{field.name}={brief(representation(value), LONGEST_VALUE)}, expected {field.type}"
        elif field.name == "documented":
            yield from _mistyped(value, f"{whose}documented: ")


def _is(value: Any, hint: Any) -> bool:
    """Whether a value is of a type as it is written at a field of an entry."""
    kind, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if kind is tuple and isinstance(value, tuple):
        several = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        return len(value) == len(several) and all(map(_is, value, several))
    if kind is types.UnionType:
        return any(_is(value, one) for one in inner)
    if kind is collections.abc.Callable:
        return callable(value)
    return isinstance(value, (int, float) if hint is float else kind or hint)


def _those(values: object, kind: type) -> tuple[Any, ...]:
    return tuple(one for one in values if isinstance(one, kind)) if isinstance(values, (tuple, list)) else ()


def _unhashable(surrogate: Surrogate) -> Iterator[str]:
    try:
        hash(surrogate)
    except TypeError as error:
        yield f"{surrogate.name}: {error} in its variant, defaults or fixed: write tuples for lists"


def _of_the_names(library: Library, known: Sequence[Library]) -> Iterator[str]:
    # Imported here, as specs are below: where nothing is added, listing what there is needs neither NumPy nor sympy.
    from surrogate_core.drivers import FRAMEWORKS

    for name in ("name", "package", "distribution"):
        if not getattr(library, name):
            yield f"an empty {name}: write it down"
    if library.name in {other.name for other in known}:
        yield f"it has the name {library.name!r}, which is taken: choose another"
    taken = {s.name for other in known for s in other.surrogates}
    for surrogate in library.surrogates:
        name = surrogate.name
        if not name.startswith(f"{library.name}.") or ":" in name:
            yield f"{name!r} does not begin with {library.name}. or has a colon: call it {library.name}.Something"
        if name in taken:
            yield f"{name} is there twice, or in another library: give each surrogate a name of its own"
        taken.add(name)
        if not (surrogate.module and surrogate.attribute):
            yield f"{name}: an empty module or attribute: say where the library keeps it"
        if surrogate.framework not in (*FRAMEWORKS, "auto"):
            yield f"{name}: framework {surrogate.framework!r}, expected jax, torch, or auto to find out"
        # It is imported in other processes, and printed.
        if surrogate.adapter and "<" in (word(surrogate.adapter, "__qualname__") or "<"):
            yield f"{name}: its adapter is no function of a module: write def at the module's top level"


def _of_the_specs(library: Library, known: Sequence[Library]) -> Iterator[str]:
    declared: dict[Surrogate, Spec] = {}
    for surrogate in library.surrogates:
        try:
            declared[surrogate] = surrogate.declared()
        except BadInput as mistake:
            yield f"{surrogate.name}: {_in_a_line(mistake)}"
            continue
        spec = declared[surrogate]
        before = [*(s for other in known for s in other.surrogates), *declared]
        for owner, other in _namesakes(spec.name, before):
            if other != spec:
                yield f"{surrogate.name} declares a spec called {spec.name!r}, as {owner} does another: rename yours"
                break


def _namesakes(name: str, surrogates: Iterable[Surrogate]) -> Iterator[tuple[str, Spec]]:
    """(whose it is, spec) of every spec that is called so."""
    from surrogate_core.spec import get_spec, spec_names

    if name in spec_names():
        yield "the catalogue", get_spec(name)
    for surrogate in surrogates:
        # The name of another begins with that of its family: only of those that may be called so is a formula built.
        if ":" in surrogate.spec or name.partition("(")[0] == surrogate.spec:
            declared = surrogate.declared()
            if declared.name == name:
                yield surrogate.name, declared


def _in_a_line(mistake: BadInput) -> str:
    """A mistake in one line: of a traceback its last."""
    said, _, details = mistake.given.partition("\n")
    last = details.strip().rpartition("\n")[2]
    told = " ".join(filter(None, (said, last)))
    advice = f" ({mistake.next_step})" if len(mistake.next_step) <= LONGEST_ADVICE else ""
    return brief(f"{told}, expected {mistake.expected}{advice}", LONGEST)
