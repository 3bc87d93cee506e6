from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path

import pytest

from surrogate_core.engine.facts import facts
from surrogate_core.libraries import find
from surrogate_core.libraries.target import locate


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("braintools.Sigmoid", "def __init__(self, alpha"),  # a class that says it is its package's
        ("braintools.sigmoid", "def sigmoid("),
        ("spyx.arctan", "def arctan("),  # behind an adapter of this project's
        ("spikingjelly.ATan", "class ATan("),
    ],
)
def test_a_surrogate_s_file_and_line_are_its_library_s(name: str, line: str) -> None:
    library, surrogate = find(name)
    if importlib.util.find_spec(library.package) is None:
        pytest.skip(f"{library.package} is missing: {library.install}")
    (parameter,) = surrogate.declared().parameters
    found = facts(locate(name), ((parameter.name, parameter.default),))
    assert library.package in Path(found.file).parts
    lines = Path(found.file).read_text(encoding="utf-8").splitlines()
    assert any(line in near for near in lines[found.line - 1 : found.line + 3]), lines[found.line - 1]


def test_an_object_s_file_and_line_are_its_class_s() -> None:
    class Factory:
        def __call__(self, alpha: float) -> object:
            import jax.numpy as jnp

            return lambda x: jnp.heaviside(x, 1.0)

    found = facts(locate(Factory()), (("alpha", 1.0),))
    assert (found.file, found.line) == (__file__, inspect.getsourcelines(Factory)[1])
