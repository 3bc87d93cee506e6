from __future__ import annotations

from dataclasses import replace

import pytest

from surrogate_core import engine, libraries
from surrogate_core.engine.selection import Selection, surveyed, without
from surrogate_core.errors import BadInput
from surrogate_core.libraries import Excluded, Library, Surrogate
from surrogate_core.libraries.target import Misfit

FULL = Library("full", "json", "full", "", (Surrogate("full.slayer", "slayer", "jax", "json", "slayer"),))
EMPTY = Library(
    "empty", "json", "empty", "", (), (Excluded("json:loads", "the very same as full's", same_as="full.made:loads"),)
)
ABSENT = Library("absent", "no_such_module", "absent", "", ())


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "libraries", lambda: (FULL, EMPTY, ABSENT))


def test_a_library_without_a_surrogate_is_among_those_that_are_here() -> None:
    chosen = engine.select_libraries()
    assert (chosen.names, chosen.libraries) == (("full.slayer",), ("full", "empty"))
    assert chosen.missing == (("absent", "pip install absent"),)
    about = surveyed([], chosen.libraries)
    assert about["empty"]["excluded"] == {"json:loads": "the very same as full's"}


def test_asked_for_alone_it_is_said_that_there_is_nothing_to_judge_and_why() -> None:
    told = "'empty', which has no surrogate of its own to judge(.|\n)*the very same as full's; judge full instead"
    with pytest.raises(BadInput, match=told):
        engine.select_libraries(["empty"])
    assert engine.select_libraries(["empty", "full"]).libraries == ("empty", "full")


def test_an_entry_point_that_cannot_be_used_is_named_where_all_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "broken", lambda: ("the entry point a = b:c cannot be loaded",))
    assert engine.select_libraries().names == ("full.slayer",)
    assert engine.select_libraries().broken == ("the entry point a = b:c cannot be loaded",)
    assert engine.select_libraries(["full"]).broken == ()
    with pytest.raises(BadInput, match="the entry point a = b:c"):
        engine.select_libraries(["a"])


def test_what_an_installed_version_lacks_is_left_out_and_told_once_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    both = replace(FULL, surrogates=tuple(replace(FULL.surrogates[0], name=f"full.{name}") for name in ("one", "two")))
    monkeypatch.setattr(libraries, "OURS", (both,))
    lacking = {name: Misfit(f"{name} is not there", "it", "see") for name in ("full.one", "full.two")}
    chosen = Selection(("full.one", "full.two", "other.x"), libraries=("full", "other"), broken=("a = b:c is broken",))
    left = without(chosen, {"full.two": lacking["full.two"]})
    assert (left.names, left.libraries) == (("full.one", "other.x"), ("full", "other"))
    assert left.broken == (
        "a = b:c is broken",
        "the entry of full in surrogate_core does not fit json, not installed by pip: full.two is not there: correct "
        "the entry, or install a version that it fits; the others that it names are judged",
    )
    left = without(chosen, lacking)
    assert (left.names, left.libraries, len(left.broken)) == (("other.x",), ("other",), 2)
    assert left.broken[1].endswith(
        "full.one is not there; full.two is not there: correct the entry, or install a version that it fits"
    )
    assert without(chosen, {}) == chosen
