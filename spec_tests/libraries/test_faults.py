"""Slips in an entry that somebody adds: each is found before anything is judged, and told with the surrogate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from surrogate_core.libraries import OURS, Documented, Excluded, Library, Surrogate
from surrogate_core.libraries.faults import faults
from surrogate_core.spec import get_spec

RAMP = Surrogate("ramps.ramp", "triangle", "jax", "ramps", "ramp", documented=Documented("a ramp", "its docstring"))
RAMPS = Library("ramps", "ramps", "ramps", "", (RAMP,))
STEEP = get_spec("triangle").replace(name="triangle", at_threshold=0)
"""Called like the catalogue's, and another."""
NAMED = get_spec("slayer").replace(name="slayer(at_threshold=0)")
"""Called like a library's variant, and another."""


def made(alpha: float, width: float) -> None:
    """An adapter."""


def of(**changes: Any) -> tuple[str, ...]:
    """The faults of an entry whose one surrogate is changed."""
    return faults(replace(RAMPS, surrogates=(replace(RAMP, **changes),)), OURS)


@pytest.mark.parametrize("library", OURS, ids=lambda library: library.name)
def test_no_entry_of_the_catalogue_has_a_fault(library: Library) -> None:
    assert faults(library, [other for other in OURS if other is not library]) == ()


def test_an_entry_without_a_slip_has_none() -> None:
    assert faults(RAMPS, OURS) == ()
    changes = {"keywords": (("width", "half"),), "variant": (("at_threshold", 0),), "defaults": (("alpha", 1),)}
    assert of(**changes, fixed=(("learn", False),), adapter=made, framework="auto") == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"spec": "no_such_spec"}, "spec 'no_such_spec', expected a name from `surrogate-core list specs`"),
        ({"spec": "triangel"}, "spec 'triangel', expected a name from `surrogate-core list specs`, or "
         "package.module:ATTRIBUTE (did you mean triangle or "),
        ({"spec": "nowhere:SPEC"}, "spec 'nowhere:SPEC': No module named 'nowhere', expected a module"),
        ({"variant": (("at_treshold", 1),)}, "a variant of 'at_treshold' for spec 'triangle', expected one of its "
         "fields (did you mean at_threshold?)"),
        ({"variant": (("at_threshold", "high"),)}, "at_threshold='high' in spec 'triangle(at_th"),
        ({"defaults": (("widht", 1.0),)}, "a default of 'widht' for spec 'triangle'"),
        ({"defaults": (("width", -1.0),)}, "parameter width=-1, expected a finite value in (0, oo)"),
        ({"keywords": (("widht", "width"),)}, "a keyword of 'widht' for spec 'triangle', expected one of its "
         "parameters (did you mean width?)"),
        ({"framework": "numpy"}, "framework 'numpy', expected jax, torch, or auto to find out"),
        ({"module": ""}, "an empty module or attribute: say where"),
        ({"adapter": lambda alpha, width: None}, "its adapter is no function of a module: write def"),
        ({"variant": (("claims", []),)}, "unhashable type: 'list' in its variant, defaults or fixed: write tuples"),
        ({"keywords": [("width", "width")]}, "keywords=[('width', 'width')], expected tuple[tuple[str, str], ...]"),
        ({"keywords": ("width", "width")}, "keywords=('width', 'width'), expected tuple[tuple[str, str], ...]"),
        ({"defaults": (("width", "1"),)}, "defaults=(('width', '1'),), expected tuple[tuple[str, float], ...]"),
        ({"adapter": "made"}, "adapter='made', expected Callable[..., Any] | None"),
        ({"documented": Documented("a ramp", None)}, "documented: where=None, expected str"),  # pyright: ignore
    ],
)  # fmt: skip
def test_a_slip_in_a_surrogate_is_told_with_its_name(changes: dict[str, Any], told: str) -> None:
    (fault,) = of(**changes)
    assert fault.startswith(f"ramps.ramp: {told}")
    assert len(fault) < 600
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"surrogates": [RAMP]}, "surrogates=[Surrogate("),
        ({"surrogates": (RAMP, 3)}, "surrogates=(Surrogate("),
        ({"hazards": ("it starts threads",)}, "hazards=('it starts threads',), expected tuple[Hazard, ...]"),
        ({"excluded": (Excluded("ramps:slope", 3),)}, "Excluded: reason=3, expected str"),  # pyright: ignore
        ({"package": None}, "package=None, expected str"),
        ({"package": ""}, "an empty package: write it down"),
        ({"distribution": ""}, "an empty distribution: write it down"),
        ({"name": "braintools"}, "it has the name 'braintools', which is taken: choose another"),
        ({"surrogates": (RAMP, RAMP)}, "ramps.ramp is there twice, or in another library"),
        ({"surrogates": (replace(RAMP, name="slopes.ramp"),)}, "'slopes.ramp' does not begin with ramps."),
        ({"surrogates": (replace(RAMP, name="ramps.ramp:up"),)}, "'ramps.ramp:up' does not begin with ramps. or has a"),
    ],
)
def test_a_slip_in_a_library_is_told(changes: dict[str, Any], told: str) -> None:
    assert faults(replace(RAMPS, **changes), OURS)[0].startswith(told)


def test_a_name_of_another_library_s_surrogate_is_taken() -> None:
    other = replace(RAMPS, name="ramps.more", surrogates=(replace(RAMP, name="ramps.more.ramp"),))
    taken = replace(RAMPS, surrogates=other.surrogates)
    assert faults(taken, (*OURS, other)) == (
        "ramps.more.ramp is there twice, or in another library: give each surrogate a name of its own",
    )


def test_a_spec_that_is_called_like_another_is_told_with_both_owners() -> None:
    (told,) = of(spec=f"{__name__}:STEEP")
    assert told == "ramps.ramp declares a spec called 'triangle', as the catalogue does another: rename yours"
    mine = replace(RAMPS, surrogates=(replace(RAMP, spec="slayer", variant=(("at_threshold", 0),)),))
    same = replace(RAMPS, name="others", surrogates=(replace(mine.surrogates[0], name="others.ramp"),))
    assert faults(same, (*OURS, mine)) == ()
    other = replace(same, surrogates=(replace(RAMP, name="others.ramp", spec=f"{__name__}:NAMED"),))
    assert faults(other, (*OURS, mine)) == (
        "others.ramp declares a spec called 'slayer(at_threshold=0)', as ramps.ramp does another: rename yours",
    )


def test_every_slip_of_an_entry_is_told_at_once() -> None:
    assert len(of(framework="numpy", spec="no_such_spec")) == 2
