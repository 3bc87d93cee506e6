"""Every public surrogate of each installed library is judged, or excluded with a reason."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import pytest

from surrogate_core.libraries import OURS, Library, gaps, installed

LISTED = [library for library in OURS if library.public is not tuple]


def missing(library: Library) -> tuple[str, ...]:
    """What its entry lacks; skips where the library is not installed."""
    if not installed(library):
        pytest.skip(f"{library.package} is not installed: {library.install}")
    return gaps(library, [other for other in OURS if other.package == library.package and other is not library])


def found(origin: str) -> Any:
    module, _, attribute = origin.partition(":")
    return functools.reduce(getattr, attribute.split("."), importlib.import_module(module))


@pytest.mark.parametrize("library", LISTED, ids=lambda library: library.name)
def test_every_public_surrogate_is_judged_or_excluded_with_a_reason(library: Library) -> None:
    assert missing(library) == ()


@pytest.mark.parametrize("library", LISTED, ids=lambda library: library.name)
def test_what_is_excluded_as_the_same_object_is_the_same_object(library: Library) -> None:
    same = [excluded for excluded in library.excluded if excluded.same_as]
    if same and not installed(library):
        pytest.skip(f"{library.package} is not installed: {library.install}")
    for excluded in same:
        assert found(excluded.origin) is found(excluded.same_as)


@pytest.mark.parametrize("library", LISTED, ids=lambda library: library.name)
def test_every_surrogate_declares_a_spec_and_says_where_its_promise_is_written(library: Library) -> None:
    for surrogate in library.surrogates:
        assert surrogate.documented.promise, surrogate.name
        assert surrogate.documented.where, surrogate.name
        spec, names = surrogate.declared(), {name for name, _ in surrogate.keywords}
        assert names <= {p.name for p in spec.parameters}, surrogate.name
