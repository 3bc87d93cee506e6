from __future__ import annotations

import functools
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from handmade import ALPHA

import surrogate_core
from surrogate_core import libraries
from surrogate_core.engine import Target, resolve
from surrogate_core.errors import BadInput
from surrogate_core.libraries import Hazard, Library, Surrogate
from surrogate_core.libraries.target import Misfit
from surrogate_core.safe_text import printable

AT = (("alpha", ALPHA),)
SOURCE = """
from dataclasses import dataclass
@dataclass
class Made:
    alpha: float = 1.0
    class inner:
        @staticmethod
        def make(alpha): return ("inner", alpha)
def make(alpha, *, extra=0): return ("made", alpha)
def other(beta): ...
number = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return path


def refused(target: Any) -> str:
    with pytest.raises(BadInput) as caught:
        resolve(target)
    return str(caught.value)


def catalogue(monkeypatch: pytest.MonkeyPatch, *known: Library) -> None:
    monkeypatch.setattr(libraries, "OURS", (*libraries.OURS, *known))


def local_factory(alpha: float) -> Callable[[Any], Any]:
    return lambda x: (x, alpha)


class Namespace:
    @staticmethod
    def make(alpha: float) -> float:
        return alpha


# ---- the forms of a target -----------------------------------------------------------------------


def test_a_module_and_an_attribute() -> None:
    found = resolve("surrogate_core:SlayerGrad")
    assert found.factory() is surrogate_core.SlayerGrad
    assert (found.name, found.distribution, found.framework) == ("surrogate_core:SlayerGrad", "surrogate_core", "auto")
    assert found.version() == surrogate_core.__version__
    assert found.script(AT) == ("from surrogate_core import SlayerGrad", f"SlayerGrad(alpha={ALPHA})")


def test_an_attribute_may_have_dots() -> None:
    found = resolve("os:path.join")
    assert found.script(()) == ("from os import path", "path.join()")


def test_a_file_and_an_attribute(file: Path) -> None:
    found = resolve(f"{file}:make")
    assert found.build(AT) == ("made", ALPHA)
    assert (found.name, found.module, found.version()) == (f"{file}:make", str(file), "")
    assert resolve(f"{file}:Made.inner.make").build(AT) == ("inner", ALPHA)


def test_a_file_may_be_named_from_here(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    found = resolve("mine.py:make")
    assert found.name == "mine.py:make"
    assert found.module == str(file)


def test_the_script_of_a_file_runs_without_the_harness(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "implementation", None)  # put back after the test
    imports, build = resolve(f"{file}:Made").script(AT)
    scope: dict[str, Any] = {}
    exec(f"{imports}\nspike = {build}", scope)
    assert scope["spike"].alpha == ALPHA
    assert "surrogate_core" not in imports


def test_files_of_one_name_in_two_folders_are_two_modules(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.py").write_text(f"def make(): return {name!r}")
    assert [resolve(f"{tmp_path / name}/mine.py:make").build(()) for name in ("a", "b")] == ["a", "b"]


def test_a_catalogue_name_brings_its_framework_and_its_package() -> None:
    found = resolve("surrogate_core.SlayerGrad")
    assert found.factory() is surrogate_core.SlayerGrad
    assert (found.framework, found.distribution) == ("jax", "surrogate_core")
    assert resolve("surrogate_core.SlayerGrad", framework="torch").framework == "torch"


def test_a_catalogue_name_maps_the_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Surrogate("lib.Odd", "slayer", "jax", "builtins", "dict", (("alpha", "rate"),), fixed=(("learn", False),))
    catalogue(monkeypatch, Library("lib", "builtins", "", "", (odd,)))
    found = resolve("lib.Odd")
    assert found.build(AT) == {"rate": ALPHA, "learn": False}
    assert found.script(AT) == ("from builtins import dict", f"dict(rate={ALPHA}, learn=False)")


def adapter(alpha: float):
    """The square root of the rate: what an adapter imports, it imports within."""
    import math

    return math.sqrt(alpha)


def test_an_adapter_is_called_in_place_of_the_attribute_and_its_source_is_the_script(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = Surrogate("lib.Odd", "slayer", "jax", "math", "sqrt", adapter=adapter)
    catalogue(monkeypatch, Library("lib", "math", "", "", (odd,)))
    found = resolve("lib.Odd")
    assert found.build(AT) == ALPHA**0.5
    assert pickle.loads(pickle.dumps(found)) == found
    imports, build = found.script(AT)
    scope: dict[str, Any] = {}
    exec(f"{imports}\nspike = {build}", scope)
    assert scope["spike"] == ALPHA**0.5
    assert __name__ not in imports


def test_an_adapter_of_a_library_that_lacks_the_surrogate_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Surrogate("lib.Odd", "slayer", "jax", "math", "square_root", adapter=adapter)
    catalogue(monkeypatch, Library("lib", "math", "", "", (odd,)))
    assert "math has no attribute 'square_root'" in refused("lib.Odd")


def test_what_a_library_must_not_import_is_kept_from_it_and_in_its_script_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    odd = Surrogate("lib.Odd", "slayer", "jax", "colorsys", "rgb_to_yiq")
    catalogue(monkeypatch, Library("lib", "colorsys", "", "", (odd,), hazards=(Hazard("", ("reinstalls_itself",)),)))
    for name in ("lib.Odd", "colorsys:rgb_to_yiq"):
        sys.modules.pop("reinstalls_itself", None)
        imports, _ = resolve(name).script(AT)
        assert sys.modules["reinstalls_itself"] is None
        assert imports.startswith("import sys\nsys.modules['reinstalls_itself'] = None")
        assert imports.endswith("\nfrom colorsys import rgb_to_yiq")


def test_what_has_been_imported_already_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Surrogate("lib.Odd", "slayer", "jax", "math", "sqrt")
    catalogue(monkeypatch, Library("lib", "math", "", "", (odd,), hazards=(Hazard("", ("pickle",)),)))
    resolve("lib.Odd")
    assert sys.modules["pickle"] is pickle


def test_an_object_is_named_by_its_module_and_found_again_there() -> None:
    found = resolve(local_factory)
    assert found.name == f"{__name__}:local_factory"
    assert found.factory() is local_factory
    assert found.script(AT) == (f"from {__name__} import local_factory", f"local_factory(alpha={ALPHA})")
    assert resolve(Namespace.make).script(AT)[1] == f"Namespace.make(alpha={ALPHA})"


@pytest.mark.parametrize("target", [lambda alpha: alpha, functools.partial(dict, beta=1)])
def test_an_object_that_cannot_be_found_again_has_no_script(target: Any) -> None:
    found = resolve(target)
    assert found.script(AT) == ("", "")
    assert found.factory() is target


def test_a_target_from_a_string_travels_to_another_process(file: Path) -> None:
    found = resolve(f"{file}:make")
    assert pickle.loads(pickle.dumps(found)) == found


# ---- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["SlayerGrad", "surrogate_core.SlayerGard", "mine.py", ":make", "os:", ":", ""])
def test_what_has_no_known_form_is_told_the_forms(target: str) -> None:
    message = refused(target)
    assert message.startswith(f"target {target!r}\n")
    assert "package.module:attribute, path/to/file.py:attribute, or a name from" in message


def test_a_misspelt_catalogue_name_is_suggested() -> None:
    assert "did you mean surrogate_core.SlayerGrad" in refused("surrogate_core.SlayerGard")


@pytest.mark.parametrize(
    "target",
    ["a\0b.py:make", "\ud800.py:make", "a\0b:make", "os:\0", "\x1b[2J\u202e:make", f"{'x' * 1_000_000}.py:make",
     f"os:{'x' * 1_000_000}", f"os:{'.'.join('a' * 100_000)}", "..:make"],
)  # fmt: skip
def test_a_name_that_none_can_have_is_told_in_print_and_in_brief(target: str) -> None:
    message = refused(target)
    assert message.startswith("target ")
    assert printable(message) == message
    assert len(message) < 20_000


def test_a_module_that_does_not_exist() -> None:
    for target, missing in (("no_such_module:make", "no_such_module"), ("os.no_such:make", "os.no_such")):
        message = refused(target)
        assert message.startswith(f"target {target!r}: no module named {missing!r}\n")
        assert "install the package, or run from its folder" in message


def test_a_library_of_the_catalogue_that_is_missing_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Surrogate("gone.Odd", "slayer", "jax", "gone_library.sub", "Odd")
    catalogue(monkeypatch, Library("gone", "gone_library", "gone", "gone-extra", (odd,)))
    assert "pip install 'surrogate_core[gone-extra]'" in refused("gone.Odd")


def test_an_attribute_that_does_not_exist_names_its_near_misses(file: Path) -> None:
    message = refused(f"{file}:mak")
    assert f"{file} has no attribute 'mak'" in message
    assert "did you mean make" in message
    assert "has no attribute 'Made.inner.mke'" in refused(f"{file}:Made.inner.mke")
    assert "has no attribute 'Made..x'" in refused(f"{file}:Made..x")


def test_a_file_that_does_not_exist_names_its_neighbours(file: Path) -> None:
    assert "did you mean mine.py" in refused(f"{file.parent}/mines.py:make")
    assert "no Python file is in that folder" in refused(f"{file.parent}/nowhere/mine.py:make")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import no_such_dependency", "No module named 'no_such_dependency'"),
        ("def f(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
    ],
)
def test_a_file_that_does_not_import_shows_its_own_traceback(tmp_path: Path, source: str, told: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(source)
    message = refused(f"{path}:make")
    assert "cannot be imported:\nTraceback" in message
    assert told in message
    assert "broken.py" in message


def test_what_cannot_be_called_is_no_factory(file: Path) -> None:
    assert f"target '{file}:number' is 3\n  expected: a factory" in refused(f"{file}:number")
    assert "target 3 of type int" in refused(3)
    assert "of type NoneType" in refused(None)


# ---- entries that do not fit the installed version -----------------------------------------------


@pytest.mark.parametrize(
    ("module", "attribute", "told"),
    [
        ("math", "square_root", "target 'lib.Odd': math has no attribute 'square_root'"),
        ("math.roots", "sqrt", "target 'lib.Odd': no module named 'math.roots'"),
        ("maths", "sqrt", "target 'lib.Odd': no module named 'maths'"),
        ("math", "pi", "target 'lib.Odd' is 3.14"),
    ],
)
def test_what_the_installed_version_lacks_is_told_as_the_entry_s_fault(
    monkeypatch: pytest.MonkeyPatch, module: str, attribute: str, told: str
) -> None:
    odd = Surrogate("lib.Odd", "slayer", "jax", module, attribute)
    catalogue(monkeypatch, Library("lib", "math", "math-dist", "", (odd,)))
    with pytest.raises(Misfit) as caught:
        resolve("lib.Odd")
    assert caught.value.given.startswith(told)
    assert "as the entry of lib in surrogate_core says of math, not installed by pip" in caught.value.expected
    assert caught.value.next_step.startswith("correct the entry, or install a version that it fits; ")


def test_a_signature_without_the_keyword_of_the_entry_is_told_as_its_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Surrogate("lib.Odd", "slayer", "jax", "math", "sqrt", (("alpha", "rate"),))
    catalogue(monkeypatch, Library("lib", "math", "math-dist", "", (odd,)))
    with pytest.raises(Misfit, match="refuses the spec's parameters"):
        resolve("lib.Odd").check_signature(AT)


def test_a_library_whose_own_import_fails_is_no_fault_of_the_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "halfway").mkdir()
    # It imports the very module that the entry names, and does not contain it.
    (tmp_path / "halfway" / "__init__.py").write_text("import halfway.steps")
    odd = Surrogate("lib.Odd", "slayer", "jax", "halfway.steps", "Odd")
    catalogue(monkeypatch, Library("lib", "halfway", "halfway", "", (odd,)))
    with pytest.raises(BadInput, match="cannot be imported:\nTraceback") as caught:
        resolve("lib.Odd")
    assert not isinstance(caught.value, Misfit)


def test_what_a_user_named_is_no_fault_of_an_entry(file: Path) -> None:
    with pytest.raises(BadInput) as caught:
        resolve(f"{file}:mak")
    assert not isinstance(caught.value, Misfit)


# ---- signatures ----------------------------------------------------------------------------------


def check(factory: Any, parameters: tuple[tuple[str, float], ...] = AT) -> None:
    Target("mine", "", "", given=factory).check_signature(parameters)


def test_a_signature_that_takes_the_parameters_by_keyword_is_accepted() -> None:
    for factory in (
        local_factory,
        lambda *, alpha=1, other=2: None,
        lambda **kw: None,
        surrogate_core.SlayerGrad,
        dict,
    ):
        check(factory)
    check(lambda: None, ())


@pytest.mark.parametrize(
    ("factory", "why"),
    [
        (lambda beta: None, "missing a required argument: 'beta'"),
        (lambda: None, "got an unexpected keyword argument 'alpha'"),
        (lambda alpha, beta: None, "missing a required argument: 'beta'"),
        (lambda alpha, /: None, "positional only"),
    ],
)
def test_a_signature_that_refuses_them_is_told_how_to_wrap_it(factory: Any, why: str) -> None:
    with pytest.raises(BadInput) as caught:
        check(factory)
    assert why in caught.value.given.replace("-", " ")
    assert caught.value.expected.startswith("a factory that is called with alpha by keyword")
    assert "def make(alpha): return lambda x: ..." in caught.value.next_step


def test_what_a_factory_raises_comes_through() -> None:
    def picky(alpha: float) -> None:
        raise ValueError("alpha is not to my taste")

    with pytest.raises(ValueError, match="not to my taste"):
        resolve(picky).build(AT)
