from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import pytest

from surrogate_core.engine import resolve
from surrogate_core.engine.framework import detect
from surrogate_core.errors import BadInput
from surrogate_core.slayer import SlayerGrad

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="pip install 'surrogate_core[torch]'"
)
JAX = "import jax.numpy as jnp\ndef make(): return lambda x: jnp.where(x >= 0, 1.0, 0.0)"
TORCH = "import torch\ndef make(): return lambda x: torch.where(x >= 0, 1.0, 0.0)"
BOTH = "import jax.numpy as jnp\nimport torch\ndef make(): return lambda x: torch.where(x >= 0, 1.0, 0.0)"
EITHER = "def make(): return lambda x: (x >= 0) * 1.0"


def found(tmp_path: Path, source: str, framework: str = "auto") -> str:
    path = tmp_path / "mine.py"
    path.write_text(source)
    return detect(resolve(f"{path}:make", framework), ())


def test_a_jax_function_is_found_by_trying(tmp_path: Path) -> None:
    assert found(tmp_path, JAX) == "jax"
    assert detect(resolve(SlayerGrad), (("alpha", 1.0),)) == "jax"


@needs_torch
def test_a_torch_function_is_found_by_trying(tmp_path: Path) -> None:
    assert found(tmp_path, TORCH) == "torch"


@needs_torch
def test_a_module_that_holds_both_belongs_to_the_one_that_answers(tmp_path: Path) -> None:
    assert found(tmp_path, BOTH) == "torch"


@needs_torch
def test_where_none_answers_the_one_that_the_module_uses_is_named(tmp_path: Path) -> None:
    broken = "\ndef make(): return lambda x: 1 / 0"
    assert found(tmp_path, "import torch" + broken) == "torch"


def test_a_function_that_works_with_any_array_is_judged_in_some_framework(tmp_path: Path) -> None:
    assert found(tmp_path, EITHER) in ("jax", "torch")


def test_what_only_one_loaded_framework_could_be_is_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)

    def make() -> Callable[[Any], Any]:
        return lambda x: None

    assert detect(resolve(make), ()) == "jax"


def test_the_users_word_is_taken_for_it(tmp_path: Path) -> None:
    assert found(tmp_path, EITHER, framework="jax") == "jax"
    with pytest.raises(BadInput, match=r"framework 'tensorflow'\n.*auto, jax or torch"):
        found(tmp_path, JAX, framework="tensorflow")


@pytest.mark.parametrize("body", ["raise RuntimeError('no')", "raise SystemExit(0)", "return lambda x: None"])
def test_a_factory_that_fails_is_left_for_the_judgement(tmp_path: Path, body: str) -> None:
    assert found(tmp_path, f"import jax\ndef make(): {body}") == "jax"


def test_a_factory_whose_module_holds_odd_values_is_looked_at_all_the_same() -> None:
    assert odd.__name__ == 3
    assert detect(resolve(make_here), ()) == "jax"


class Odd:
    __name__ = 3
    __module__ = None  # pyright: ignore[reportAssignmentType]  (as objects made by C extensions may have it)


odd = Odd()


def make_here() -> Callable[[Any], Any]:
    return lambda x: jnp.sign(x)
