from __future__ import annotations

import sys
from pathlib import Path

import pytest
from report.stored import BREAKS, passing, result, run

from surrogate_core import cli
from surrogate_core.api import Report
from surrogate_core.engine import Run


def compared(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object):
    monkeypatch.setattr(sys, "argv", ["surrogate-core", "compare", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as end:
        cli.main()
    found = capsys.readouterr()
    return int(end.value.code or 0), found.out, found.err


def stored(found: Run, path: Path) -> Path:
    Report(found).save(path)
    return path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return stored(run(passing()), tmp_path / "old.jsonl")


def test_the_exit_code_says_whether_something_newly_fails(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    worse = stored(run([*passing(), result(BREAKS, prop="transform.jit")]), tmp_path / "new.jsonl")
    unfinished = stored(run(passing(), complete=False), tmp_path / "unfinished.jsonl")
    assert compared(monkeypatch, capsys, old, old)[0] == 0
    code, out, _ = compared(monkeypatch, capsys, old, worse)
    assert (code, out.splitlines()[-1]) == (1, "Newly failing: 1 case of 1 property.")
    assert compared(monkeypatch, capsys, worse, old)[0] == 0
    assert compared(monkeypatch, capsys, old, unfinished)[0] == 3


def test_markdown_and_html_are_written(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    markdown, html = tmp_path / "a" / "c.md", tmp_path / "b" / "c.html"
    assert compared(monkeypatch, capsys, old, old, "--markdown", markdown, "--html", html)[0] == 0
    assert markdown.read_text().startswith("## ✓ Nothing newly fails.")
    assert html.read_text().lower().startswith("<!doctype html>")


def test_what_is_no_results_file_is_a_mistake(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd.jsonl").write_text("not json\n")
    for arguments in (
        (old, tmp_path / "odd.jsonl"),
        (old, tmp_path / "nowhere"),
        (old, old, "--markdown", "/proc/x/y"),
    ):
        code, _, err = compared(monkeypatch, capsys, *arguments)
        assert code == 2
        assert err.startswith("error: ")
        assert "Traceback" not in err
