"""Who stands for its library in the benchmarks."""

from __future__ import annotations

import pytest
from representatives import EXPONENTIAL, REPRESENTATIVES, SUPERSPIKE, unimportable
from sympy import Abs, Wild, exp

from surrogate_core.libraries import OURS, Library, entries, installed
from surrogate_core.spec import get_spec, x

HAVE_SOME = [library for library in OURS if library.surrogates]


def exponential(name: str) -> bool:
    """Whether the gradient of a spec is an exponential of the distance to a threshold, alone."""
    a, b, c = (Wild(letter, exclude=[x]) for letter in "abc")
    return get_spec(name).gradient.match(a * exp(b * Abs(x + c))) is not None


def specs(library: Library) -> dict[str, str]:
    return {surrogate.name: surrogate.spec for surrogate in library.surrogates}


def test_every_library_has_one_and_it_is_in_the_catalogue() -> None:
    assert sorted(entries(OURS)[name].library.name for name in REPRESENTATIVES) == sorted(
        library.name for library in HAVE_SOME
    )


@pytest.mark.parametrize("library", HAVE_SOME, ids=lambda library: library.name)
def test_it_is_the_nearest_to_slayer_that_the_library_has(library: Library) -> None:
    (name,) = REPRESENTATIVES.keys() & specs(library).keys()
    why, spec = REPRESENTATIVES[name], specs(library)[name]
    nearest = any(map(exponential, specs(library).values()))
    assert exponential(spec) == nearest == (why == EXPONENTIAL)
    if why == SUPERSPIKE:
        assert spec == "fast_sigmoid"
    elif not nearest:
        assert "fast_sigmoid" not in specs(library).values()
        assert "exponential" in spec or len(library.surrogates) == 1


def test_one_that_cannot_be_imported_is_named_with_what_is_known_of_it() -> None:
    if not any(installed(library) for library in OURS if library.name == "snnax"):
        pytest.skip("snnax is missing: pip install 'surrogate_core[snnax]'")
    names = ("surrogate_core.SlayerGrad", "snnax.superspike_surrogate")
    failed = unimportable(names)
    assert list(failed) == ["snnax.superspike_surrogate"]
    assert "circular import" in failed["snnax.superspike_surrogate"]
    assert "it is known that importing snnax 0.0.1 fails" in failed["snnax.superspike_surrogate"]


def test_one_that_is_not_there_at_all_is_not_left_out() -> None:
    assert unimportable(("surrogate_core:NoSuchThing",)) == {}
