"""The stored sample: results written by an earlier version stay readable, and can be drawn."""

from __future__ import annotations

import re
from dataclasses import replace
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


def test_three_that_break_most_of_what_they_promise_stay_under_300_kilobytes_with_a_tenth_to_spare() -> None:
    run = read(SAMPLES / "broken.jsonl")
    (entry,) = run.header["implementations"]
    names = [f"library{n}.Surrogate" for n in range(3)]
    # Every format and four rates, as in the standard profile, of each of three.
    wide = [
        replace(r, implementation=name, dtype=dtype, parameters=(("alpha", rate),))
        for name in names
        for r in run.results
        for dtype in ("float16", "bfloat16", "float32", "float64")
        for rate in (1.0, 1.72, 0.1, 10.0)
        if r.parameters == (("alpha", 1.0),)
    ]
    head = {**run.header, "implementations": [{**entry, "name": name} for name in names], "planned": len(wide)}
    assert len(render([replace(run, header=head, results=tuple(wide))]).encode()) < 270_000


@pytest.mark.parametrize("name", ["check", "broken"])
def test_no_sample_holds_a_path_of_the_machine_that_it_was_made_on(name: str) -> None:
    text = (SAMPLES / f"{name}.jsonl").read_text(encoding="utf-8")
    assert re.findall(r"""["' ](/[\w.-]+/[^"' ]*)""", text) == []
    assert re.findall(r"""[A-Za-z]:\\\\|/(?:home|root|tmp|Users|work)\b""", text) == []
