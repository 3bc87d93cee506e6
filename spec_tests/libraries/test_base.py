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
    with pytest.raises(BadInput, match="did you mean slayer"):
        surrogate(spec="slayr").declared()


def test_it_is_plain_data() -> None:
    known = surrogate()
    assert pickle.loads(pickle.dumps(known)) == known
    assert hash(known) == hash(surrogate())
    assert known.origin == "m:S"


def test_a_library_says_what_brings_it() -> None:
    assert Library("l", "l", "l-dist", "l-extra", ()).install == "pip install 'surrogate_core[l-extra]'"
    assert Library("l", "l", "l-dist", "", ()).install == "pip install l-dist"
