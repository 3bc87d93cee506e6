from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from surrogate_core.libraries import Library, installed
from surrogate_core.libraries.presence import module_spec


def test_a_package_within_another_is_found_and_neither_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "upper" / "lower").mkdir(parents=True)
    (tmp_path / "upper" / "__init__.py").write_text("1 / 0")
    (tmp_path / "upper" / "lower" / "__init__.py").write_text("1 / 0")
    found = module_spec("upper.lower")
    assert found is not None
    assert found.origin == str(tmp_path / "upper" / "lower" / "__init__.py")
    assert module_spec("upper.nothing") is None
    assert "upper" not in sys.modules


@pytest.mark.parametrize("package", ["no_such.inner", "no_such", "math.inner", "", ".relative", "a..b", "spec_less"])
def test_what_is_not_there_is_not_installed_and_raises_nothing(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("spec_less")
    module.__spec__ = None
    monkeypatch.setitem(sys.modules, "spec_less", module)
    assert module_spec(package) is None
    assert not installed(Library("l", package, "l", "", ()))


def test_a_finder_that_stumbles_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stumbling:
        @staticmethod
        def find_spec(*_: object) -> None:
            raise RuntimeError("stumbled")

    monkeypatch.setattr(sys, "meta_path", [Stumbling])
    assert module_spec("no_such") is None
