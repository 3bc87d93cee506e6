from __future__ import annotations

import pytest
from report.stored import BREAKS, decay, oracle, result, run

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
from surrogate_core.report.cells import GLYPHS, Cell, cells

OF_STATE: dict[str, Outcome] = {
    "passed": Passed(),
    "failed": BREAKS,
    "errored": Errored("ValueError: no"),
    "unsupported": Unsupported("forward mode"),
    "skipped": Skipped("one device"),
    "expected failure": ExpectedFailure(BREAKS, "known"),
}


def cell(*outcomes: Outcome, dtypes: tuple[str, ...] = ()) -> Cell:
    results = [
        result(outcome, alpha=i + 1.0, dtype=dtypes[i] if dtypes else "float16") for i, outcome in enumerate(outcomes)
    ]
    return Cell("lib:good", "gradient.peak", "The promise.", tuple(results))


@pytest.mark.parametrize("state", STATES)
def test_cases_of_one_state_give_the_cell_that_state(state: str) -> None:
    found = cell(OF_STATE[state], OF_STATE[state])
    assert (found.state, found.count, found.glyph) == (state, 2, GLYPHS[state])


@pytest.mark.parametrize(
    ("grave", "light"),
    [
        ("failed", "errored"),
        ("failed", "passed"),
        ("errored", "passed"),
        ("errored", "expected failure"),
        ("expected failure", "passed"),
        ("passed", "unsupported"),
        ("unsupported", "skipped"),
    ],
)
def test_the_gravest_case_gives_the_cell_its_state_in_any_order(grave: str, light: str) -> None:
    for pair in ((grave, light, light), (light, light, grave)):
        found = cell(*(OF_STATE[state] for state in pair))
        assert (found.state, found.count) == (grave, 1)


def test_every_state_has_a_glyph_of_its_own() -> None:
    assert set(GLYPHS) == set(STATES)
    assert len(set(GLYPHS.values())) == len(STATES)


def test_the_first_case_shown_is_float32_where_there_is_one() -> None:
    found = cell(Passed(), BREAKS, BREAKS, dtypes=("float32", "float16", "float32"))
    assert found.first.parameters == (("alpha", 3.0),)
    assert cell(BREAKS, BREAKS, dtypes=("float16", "bfloat16")).first.dtype == "float16"


def test_remarks_of_passing_cases_are_said_once() -> None:
    assert cell(Passed({}, ("a", "b")), Passed({}, ("b", "c")), Skipped("d")).remarks == ("a", "b", "c")


@pytest.mark.parametrize(
    ("outcome", "detail"),
    [
        (Failed("x = 1", "2", "3"), "x = 1: 2; allowed 3"),
        (Errored("ValueError: no\nmore"), "ValueError: no"),
        (Errored(""), "no message"),
        (Unsupported("forward mode"), "forward mode"),
        (Skipped("one device"), "one device"),
        (ExpectedFailure(BREAKS, "issue 7"), "issue 7"),
        (Passed(), ""),
        (Passed({"inputs": 65536}), "65,536 inputs"),
        (Passed(oracle(1.0)), "largest error 0.967 ulp, 0.21 of the bound"),
        (Passed(decay(0.5, slope=-0.505)), "largest slope error 0.01 of the slope"),
    ],
)
def test_the_detail_is_the_most_telling_figure_or_reason(outcome: Outcome, detail: str) -> None:
    assert cell(outcome).detail == detail


def test_figures_are_the_worst_and_inputs_the_sum_of_all_cases() -> None:
    figures = [{**oracle(1.0), "max_ulp": ulp, "max_bound": bound} for ulp, bound in ((0.5, 0.8), (3.0, 0.1))]
    assert cell(*(Passed(f) for f in figures)).detail == "largest error 3 ulp, 0.80 of the bound"
    assert cell(Passed({"inputs": 1000}), Passed({"inputs": 234}), Skipped("x")).detail == "1,234 inputs"


def test_cells_stand_in_the_order_of_the_header_and_only_where_there_are_results() -> None:
    found = cells(
        run(
            [
                result(Passed(), "b", "transform.jit"),
                result(Passed(), "a", "gradient.peak"),
                result(BREAKS, "b", "forward.step"),
                result(Passed(), "b", "transform.jit", alpha=2.0),
            ]
        )
    )
    assert [(c.implementation, c.property_id, len(c.results)) for c in found] == [
        ("b", "forward.step", 1),
        ("b", "transform.jit", 2),
        ("a", "gradient.peak", 1),
    ]
    assert found[0].promise == "The forward value is exactly the declared step."
