"""The stored sample: results written by an earlier version stay readable, and can be drawn."""

from __future__ import annotations

from pathlib import Path

from surrogate_core.engine import read
from surrogate_core.report import render

SAMPLE = Path(__file__).parent.parent.parent / "reports/sample/check.jsonl"


def test_the_stored_sample_is_complete_and_conforms() -> None:
    run = read(SAMPLE)
    assert run.complete
    assert run.conforms
    assert run.exit_code == 0


def test_the_stored_sample_is_drawn_without_running_anything_again() -> None:
    page = render([read(SAMPLE)])
    assert "Both implementations conform" in page
    assert page.count("<svg") == 8
    assert len(page.encode()) < 300_000
