from __future__ import annotations

import io

import pytest
from report.stored import BREAKS, result
from rich.console import Console

from surrogate_core.engine.replay import STATES, Replayed, State
from surrogate_core.report.replayed import SHOWN, show, summary


def shown(*found: Replayed) -> str:
    out, told = io.StringIO(), ""
    for each in found:
        show(each, Console(file=out, width=40), told)
        told = each.sentence
    return out.getvalue()


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_sign_and_is_told_by_its_word(state: State) -> None:
    before = result(BREAKS)
    assert (
        shown(Replayed(before, state, "A sentence."))
        == f"{SHOWN[state][0]} {state:<17}  {before.id}\n    A sentence.\n"
    )


def test_a_reason_that_several_have_is_told_once() -> None:
    lost = Replayed(result(BREAKS), "cannot be run", "no file")
    assert shown(lost, lost).count("no file") == 1


@pytest.mark.parametrize("name", ["a\n✓ now passing  b", "\x1b[2J", "\u202egpj", "x" * 1_000_000, "[bold]b[/bold]"])
def test_no_name_or_message_writes_more_than_its_own_line(name: str) -> None:
    text = shown(Replayed(result(BREAKS, name=name), "still failing", name.replace("\n", " ")))
    assert len(text.splitlines()) == 2
    assert len(text) < 5_000
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_summary_counts_the_states_the_worst_first() -> None:
    found = [Replayed(result(BREAKS), state, "") for state in ("now passing", "still failing", "now passing")]
    assert summary(found) == "3 counterexamples replayed: 1 still failing, 2 now passing"
    assert summary(found[:1]) == "1 counterexample replayed: 1 now passing"
