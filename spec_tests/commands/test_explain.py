from __future__ import annotations

import sys

import pytest

from surrogate_core import cli
from surrogate_core.properties import PROPERTIES
from surrogate_core.properties.explanations import explanation


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str, width: int = 80):
    monkeypatch.setattr(sys, "argv", ["surrogate-core", "explain", *arguments])
    monkeypatch.setenv("COLUMNS", str(width))
    with pytest.raises(SystemExit) as end:
        cli.main()
    found = capsys.readouterr()
    return int(end.value.code or 0), found.out, found.err


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_property_is_told_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(monkeypatch, capsys, "gradient.symmetry")
    assert (code, err) == (0, "")
    known = explanation("gradient.symmetry")
    for text in (known.promise, known.why, known.slip, known.observed, known.judged, known.mended):
        assert text in words(out)


@pytest.mark.parametrize("width", [40, 200])
def test_code_and_command_can_be_pasted_at_any_width(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = told(monkeypatch, capsys, "gradient.symmetry", width=width)
    known = explanation("gradient.symmetry")
    for line in (*known.broken.splitlines(), known.attempt, "surrogate-core replay RESULTS gradient.symmetry"):
        assert f"    {line}".rstrip() in [shown.rstrip() for shown in out.splitlines()]


def test_without_an_argument_every_property_is_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = told(monkeypatch, capsys)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if line[:1].isalpha() and "." in line.split()[0]] == [
        p.id for p in PROPERTIES
    ]


def test_a_glob_tells_all_that_match_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(monkeypatch, capsys, "cost.*")
    assert code == 0
    assert {line.strip() for line in out.splitlines()} >= {"cost.retracing", "cost.residuals"}


def test_an_unknown_property_is_answered_with_near_misses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = told(monkeypatch, capsys, "gradient.symetry")
    assert code == 2
    assert "did you mean gradient.symmetry" in err
