from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from report.stored import BREAKS, result, run

from surrogate_core.properties.outcome import Errored, Passed
from surrogate_core.report.annotations import annotations, command


def told(folder: Path, *results, complaints=(), file: str = "src/mine.py", line: int = 12, workflow: str = "true"):
    (folder / "src").mkdir(exist_ok=True)
    found = run(list(results))
    for implementation in found.header["implementations"]:
        implementation.update(file=str(folder / file), line=line)
    environment = {"GITHUB_ACTIONS": workflow, "GITHUB_WORKSPACE": str(folder)}
    return annotations(replace(found, complaints=tuple(complaints)), environment)


def test_outside_github_actions_nothing_is_said(tmp_path: Path) -> None:
    assert told(tmp_path, result(BREAKS), workflow="") == []


def test_each_broken_property_is_told_at_the_implementations_line(tmp_path: Path) -> None:
    lines = told(tmp_path, result(BREAKS), result(BREAKS, alpha=2.0), result(Passed(), prop="forward.step"))
    (line,) = [text for text in lines if "lib%3Agood" in text]
    assert line.startswith("::error file=src/mine.py,line=12,title=lib%3Agood%3A gradient.peak::")
    assert "%0Ameasured 0 (0x00000000)%0A" in line
    assert "in 2 of 2 cases" in line
    assert "\n" not in line


def test_an_installed_implementation_has_no_line_in_the_repository(tmp_path: Path) -> None:
    for file in ("../elsewhere.py", ".venv/lib/site-packages/lib.py"):
        lines = told(tmp_path, result(Errored("TypeError: no")), file=file)
        assert any(text.startswith("::error title=lib%3Agood") for text in lines)


def test_a_complaint_is_told_at_the_entrys_line(tmp_path: Path) -> None:
    (line, *_) = told(
        tmp_path, result(Passed()), complaints=[f"{tmp_path}/known.toml:7: the entry is no longer needed"]
    )
    assert line == "::error file=known.toml,line=7,title=deviations::the entry is no longer needed"


def test_what_github_would_take_for_its_own_is_escaped() -> None:
    line = command("error", {"file": "a,b:c%.py", "title": "x\ny"}, "100 %\r\n::set-output\x1b[2J")
    assert line == "::error file=a%2Cb%3Ac%25.py,title=x%0Ay::100 %25%0D%0A::set-output\N{REPLACEMENT CHARACTER}[2J"


def test_no_more_errors_than_github_shows_and_the_rest_is_counted(tmp_path: Path) -> None:
    lines = told(tmp_path, result(BREAKS), complaints=[f"known.toml:{n}: it is not needed" for n in range(30)])
    assert len(lines) == 10
    assert "more are told in the log" in lines[-1]
