"""Whatever a name, a formula's parameter, a docstring or an exception holds, it stays text wherever it is shown."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from report.stored import Document
from rich.console import Console
from sympy import Abs as Absolute
from sympy import Interval, Symbol, exp, oo

import surrogate_core
from surrogate_core import engine
from surrogate_core.report import badge, changes, junit, render, survey, terminal
from surrogate_core.report.annotations import annotations
from surrogate_core.report.comparison import compare
from surrogate_core.report.summary import LARGEST, summary
from surrogate_core.slayer import SlayerGrad
from surrogate_core.spec import Parameter, Peak, Spec, x

EVIL = "<script>alert(1)</script>'\"`| \x1b[2J\x00\n::error::\r\n\u202e\u2066 &amp; {{ 7*7 }} ]]> [bold]"
LONG = "long " * 200_000
rate = Symbol("rate", positive=True)
SPEC = Spec(
    name="<script>alert(1)</script>'\"`| &amp; {{ 7*7 }} ::error:: [bold]",
    title=f"{EVIL}title{LONG}",
    source=f"{EVIL}source{LONG}",
    gradient=exp(-rate * Absolute(x)),
    parameters=[Parameter(rate, 1.0, Interval.open(0, oo), (0.1, 10))],
    claims=[Peak(1)],
)


def make(**keywords):
    """The right one, that raises at a scalar."""
    (value,) = keywords.values()
    right = SlayerGrad(value)

    def spike(given):
        if given.shape == ():
            raise ValueError(f"{EVIL}message{LONG}")
        return right(given)

    return spike


make.__qualname__ = f"{EVIL}make{LONG}"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> engine.Run:
    """Judged, written, read back: what every reader starts from."""
    report = surrogate_core.check(
        make,
        SPEC,
        params={"rate": 0.7},
        profile="quick",
        dtypes=["float32"],
        properties=["forward.s*", "gradient.peak"],
        framework="jax",
    )
    path = tmp_path_factory.mktemp("runs") / "run.jsonl"
    report.save(path)
    return engine.read(path)


def shown(show, *given) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    show(*given, console)
    return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]  (the StringIO above)


def check_text(text: str, longest: int) -> None:
    """Nothing in it moves a cursor, turns its direction, or is as long as what it was given."""
    assert not set(text) & {*map(chr, range(9)), "\x1b", "\r", "\u202e", "\u2066"}
    assert len(text) < longest


def test_the_fixture_is_what_it_says(stored: engine.Run) -> None:
    assert [r.outcome.state for r in stored.results] == ["passed", "errored", "passed"]


def test_the_terminal(stored: engine.Run) -> None:
    check_text(shown(terminal.show, stored), 100_000)
    check_text(shown(survey.show, stored), 100_000)


def test_the_page(stored: engine.Run) -> None:
    page = render([stored])
    assert "<script>alert" not in page
    assert "{{ 7*7 }}" in page
    check_text(page, 3_000_000)
    assert len(Document(page).all("script")) == 1


def test_junit(stored: engine.Run, tmp_path: Path) -> None:
    junit.write(stored, tmp_path / "junit.xml")
    text = (tmp_path / "junit.xml").read_text()
    check_text(text, 500_000)
    (suite,) = ElementTree.fromstring(text)
    assert suite.get("errors") == "1"


def test_markdown_and_badge(stored: engine.Run, tmp_path: Path) -> None:
    text = summary(stored)
    check_text(text, LARGEST)
    assert "<script" not in text
    badge.write(stored, tmp_path / "badge.svg")
    ElementTree.parse(tmp_path / "badge.svg")


def test_annotations(stored: engine.Run, tmp_path: Path) -> None:
    lines = annotations(stored, {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path)})
    assert len(lines) == 1
    for line in lines:
        check_text(line, 10_000)
        assert "\n" not in line


def test_comparisons(stored: engine.Run) -> None:
    found = compare(stored, replace(stored, results=stored.results[:1]))
    for text in (changes.to_markdown(found), changes.to_html(found), shown(changes.show, found)):
        check_text(text, 500_000)
