"""Every public surrogate of each installed library is judged, or excluded with a reason."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import warnings
from typing import Any

import pytest

from surrogate_core.libraries import OURS, Library

LISTED = [library for library in OURS if library.public is not tuple]


def public(library: Library) -> list[str]:
    """What the installed version exports; skips where there is none."""
    if importlib.util.find_spec(library.package) is None:
        pytest.skip(f"{library.package} is not installed: {library.install}")
    for module in library.blocked:
        sys.modules.setdefault(module, None)  # pyright: ignore[reportArgumentType] None makes an import fail
    with warnings.catch_warnings():
        # What a library's own import warns of is no matter of ours.
        warnings.simplefilter("ignore")
        return list(library.public())


def found(origin: str) -> Any:
    module, _, attribute = origin.partition(":")
    return functools.reduce(getattr, attribute.split("."), importlib.import_module(module))


@pytest.mark.parametrize("library", LISTED, ids=lambda library: library.name)
def test_every_public_surrogate_is_judged_or_excluded_with_a_reason(library: Library) -> None:
    exported = set(public(library))
    known = {s.origin for s in library.surrogates} | {e.origin for e in library.excluded}
    assert exported, f"{library.name} exports nothing: its enumeration looks in the wrong place"
    assert exported - known == set(), "new in the library: judge it, or say why not"
    assert known - exported == set(), "gone from the library: leave it out"
    assert all(len(e.reason) > 10 for e in library.excluded)


@pytest.mark.parametrize("library", LISTED, ids=lambda library: library.name)
def test_what_is_excluded_as_the_same_object_is_the_same_object(library: Library) -> None:
    public(library)
    for excluded in library.excluded:
        if excluded.same_as:
            assert found(excluded.origin) is found(excluded.same_as)


@pytest.mark.parametrize("library", LISTED, ids=lambda library: library.name)
def test_every_surrogate_declares_a_spec_and_says_where_its_promise_is_written(library: Library) -> None:
    for surrogate in library.surrogates:
        assert surrogate.documented.promise, surrogate.name
        assert surrogate.documented.where, surrogate.name
        spec, names = surrogate.declared(), {name for name, _ in surrogate.keywords}
        assert names <= {p.name for p in spec.parameters}, surrogate.name
