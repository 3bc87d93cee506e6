from __future__ import annotations

import pytest

from surrogate_core.engine.ledger import account
from surrogate_core.engine.result import Result
from surrogate_core.properties.outcome import (
    STATES,
    Errored,
    ExpectedFailure,
    Failed,
    Outcome,
    Passed,
    Skipped,
    Unsupported,
)

FAILURE = Failed("x = 0", "2", "1")
ONE_OF_EACH: tuple[Outcome, ...] = (
    Passed(),
    FAILURE,
    Errored("ValueError: no"),
    Unsupported("forward mode"),
    Skipped("one device"),
    ExpectedFailure(FAILURE, "known"),
)


def results(*outcomes: Outcome) -> list[Result]:
    return [Result("it", f"p{i}", "float32", "cpu:0", (), outcome) for i, outcome in enumerate(outcomes)]


def test_every_outcome_is_counted_under_its_state() -> None:
    ledger = account(6, results(*ONE_OF_EACH))
    assert ledger.counts == dict.fromkeys(STATES, 1)
    assert ledger.objections == ()
    assert ledger.judged == 4


def test_the_sentence_names_what_there_is() -> None:
    assert account(3, results(Passed(), Passed(), Skipped("x"))).sentence() == "3 planned = 2 passed + 1 skipped"
    assert account(0, []).sentence() == "0 planned = 0"


def test_a_sum_that_does_not_add_up_is_an_objection() -> None:
    for planned in (1, 3):
        (objection,) = account(planned, results(Passed(), Passed())).objections
        assert objection == f"{planned} results were planned, but 2 are accounted for"


def test_a_result_reported_twice_is_an_objection_even_where_the_sum_adds_up() -> None:
    (objection,) = account(2, results(Passed()) * 2).objections
    assert objection == "1 results were reported twice"


@pytest.mark.parametrize("outcomes", [(), (Skipped("x"),), (Unsupported("x"), Skipped("y"))])
def test_a_run_that_judged_nothing_is_objected_to(outcomes: tuple[Outcome, ...]) -> None:
    assert account(len(outcomes), results(*outcomes)).objections == ("nothing was judged",)


@pytest.mark.parametrize("outcome", [Passed(), FAILURE, Errored("x"), ExpectedFailure(FAILURE, "known")])
def test_one_result_that_says_something_is_enough(outcome: Outcome) -> None:
    assert account(1, results(outcome)).objections == ()


def test_results_of_neighbouring_parameters_are_not_duplicates() -> None:
    near = [Result("it", "p", "float32", "cpu:0", (("alpha", a),), Passed()) for a in (0.12345678, 0.12345679)]
    assert account(2, near).objections == ()
