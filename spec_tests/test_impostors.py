"""The tester tested: every impostor is caught by the property that ought to, every right one passes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from impostors import ENTRIES, LACKS, RIGHT, WRONG, Entry

import surrogate_core
from surrogate_core.libraries.target import _executed  # pyright: ignore[reportPrivateUsage]  (told nowhere else)
from surrogate_core.properties import PROPERTIES

pytestmark = pytest.mark.usefixtures("shared_programs")

ROOT = Path(__file__).parent.parent
ALPHA = {"alpha": [1.72]}
"""Neither 1 nor a power of two, where the rounding of a product vanishes and halves become ones."""

FORMATS = ("float16", "bfloat16", "float32", "float64")
"""Those of a right surrogate, once. What another seed draws is seen in float32 as well as in all of them, and so is
nearly every defect of the zoo; `make score` judges everything in all.
"""

SINGLE_DEVICE = {"device.agreement"}
"""Needs two devices: its impostor is in test_devices.py, in a process that has them."""

REMARKS = {"cost.residuals"}
"""They accuse nobody, so that they catch no impostor; test_cost.py shows on whom they remark, and on whom not."""

AFFORDABLE = [entry for entry in WRONG if entry.profile != "thorough"]
"""A defect at one bit pattern of float32 takes all of them to find: minutes, not seconds."""


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """What remembers, does not remember what another test has done with it."""
    _executed.cache_clear()


def states(entry: Entry, seed: int, dtypes: tuple[str, ...]) -> dict[str, set[str]]:
    """Property -> the states of its results; an accelerator that is there is judged too."""
    if importlib.util.find_spec(entry.framework) is None:
        pytest.skip(f"{entry.framework} is missing: pip install 'surrogate_core[{entry.framework}]'")
    target = f"{ROOT}/{entry.target}"
    options: dict[str, Any] = {
        "params": ALPHA,
        "profile": entry.profile,
        "seed": seed,
        "framework": entry.framework,
        "dtypes": dtypes,
    }
    report = surrogate_core.check(target, entry.spec, in_process=True, **options)
    found: dict[str, set[str]] = {}
    for result in report.results:
        found.setdefault(result.property_id, set()).add(result.outcome.state)
    return found


@pytest.mark.parametrize("entry", AFFORDABLE, ids=lambda e: e.name)
def test_an_impostor_is_caught_by_the_property_that_ought_to(
    entry: Entry, record_property: Callable[[str, object], None], seed: int
) -> None:
    found = states(entry, seed, tuple(dict.fromkeys(("float32", entry.widest))))
    catcher, *also = entry.caught_by
    failed = {name for name, outcomes in found.items() if "failed" in outcomes}
    errored = {name for name, outcomes in found.items() if "errored" in outcomes}
    caught = bool(errored) if catcher == "errored" else catcher in failed
    record_property("impostor", [entry.name, "caught" if caught else "missed", sorted(failed)])
    assert caught, f"{entry.defect}: not caught by {catcher}, failed {sorted(failed)}, errored {sorted(errored)}"
    assert failed <= {catcher, *also}, f"also caught by {sorted(failed - {catcher, *also})}"
    if errored:
        assert "errored" in entry.caught_by, f"errored in {sorted(errored)}"


@pytest.mark.parametrize("entry", RIGHT, ids=lambda e: e.name)
@pytest.mark.parametrize(("seed", "dtypes"), [(0, FORMATS), (1, ("float32",))], ids=["seed 0", "seed 1"])
def test_a_right_surrogate_passes(
    entry: Entry, record_property: Callable[[str, object], None], seed: int, dtypes: tuple[str, ...]
) -> None:
    found = states(entry, seed, dtypes)
    wrong = {name: outcomes for name, outcomes in found.items() if outcomes & {"failed", "errored"}}
    wrong |= {name: found[name] for name in found.keys() - set(entry.lacks) if "unsupported" in found[name]}
    record_property("right", [f"{entry.name}, seed {seed}", "passes" if not wrong else "accused", sorted(wrong)])
    assert not wrong


def test_the_zoo_is_large_and_in_both_frameworks() -> None:
    assert len(AFFORDABLE) >= 95
    assert len(RIGHT) >= 18
    for kind in (WRONG, RIGHT):
        assert {entry.framework for entry in kind} == {"jax", "torch"}
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)


def test_the_readme_states_the_size_of_the_zoo() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"| impostors | {len(AFFORDABLE)} | {len(AFFORDABLE)} caught" in text
    assert f"| right surrogates | {len(RIGHT)} |" in text


def test_what_lies_beyond_the_gradient_is_declared_by_impostors_and_by_right_ones_alike() -> None:
    for further in ("formula", "zero"):
        for kind in (WRONG, RIGHT):
            assert [entry.name for entry in kind if entry.further == further]
    declared = {(e.further, e.spec.second_order, e.spec.parameter_gradient) for e in ENTRIES}
    assert declared == {(None, None, None), ("formula", "formula", "formula"), ("zero", "zero", "zero")}


def test_every_id_of_the_manifest_is_a_property() -> None:
    known = {"errored", *(p.id for p in PROPERTIES)}
    assert {name for entry in ENTRIES for name in entry.caught_by + entry.lacks} <= known
    assert LACKS.keys() <= {entry.name for entry in RIGHT}


@pytest.mark.parametrize("prop", [p.id for p in PROPERTIES if p.id not in SINGLE_DEVICE | REMARKS])
def test_every_property_has_an_impostor_that_it_ought_to_catch(prop: str) -> None:
    assert [entry.name for entry in AFFORDABLE if entry.caught_by[0] == prop]
