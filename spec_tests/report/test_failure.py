from __future__ import annotations

import math

from report.stored import result

from surrogate_core.properties.outcome import Errored, Failed, Outcome, Passed
from surrogate_core.report.cells import Cell
from surrogate_core.report.failure import explain

FAILURE = Failed("x = 0", "2", "exactly 1", 0.25, script="import jax\nprint(1)\n")
ERROR = Errored("ValueError: no", "Traceback (most recent call last):\n  here\nValueError: no\n", "import jax\n")


def told(*outcomes: Outcome, with_traceback: bool = True) -> str:
    results = tuple(result(outcome, alpha=i + 1.0) for i, outcome in enumerate(outcomes))
    return explain(Cell("it", "gradient.peak", "The promise.", results), with_traceback=with_traceback)


def test_a_failure_is_told_from_its_promise_to_its_script() -> None:
    assert told(Passed(), FAILURE).splitlines() == [
        "✗ gradient.peak [float32-alpha=2-cpu:0]",
        "  promised  The promise.",
        "  given     x = 0",
        "  measured  2",
        "  allowed   exactly 1",
        "  severity  worst error 0.25 of the peak",
        "  shown by",
        "    import jax",
        "    print(1)",
    ]


def test_an_error_is_told_with_its_whole_traceback() -> None:
    text = told(ERROR)
    assert "  raised    ValueError: no\n" in text
    assert "  │ Traceback (most recent call last):\n  │   here\n  │ ValueError: no\n" in text
    assert text.endswith("  shown by\n    import jax")


def test_a_traceback_that_was_told_before_is_left_out_with_its_script() -> None:
    text = told(ERROR, with_traceback=False)
    assert "raised    ValueError: no" in text
    assert "Traceback" not in text
    assert "import jax" not in text


def test_a_failure_without_numbers_has_no_severity_and_one_without_a_script_none() -> None:
    text = told(Failed("a scalar", "shape (1,)", "shape ()"))
    assert "severity" not in text
    assert "shown by" not in text
    assert "worst error inf of the peak" in told(Failed("x", "nan", "1", math.inf))


def test_six_further_cases_are_named_and_the_rest_are_counted() -> None:
    assert "also" not in told(FAILURE)
    assert "  also      float32-alpha=2-cpu:0\n" in told(FAILURE, FAILURE)
    line = next(text for text in told(*[FAILURE] * 10).splitlines() if "also" in text)
    assert line.count("alpha=") == 6
    assert line.endswith(" and 3 more")
