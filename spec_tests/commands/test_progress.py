"""The bar that a long check shows in a terminal."""

from __future__ import annotations

import pytest

from surrogate_core.commands.progress import progress
from surrogate_core.engine import plan
from surrogate_core.properties.outcome import Passed

OURS, PATTERNS = "surrogate_core:SlayerGrad", "pointwise.patterns"
PROOF = plan([OURS], params={"alpha": 0.7}, profile="thorough", properties=[PATTERNS])


def shown(finished: int) -> None:
    """Show the progress of a proof of which so many parts are finished."""
    with progress() as (on_plan, on_result):
        on_plan(PROOF)
        for unit in PROOF.units[:finished]:
            on_result(unit.result(Passed()))


@pytest.mark.parametrize("finished", [0, 3, 64])
def test_the_bar_of_a_proof_counts_its_parts(
    finished: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")
    shown(finished)
    told = capsys.readouterr()
    assert f"{finished}/64" in told.err
    assert (f"{OURS} {PATTERNS}" in told.err) == (finished > 0)
    assert told.out == ""


def test_where_there_is_no_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    shown(3)
    assert capsys.readouterr().err == ""
