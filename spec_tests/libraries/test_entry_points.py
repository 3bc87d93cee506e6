"""Other packages add their libraries: the example of CONTRIBUTING.md is installed, listed and judged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import surrogate_core
from surrogate_core import libraries
from surrogate_core.errors import BadInput

CONTRIBUTING = Path(__file__).parent.parent.parent / "CONTRIBUTING.md"


LIBRARY = """
from surrogate_core.libraries import Library, Surrogate
LIBRARY = Library('ramps', 'ramps', 'ramps', '', (Surrogate('ramps.ramp', {}, 'ramps', 'ramp'),))
"""


def example(name: str) -> str:
    """The block of CONTRIBUTING.md that is marked as the file ``name``."""
    found = re.search(rf"<!-- file: {re.escape(name)} -->\n```\w+\n(.*?)```", CONTRIBUTING.read_text(), re.DOTALL)
    assert found, f"CONTRIBUTING.md shows no {name}"
    return found[1]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("ramps", "ramps_surrogates"):
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)
    libraries._added.cache_clear()
    yield tmp_path
    libraries._added.cache_clear()


def install(site: Path, point: str) -> None:
    """What pip leaves behind of a package with one entry point."""
    data = site / "ramps-1.2.dist-info"
    data.mkdir(exist_ok=True)
    (data / "METADATA").write_text("Metadata-Version: 2.1\nName: ramps\nVersion: 1.2\n")
    (data / "entry_points.txt").write_text(f"[surrogate_core.libraries]\n{point}\n")


def test_the_documented_example_is_listed_and_judged(site: Path) -> None:
    (site / "ramps.py").write_text(example("ramps.py"))
    (site / "ramps_surrogates.py").write_text(example("ramps_surrogates.py"))
    install(site, "ramps = ramps_surrogates:LIBRARY")
    library, known = libraries.find("ramps.ramp")
    assert (libraries.version(library), known.spec) == ("ramps 1.2", "ramps_surrogates:RAMP")
    assert libraries.broken() == ()
    options = {"profile": "quick", "dtypes": ["float32"], "properties": ["gradient.peak", "gradient.oracle"]}
    assert surrogate_core.check("ramps.ramp", **options).conforms


def test_the_documented_test_passes_and_notices_a_surrogate_that_is_new(site: Path) -> None:
    (site / "ramps.py").write_text(example("ramps.py"))
    (site / "ramps_surrogates.py").write_text(example("ramps_surrogates.py"))
    scope: dict[str, Any] = {}
    exec(example("test_ramps_surrogates.py"), scope)
    judged = scope["test_every_surrogate_is_judged_or_excluded_with_a_reason"]
    judged()
    (site / "ramps.py").write_text(example("ramps.py").replace("def ramp(", "def slope("))
    with pytest.raises(AssertionError):
        judged()
    (told,) = libraries.gaps(scope["LIBRARY"])
    assert told.startswith("ramps:slope.spike is made like a surrogate")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("LIBRARY = 3", "is a int, no surrogate_core.libraries.Library"),
        (
            "from surrogate_core.libraries import Library\nLIBRARY = Library('braintools', 'ramps', 'ramps', '', ())",
            "has the name 'braintools', which is taken",
        ),
        (LIBRARY.format("'no_such_spec', 'jax'"), "cannot be used: ramps.ramp: spec 'no_such_spec'"),
        (LIBRARY.format("'triangle', 'numpy'"), "cannot be used: ramps.ramp: framework 'numpy'"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_told_and_costs_no_other(site: Path, source: str, told: str) -> None:
    (site / "broken_ramps.py").write_text(source)
    install(site, "ramps = broken_ramps:LIBRARY")
    try:
        (sentence,) = libraries.broken()
        assert told in sentence
        assert libraries.find("braintools.SlayerGrad")
        with pytest.raises(BadInput) as unknown:
            libraries.find("ramps.ramp")
        assert sentence in unknown.value.next_step
        with pytest.raises(BadInput) as misspelt:
            libraries.find("braintools.SlayerGard")
        assert misspelt.value.next_step.startswith("did you mean braintools.SlayerGrad or")
        assert sentence not in misspelt.value.next_step
    finally:
        __import__("sys").modules.pop("broken_ramps", None)


def test_an_entry_says_whence_it_comes(site: Path) -> None:
    (site / "ramps_surrogates.py").write_text(example("ramps_surrogates.py"))
    install(site, "ramps = ramps_surrogates:LIBRARY")
    assert libraries.whence(libraries.find("ramps.ramp").library) == "the entry point ramps = ramps_surrogates:LIBRARY"
    own = libraries.find("surrogate_core.SlayerGrad").library
    assert libraries.whence(own) == "the entry of surrogate_core in surrogate_core"


def test_a_spec_of_an_entry_that_is_called_like_the_catalogue_s_is_told_with_the_entry_point(site: Path) -> None:
    # A module of its own: what a spec's name stands for is kept.
    text = example("ramps_surrogates.py").replace('name="ramp"', 'name="triangle"').replace("ramps_surr", "own_surr")
    (site / "own_surrogates.py").write_text(text)
    install(site, "ramps = own_surrogates:LIBRARY")
    assert libraries.broken() == (
        "the entry point ramps = own_surrogates:LIBRARY cannot be used: ramps.ramp declares a spec called "
        "'triangle', as the catalogue does another: rename yours",
    )
