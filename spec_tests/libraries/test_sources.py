from __future__ import annotations

from pathlib import Path

import pytest

from surrogate_core.errors import BadInput
from surrogate_core.libraries.sources import constructed

WAYS = {
    "import torch\nclass Step(torch.autograd.Function): ...": "Step",
    "from torch.autograd import Function\nclass Step(Function): ...": "Step",
    "from torch.autograd import Function as F\nclass Step(F): ...": "Step",
    "from torch import autograd\nclass Neuron:\n    class Step(autograd.Function): ...": "Neuron.Step",
    "import torch.autograd as ag\nclass Step(ag.Function): ...": "Step",
    "class Step(Base): ...": "Step",
    "import base\nclass Step(base.Base): ...": "Step",
    "import jax\n@jax.custom_jvp\ndef step(x): ...": "step",
    "from jax import custom_vjp as own\n@own\ndef step(x): ...": "step",
    "@partial(jax.custom_vjp, nondiff_argnums=(1,))\ndef step(x, a): ...": "step",
    "def make():\n    @jax.custom_gradient\n    def step(x): ...\n    return step": "make.step",
    "def make():\n    return jax.custom_gradient(lambda x: ...)": "make",
    "step = jax.custom_jvp(lambda x: ...)": "step",
    "step.defvjp(forward, backward)": "step",
    "@step.defjvp\ndef rule(primals, tangents): ...": "step",
    "def ste(x, y): return x + jax.lax.stop_gradient(y - x)": "ste",
    "def ste(x, y): return (y - x).detach() + x": "ste",
    "escape = '\\d'\nclass Step(Base): ...": "Step",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an importable package that is called after its test's folder."""
    monkeypatch.syspath_prepend(tmp_path)
    found = tmp_path / f"read_{abs(hash(str(tmp_path)))}"
    found.mkdir()
    (found / "__init__.py").write_text("raise ImportError('it is read, and not imported')")
    return found


@pytest.mark.parametrize("text", WAYS)
def test_every_way_to_make_a_surrogate_is_found(text: str, package: Path) -> None:
    (package / "deep").mkdir()
    (package / "deep" / "mine.py").write_text(text)
    assert constructed(package.name, ["Base"]) == (f"{package.name}.deep.mine:{WAYS[text]}",)


@pytest.mark.parametrize(
    "text",
    [
        "class Function: ...\nclass Mine(Function): ...",
        "class Mine(torch.nn.Module): ...",
        "def reset(v, spike): return v - spike.detach()",
        "def centred(x): return x - jax.lax.stop_gradient(x.max())",
        "# jax.custom_jvp\n'class Step(torch.autograd.Function)'",
        "class Broken(torch.autograd.Function:",
    ],
)
def test_what_only_resembles_one_is_not(text: str, package: Path) -> None:
    (package / "mine.py").write_text(text)
    assert constructed(package.name) == ()


def test_a_class_that_derives_from_one_that_is_found_is_one(package: Path) -> None:
    (package / "first.py").write_text("class First(Base): ...")
    (package / "second.py").write_text("from .first import First\nclass Second(First): ...")
    assert constructed(package.name, ["Base"]) == (f"{package.name}.first:First", f"{package.name}.second:Second")


def test_the_package_s_own_tests_are_left_out(package: Path) -> None:
    (package / "tests").mkdir()
    for name in ("first_test.py", "test_second.py", "tests/third.py"):
        (package / name).write_text("class Step(Base): ...")
    assert constructed(package.name, ["Base"]) == ()


def test_a_module_alone_is_read_too(package: Path) -> None:
    name = f"{package.name}_alone"
    (package.parent / f"{name}.py").write_text("class Step(Base): ...")
    assert constructed(name, ["Base"]) == (f"{name}:Step",)


def test_a_package_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(BadInput, match="the package 'no_such_package'"):
        constructed("no_such_package")
