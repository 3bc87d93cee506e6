"""Whatever the code under test changes in its process is noticed, told, and put back; nothing else is."""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from impostors import hostile

import surrogate_core
from surrogate_core.engine import surroundings
from surrogate_core.engine.result import Result, from_json, to_json
from surrogate_core.engine.surroundings import (
    EVERYONE,
    _functions,  # pyright: ignore[reportPrivateUsage]  (of a framework that is a few lines long)
    kept,
    told,
)
from surrogate_core.properties.outcome import Errored, Passed

ACTS = {**hostile.MEDDLING, **{f"{name} (PyTorch)": act for name, act in hostile.MEDDLING_WITH_TORCH.items()}}


@pytest.fixture(autouse=True)
def _undone() -> Iterator[None]:
    """A test that fails must not take the others with it."""
    with kept("the test"):
        yield
    told("the test")


@pytest.mark.parametrize("name", ACTS)
def test_a_change_is_noticed_told_once_and_put_back(name: str) -> None:
    if name.endswith("(PyTorch)"):
        pytest.importorskip("torch", reason="pip install 'surrogate_core[torch]'")
    with kept("mine"):
        ACTS[name]()
    (remark,) = told("mine")
    assert remark.startswith(f"it changed {name.removesuffix(' (PyTorch)')}")
    assert remark.endswith(", which was put back")
    assert remark.isprintable()
    with kept("mine"):
        pass
    assert told("mine") == ()


def test_what_pytorchs_compiler_wraps_when_it_is_imported_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="pip install 'surrogate_core[torch]'")
    with kept("mine") as replaced:
        monkeypatch.setattr(torch, "manual_seed", lambda seed: None)
    assert (replaced, told("mine")) == ([], ())


def test_a_filter_that_concerns_a_librarys_own_warnings_is_no_change_and_stays() -> None:
    class OfALibrary(Warning): ...

    with kept("mine"):
        warnings.simplefilter("always", OfALibrary)
        warnings.filterwarnings("ignore", "the matrix subclass is not the recommended way")
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="a_library")
    assert told("mine") == ()
    with kept("mine"):
        warnings.simplefilter("ignore")
    assert len(told("mine")) == 1
    assert any(one[2] is OfALibrary for one in warnings.filters)


def test_a_folder_that_is_gone_cannot_be_put_back_and_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    with kept("mine"):
        os.chdir(tmp_path)
        (tmp_path / "gone").rmdir()
    (remark,) = told("mine")
    assert "which could not be put back (FileNotFoundError" in remark


def test_what_an_import_adds_to_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDDLED", raising=False)
    with kept("mine", "importing it", importing=True):
        os.environ["MEDDLED"] = "1"
    assert told("mine") == ("importing it changed the environment (MEDDLED)",)
    assert os.environ["MEDDLED"] == "1"
    monkeypatch.setenv("MEDDLED", "")  # removed after the test


def test_what_raises_is_looked_at_too() -> None:
    def changes_and_raises() -> None:
        sys.setrecursionlimit(sys.getrecursionlimit() + 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), kept("mine"):
        changes_and_raises()
    assert len(told("mine")) == 1


def test_each_is_told_its_own_and_what_a_shared_import_did_the_first() -> None:
    for whose in ("one", "other", EVERYONE):
        with kept(whose, whose):
            sys.setrecursionlimit(sys.getrecursionlimit() + 1)
    assert [len(told(whose)) for whose in ("one", "other", "one")] == [2, 1, 0]


FRAMEWORK = """
import warnings
warnings.simplefilter("ignore", UnicodeWarning)
def vjp(): ...
"""


def test_a_framework_that_is_patched_by_the_line_after_its_import_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_framework.py").write_text(FRAMEWORK)
    (tmp_path / "a_library.py").write_text("import a_framework\na_framework.vjp = print")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(surroundings, "PARTS", (*surroundings.PARTS, _functions("a_framework")))
    with kept("mine", "importing it"):
        importlib.import_module("a_library")
    # And nothing of the filters, which the framework itself has changed.
    assert told("mine") == ("importing it changed what is called a_framework.vjp, which was put back",)


@pytest.mark.parametrize(("where", "told_of"), [("own_framework", 0), ("another_library", 1)])
def test_a_function_that_its_own_framework_wraps_is_still_that_function(
    where: str, told_of: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As torch.manual_seed is, once PyTorch's compiler has been imported.
    for folder in ("own_framework", "another_library"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "wrapping.py").write_text("def wrap(f):\n    return lambda *a: f(*a)\n")
    (tmp_path / "own_framework" / "__init__.py").write_text("def seed(): pass\n")
    (tmp_path / "another_library" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    framework, wrapping = importlib.import_module("own_framework"), importlib.import_module(f"{where}.wrapping")
    monkeypatch.setattr(surroundings, "PARTS", (*surroundings.PARTS, _functions("own_framework")))
    with kept("mine", "importing it") as replaced:
        wrapped = wrapping.wrap(framework.seed)
        wrapped.__wrapped__ = framework.seed
        monkeypatch.setattr(framework, "seed", wrapped)
    assert len(replaced) == len(told("mine")) == told_of
    assert (framework.seed is wrapped) == (told_of == 0)
    for name in [n for n in sys.modules if n.partition(".")[0] in ("own_framework", "another_library")]:
        del sys.modules[name]


# ---- through a whole check -----------------------------------------------------------------------


def test_a_check_tells_it_with_the_property_in_which_it_happened_and_judges_on_in_a_clean_process() -> None:
    report = surrogate_core.check(
        f"{hostile.__file__}:meddles", "slayer", params={"alpha": 0.7}, profile="quick", dtypes=["float32"],
        in_process=True, properties=["forward.step", "forward.shape", "gradient.peak"],
    )  # fmt: skip
    step, shape, peak = report.results
    assert (step.outcome.state, peak.outcome.state) == ("passed", "passed")
    assert step.remarks == peak.remarks == ()
    assert len(shape.remarks) == len(hostile.MEDDLING)
    assert all(remark.endswith(", which was put back") for remark in shape.remarks)
    # By a vjp that was replaced, the harness itself would be told what to see.
    assert isinstance(shape.outcome, Errored)
    assert shape.outcome.message == "it replaced jax.vjp, so that nothing observed with it counts"


def test_remarks_on_the_process_are_stored_whatever_the_outcome() -> None:
    result = Result("mine", "forward.step", "float32", "cpu:0", (), Errored("it raised"), process=("it changed",))
    assert from_json(json.loads(json.dumps(to_json(result)))) == result
    assert result.remarks == ("it changed",)
    passed = replace(result, outcome=Passed(remarks=("of the promise",)))
    assert passed.remarks == ("of the promise", "it changed")
    with pytest.raises(TypeError, match="where sentences are expected"):
        from_json({**to_json(result), "process": "it changed"})
