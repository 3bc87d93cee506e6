"""The stored sample: results written by an earlier version stay readable, and can be drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from surrogate_core.engine import read
from surrogate_core.report import render

SAMPLES = Path(__file__).parent.parent.parent / "reports/sample"
SAMPLE = SAMPLES / "check.jsonl"


def test_the_stored_sample_is_complete_and_conforms() -> None:
    run = read(SAMPLE)
    assert run.complete
    assert run.conforms
    assert run.exit_code == 0


def test_the_stored_sample_is_drawn_without_running_anything_again() -> None:
    page = render([read(SAMPLE)])
    assert "Both implementations conform" in page
    assert page.count("<svg") == 2 * (4 * 2 + 1)  # four kinds at two rates, and the step once, in float32
    assert len(page.encode()) < 300_000


def test_the_stored_sample_that_does_not_conform_shows_what_it_breaks() -> None:
    run = read(SAMPLES / "broken.jsonl")
    assert run.exit_code == 1
    page = render([run])
    assert "my_surrogate.py:make: does not conform" in page
    assert "log g′ falls with slope −0.9" in page
    assert len(page.encode()) < 300_000


@pytest.mark.parametrize("name", ["check", "broken"])
def test_no_sample_holds_a_path_of_the_machine_that_it_was_made_on(name: str) -> None:
    text = (SAMPLES / f"{name}.jsonl").read_text(encoding="utf-8")
    assert re.findall(r"""["' ](/[\w.-]+/[^"' ]*)""", text) == []
    assert re.findall(r"""[A-Za-z]:\\\\|/(?:home|root|tmp|Users|work)\b""", text) == []
