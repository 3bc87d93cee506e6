from __future__ import annotations

import inspect
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from surrogate_core.cli import app, check, main
from surrogate_core.commands.project import KEYS, project
from surrogate_core.errors import BadInput

TABLE = """
[project]
name = "mine"

[tool.surrogate-core]
targets = ["src/mine.py:soft", "mine:hard"]
profile = "quick"
dtypes = "float32"
params = { alpha = [0.5, 1] }
deviations = "known.toml"
fail-on = ["failed", "errored", "remark"]
max-failures = 3
"""


def written(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text.lstrip("\n"))
    return folder


def test_the_table_holds_the_options_of_check(tmp_path: Path) -> None:
    found = project(written(tmp_path, TABLE))
    assert found.file == "pyproject.toml"
    assert found.get("targets", None) == ["src/mine.py:soft", "mine:hard"]
    assert found.get("dtypes", []) == ["float32"]
    assert found.get("params", None) == {"alpha": [0.5, 1.0]}
    assert found.get("seed", None, 0) == 0


SEVERAL = {"param": "params", "property": "properties", "dtype": "dtypes"}


def test_every_option_of_check_has_a_key() -> None:
    (command,) = [known for known in app.registered_commands if known.callback is check]
    assert command.callback
    options = {name.strip("_").replace("_", "-") for name in inspect.signature(command.callback).parameters}
    assert {SEVERAL.get(name, name) for name in options - {"resume"}} == KEYS.keys()


def test_the_help_of_check_names_the_table() -> None:
    assert "tool.surrogate-core" in CliRunner().invoke(app, ["check", "--help"]).output


def test_what_check_writes_may_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = """
[tool.surrogate-core]
targets = ["surrogate_core:SlayerGrad"]
profile = "quick"
params = { alpha = 0.7 }
dtypes = "float32"
properties = "gradient.peak"
in-process = true
markdown = "out/summary.md"
badge = "out/badge.svg"
durations = 3
"""
    (written(tmp_path, settings) / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setattr(sys, "argv", ["surrogate-core", "check"])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"summary.md", "badge.svg"}


def test_the_command_line_wins(tmp_path: Path) -> None:
    found = project(written(tmp_path, TABLE))
    assert found.get("profile", "standard") == "standard"
    assert found.get("max-failures", 1) == 1
    assert found.get("dtypes", ["float16"]) == ["float16"]


def test_paths_are_meant_from_where_the_file_is(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    found = project(written(tmp_path, TABLE) / "docs")
    assert found.get("targets", None) == ["../src/mine.py:soft", "mine:hard"]
    assert found.get("deviations", None) == Path("../known.toml")


def test_a_project_without_the_table_has_no_settings(tmp_path: Path) -> None:
    assert project(written(tmp_path, "[project]\nname = 'mine'\n")).values == {}


MISTAKES = {
    "an unknown key": ('targts = ["a:b"]\n', "unknown key 'targts' in", "did you mean targets"),
    "targets that are no strings": ("targets = [3]\n", "targets = [3]", "a list of strings"),
    "a count in words": ('max-failures = "three"\n', "max-failures = 'three'", "a whole number"),
    "a yes that is a word": ('in-process = "yes"\n', "in-process = 'yes'", "true or false"),
    "parameters without names": ("params = [1]\n", "params = [1]", "a table such as"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, mistake: str) -> None:
    text, *said = MISTAKES[mistake]
    written(tmp_path, "[project]\nname = 'mine'\n\n[tool.surrogate-core]\nprofile = 'quick'\n" + text)
    with pytest.raises(BadInput) as refused:
        project(tmp_path)
    assert str(refused.value).startswith(f"{tmp_path}/pyproject.toml:6: ")
    assert all(part in str(refused.value) for part in said)


def test_what_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="pyproject"):
        project(written(tmp_path, "[tool.surrogate-core\n"))
