from __future__ import annotations

import ast
import importlib.util
import os
import shlex
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from surrogate_core import cli
from surrogate_core.errors import BadInput
from surrogate_core.properties import PROPERTIES, explanations
from surrogate_core.properties.explanations import Explanation, explanation

IDS = [p.id for p in PROPERTIES]
HERE = [name for name in IDS if explanation(name).devices == 1]
ELSEWHERE = [name for name in IDS if name not in HERE]
"""XLA counts its devices when it starts: these need a process of their own."""

FILES = sorted(Path(explanations.__file__).parent.glob("*.toml"))


def saved(told: Explanation, folder: Path) -> None:
    if importlib.util.find_spec(told.framework) is None:
        pytest.skip(f"{told.framework} is missing: pip install 'surrogate_core[{told.framework}]'")
    (folder / "broken.py").write_text(told.broken)


def caught(told: Explanation, code: int, out: str) -> None:
    """Assert that a check of this one property came out as its explanation says."""
    rows = [line.split() for line in out.splitlines() if told.property_id in line.split()[:4]]
    state = "✗ failed" if told.told == "failure" else "✓ passed"
    assert [" ".join(row[:3]) for row in rows[:1]] == [f"{state} {told.property_id}"], out
    assert code == (1 if told.told == "failure" else 0)
    assert ("remark: " in out) == (told.told == "remark")


@pytest.mark.parametrize("name", HERE)
def test_the_surrogate_of_an_explanation_is_caught_by_the_property_that_it_explains(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = explanation(name)
    saved(told, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    command = shlex.split(told.attempt)
    if command[0] == "python":
        exec(command[2])
        assert capsys.readouterr().out.count("Failed(") == 1
        return
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as end:
        cli.main()
    caught(told, int(end.value.code or 0), capsys.readouterr().out)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_surrogate_that_takes_several_devices_is_caught_where_they_are(name: str, tmp_path: Path) -> None:
    told = explanation(name)
    saved(told, tmp_path)
    here = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    environment = {**os.environ, **here, "JAX_PLATFORMS": "cpu", "COLUMNS": "200"}
    answer = subprocess.run(
        told.attempt, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    caught(told, answer.returncode, answer.stdout)


@pytest.mark.parametrize("name", IDS)
def test_every_property_is_explained(name: str) -> None:
    told = explanation(name)
    for field in ("promise", "why", "slip", "observed", "judged", "mended"):
        text = getattr(told, field)
        assert len(text) > 4, field
        assert text[-1] == ".", field
        assert "\n" not in text
    assert len(told.why) > 80


@pytest.mark.parametrize("name", IDS)
def test_the_surrogate_of_an_explanation_is_one_factory_of_five_lines(name: str) -> None:
    *imports, factory = ast.parse(explanation(name).broken).body
    assert all(isinstance(statement, ast.Import) for statement in imports)
    assert isinstance(factory, ast.FunctionDef | ast.ClassDef)
    assert factory.end_lineno is not None
    assert factory.end_lineno - factory.lineno <= 5
    assert max(map(len, explanation(name).broken.splitlines())) <= 120


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_an_explanation_stands_under_its_topic_and_explains_something_that_exists(file: Path) -> None:
    known = {f.name for f in fields(Explanation)}
    for name, told in tomllib.loads(file.read_text(encoding="utf-8")).items():
        assert name in IDS
        assert name.startswith(f"{file.stem}.")
        assert told.keys() <= known


def test_what_is_no_property_has_no_explanation() -> None:
    with pytest.raises(BadInput, match=r"did you mean gradient\.peak"):
        explanation("gradient.peek")
