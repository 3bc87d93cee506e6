from __future__ import annotations

import pickle
from typing import Any

import pytest

from surrogate_core.errors import BadInput
from surrogate_core.libraries import Library, Surrogate
from surrogate_core.spec import get_spec


def surrogate(**changes: Any) -> Surrogate:
    return Surrogate(
        **{"name": "l.S", "spec": "slayer", "framework": "jax", "module": "m", "attribute": "S", **changes}
    )


def test_without_a_difference_the_family_s_spec_is_declared() -> None:
    assert surrogate().declared() is get_spec("slayer")


def test_a_difference_is_in_the_declared_spec_and_in_its_name() -> None:
    declared = surrogate(variant=(("at_threshold", 0),), defaults=(("alpha", 25.0),)).declared()
    assert declared.name == "slayer(alpha=25.0, at_threshold=0)"
    assert declared.at_threshold == 0
    (parameter,) = declared.parameters
    assert (parameter.default, parameter.typical) == (25.0, (0.1, 25.0))
    assert declared.gradient == get_spec("slayer").gradient
    assert declared.claims == get_spec("slayer").claims


def test_a_difference_of_what_the_spec_does_not_have_is_refused() -> None:
    with pytest.raises(BadInput, match=r"default of 'alhpa' for spec 'slayer'\n.*\n.*did you mean alpha"):
        surrogate(defaults=(("alhpa", 1.0),)).declared()
    with pytest.raises(BadInput, match=r"variant of 'at_treshold' for spec 'slayer'\n.*\n.*did you mean at_threshold"):
        surrogate(variant=(("at_treshold", 0),)).declared()
    with pytest.raises(BadInput, match=r"keyword of 'alhpa' for spec 'slayer'\n.*\n.*did you mean alpha"):
        surrogate(keywords=(("alhpa", "beta"),)).declared()
    with pytest.raises(BadInput, match="did you mean slayer"):
        surrogate(spec="slayr").declared()


def test_a_value_that_a_field_of_the_spec_cannot_hold_is_refused() -> None:
    for variant in (("gradient", object), ("claims", 3), ("at_threshold", "high")):
        with pytest.raises(BadInput):
            surrogate(variant=(variant,)).declared()


def test_it_is_plain_data() -> None:
    known = surrogate()
    assert pickle.loads(pickle.dumps(known)) == known
    assert hash(known) == hash(surrogate())
    assert known.origin == "m:S"


def test_a_library_says_what_brings_it() -> None:
    assert Library("l", "l", "l-dist", "l-extra", ()).install == "pip install 'surrogate_core[l-extra]'"
    assert Library("l", "l", "l-dist", "", ()).install == "pip install l-dist"
