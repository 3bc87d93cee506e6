from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from surrogate_core import api
from surrogate_core.cli import app
from surrogate_core.commands.outputs import expect_writable
from surrogate_core.errors import BadInput


def test_what_can_be_made_or_replaced_is_fine_and_is_not_made_yet(tmp_path: Path) -> None:
    there = tmp_path / "there.html"
    there.write_text("from before")
    new = tmp_path / "a" / "b" / "new.html"
    expect_writable({"--html": there, "--junit": new, "--badge": None, "--markdown": Path("relative.md")})
    assert there.read_text() == "from before"
    assert [path.name for path in tmp_path.iterdir()] == ["there.html"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "Is a directory"),
        ("file/report.html", "Not a directory"),
        ("locked/report.html", "Permission denied"),
        ("locked.html", "Permission denied"),
    ],
)
def test_where_nothing_can_be_written_the_option_and_the_reason_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "locked.html").touch()
    (tmp_path / "locked").mkdir()
    # Who may do everything, as in a container, may write there, too.
    monkeypatch.setattr(os, "access", lambda where, mode: "locked" not in Path(where).name)
    with pytest.raises(BadInput) as mistake:
        expect_writable({"--html": None, "--junit": tmp_path / path})
    assert mistake.value.given.startswith(f"--junit {tmp_path}")
    assert mistake.value.given.endswith(reason)


@pytest.mark.parametrize("option", ["--html", "--junit", "--markdown", "--badge"])
@pytest.mark.parametrize("command", [["check", "surrogate_core:SlayerGrad"], ["survey"]], ids=lambda c: c[0])
def test_nothing_is_judged_for_a_file_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], option: str
) -> None:
    def judged(*args: object, **options: object) -> None:
        pytest.fail("it was judged")

    monkeypatch.setattr(api, command[0], judged)
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, [*command, option, str(tmp_path)])
    assert isinstance(said.exception, BadInput)
    assert f"{option} {tmp_path}: Is a directory" in str(said.exception)
