from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pytest

from surrogate_core.errors import BadInput
from surrogate_core.spec import Spec, catalogue, get_spec, spec_names
from surrogate_core.spec.oracle import forward


@pytest.mark.parametrize("name", spec_names())
def test_every_spec_keeps_its_own_claims_and_says_where_it_is_from(name: str) -> None:
    spec = get_spec(name)
    spec.verify()  # which its making leaves to this test
    assert spec.name == name
    assert spec.title
    assert len(spec.source) > 20, "a source is a paper or a page that can be looked up"
    assert all(low <= p.default <= high for p in spec.parameters for low, high in [p.typical])


def test_every_spec_of_every_file_is_in_the_catalogue() -> None:
    files = [f"{catalogue.__name__}.{found.name}" for found in pkgutil.iter_modules(catalogue.__path__)]
    known = [
        value for file in files for value in vars(importlib.import_module(file)).values() if isinstance(value, Spec)
    ]
    assert sorted(spec.name for spec in known) == list(spec_names())


def test_no_two_specs_say_the_same() -> None:
    promises = [(get_spec(name).gradient, get_spec(name).step) for name in spec_names()]
    assert len(set(promises)) == len(promises)


@pytest.mark.parametrize("name", ["round", "ceil", "floor"])
def test_rounding_is_that_of_ieee_754(name: str) -> None:
    halves = np.arange(-20, 20) / 4
    huge = 2.0 ** np.array([51, 52, 53, 1023])
    values = np.concatenate([halves, np.nextafter(halves, 99), np.nextafter(halves, -99), huge - 1, huge, -huge - 0.5])
    rounded = {"round": np.rint, "ceil": np.ceil, "floor": np.floor}[name](values)
    assert forward(get_spec(f"straight_through_{name}"), (), values).tolist() == rounded.tolist()


def test_a_spec_of_another_package_is_named_by_its_place() -> None:
    assert get_spec("surrogate_core.spec.catalogue.slayer:SLAYER") is get_spec("slayer")
    with pytest.raises(BadInput, match="No module named 'no_such_package'"):
        get_spec("no_such_package:SPEC")
    with pytest.raises(BadInput, match="a Spec in that module"):
        get_spec("surrogate_core.spec.catalogue.slayer:SLYAER")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "cannot be imported:\nTraceback"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("while True: pass", "took more than 0.4 s of computing"),
    ],
)
def test_a_module_of_specs_that_does_not_come_back_is_a_mistake(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "PATIENCE", 0.2)
    monkeypatch.syspath_prepend(tmp_path)
    name = f"specs_{len(text)}"
    (tmp_path / f"{name}.py").write_text(text)
    with pytest.raises(BadInput) as caught:
        get_spec(f"{name}:SPEC")
    assert said in caught.value.given
