"""What pip users get: one package, its data, its entry points, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, text=True)
    (found,) = folder.glob("*.whl")
    return found


def test_the_only_top_level_name_is_surrogate_core(wheel: Path) -> None:
    names = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"surrogate_core"}


def test_it_carries_types_templates_license_and_entry_points(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = archive.namelist()
    assert "surrogate_core/py.typed" in names
    assert any(name.startswith("surrogate_core/report/templates/") for name in names)
    assert any(name.endswith("LICENSE") for name in names)
    (entry_points,) = [name for name in names if name.endswith("entry_points.txt")]
    text = archive.read(entry_points).decode()
    assert "surrogate-core = surrogate_core.cli:main" in text
    assert "[pytest11]" in text


def test_every_module_of_the_package_is_in_it(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    assert packed == {p.relative_to(ROOT).as_posix() for p in (ROOT / "surrogate_core").rglob("*.py")}


def test_it_works_where_it_is_unpacked(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    options = ["--profile", "quick", "--dtype", "float32", "--property", "gradient.peak"]
    command = [sys.executable, "-m", "surrogate_core", "check", "surrogate_core:SlayerGrad", *options]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    where = [sys.executable, "-c", "import surrogate_core; print(surrogate_core.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert found.startswith(str(tmp_path))


def test_an_editable_install_leaks_no_other_folder(tmp_path: Path) -> None:
    program = (
        "import importlib.util as u; print([n for n in ('reports', 'benchmarks', 'spec_tests') if u.find_spec(n)])"
    )
    answer = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
