from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_core.errors import BadInput
from surrogate_core.libraries import Excluded, Library, Surrogate, gaps

SOURCE = """
class Base: ...
class Step(Base): ...
class Other(Base): ...
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(tmp_path)
    name = f"complete_{abs(hash(str(tmp_path)))}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / name / "steps.py").write_text(SOURCE)
    return name


@pytest.fixture
def entry(package: str) -> Library:
    """One surrogate is judged, the other left out: nothing is missing."""
    steps = f"{package}.steps"
    return Library(
        package,
        package,
        package,
        "",
        (Surrogate(f"{package}.Step", "slayer", "jax", package, "Step"),),
        excluded=(Excluded(f"{steps}:Other", "spikes are drawn at random"),),
        public=lambda: [f"{package}:Step", f"{steps}:Other"],
        bases=("Base",),
    )


def test_an_entry_that_leaves_nothing_out_has_no_gaps(entry: Library) -> None:
    assert gaps(entry) == ()


def test_what_is_exported_and_not_known_is_told_and_what_is_known_and_not_exported(entry: Library) -> None:
    changed = replace(entry, public=lambda: [*entry.public(), "m:New"][1:])
    assert gaps(changed) == (
        "m:New is exported: judge it, or exclude it with a reason",
        f"{entry.package}:Step is not exported any more: leave it out",
    )
    assert "looks in the wrong place" in gaps(replace(entry, public=list))[0]


def test_what_is_made_like_a_surrogate_and_neither_judged_nor_left_out_is_told(entry: Library) -> None:
    place = f"{entry.package}.steps:Other"
    changed = replace(entry, excluded=(), public=lambda: [entry.surrogates[0].origin])
    assert gaps(changed) == (f"{place} is made like a surrogate: judge it, exclude it, or accept it with a reason",)
    assert gaps(replace(changed, accepted=(Excluded(place, "spikes are drawn at random"),))) == ()
    assert gaps(replace(changed, accepted=(Excluded(f"{entry.package}.steps", "drawn at random"),))) == ()
    assert gaps(changed, beside=[entry]) == ()


def test_what_is_accepted_and_gone_is_told(entry: Library) -> None:
    gone = Excluded(f"{entry.package}.other", "scripts of examples")
    assert gaps(replace(entry, accepted=(gone,))) == (
        f"{gone.origin} is accepted, and not in the sources any more: leave it out",
    )


def test_a_reason_says_something(entry: Library) -> None:
    (told,) = gaps(replace(entry, excluded=(Excluded(entry.excluded[0].origin, "no"),)))
    assert told.endswith("is left out for no reason that says something: 'no'")


def test_a_name_does_not_cover_one_that_begins_with_it(entry: Library) -> None:
    (told,) = gaps(replace(entry, accepted=(Excluded(f"{entry.package}.steps:Oth", "begins like Other"),)))
    assert "Oth is accepted" in told


def test_a_library_that_is_not_installed_is_a_mistake(entry: Library) -> None:
    with pytest.raises(BadInput, match="no_such_package"):
        gaps(replace(entry, package="no_such_package"))
