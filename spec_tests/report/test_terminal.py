from __future__ import annotations

import io
from typing import Any

import pytest
from report.stored import BREAKS, passing, result, run
from rich.console import Console

from surrogate_core.engine import Run
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Outcome, Passed, Skipped, Unsupported
from surrogate_core.report.terminal import show
from surrogate_core.report.verdict import verdict

LONG = "x = jnp.array([float.fromhex('0x1.0000020000000p+0'), 1.0, 2.0, 3.0], dtype=jnp.float32)  # [not markup]"


def shown(found: Run, width: int = 120) -> str:
    out = io.StringIO()
    show(found, Console(file=out, width=width, color_system=None))
    return out.getvalue()


def words(text: str) -> str:
    return " ".join(text.split())


def last(found: Run) -> str:
    return shown(found, 400).splitlines()[-1].strip()


def of(**outcomes: Outcome) -> Run:
    names = {"step": "forward.step", "peak": "gradient.peak", "decay": "gradient.decay", "jit": "transform.jit"}
    return run([result(outcome, prop=names[name]) for name, outcome in outcomes.items()])


# ---- the verdict ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (of(step=Passed(), peak=Passed()), "lib:good conforms to the spec slayer: 2 of 2 properties hold."),
        (
            of(step=Passed(), peak=Unsupported("jvp"), decay=Skipped("few"), jit=Skipped("few")),
            "lib:good conforms to the spec slayer: 1 of 4 properties hold (1 unsupported, 2 skipped).",
        ),
        (
            of(step=Passed(), peak=ExpectedFailure(BREAKS, "known")),
            "lib:good conforms to the spec slayer, but for known failures: "
            "1 of 2 properties hold (1 expected failure).",
        ),
        (
            of(step=Passed(), peak=BREAKS, decay=Errored("no"), jit=Unsupported("x")),
            "lib:good does not conform to the spec slayer: 2 of 4 properties are broken (1 unsupported).",
        ),
        (of(step=Skipped("few")), "lib:good: no verdict, because nothing was judged."),
        (
            run(passing(), complete=False),
            "lib:good: no verdict, because the run was not finished: its footer is missing.",
        ),
        (run(passing(), planned=9), "lib:good: no verdict, because 9 results were planned, but 4 are accounted for."),
        (run([*passing(), result(BREAKS, prop="transform.jit")], complete=False), "lib:good does not conform"),
    ],
)
def test_the_verdict_says_what_the_run_proves(found: Run, sentence: str) -> None:
    assert verdict(found, "lib:good").line.startswith(sentence)
    assert last(found).startswith(sentence)


def test_each_implementation_has_its_own_verdict() -> None:
    found = run([*passing("a"), result(BREAKS, "b")])
    assert verdict(found, "a").line == "a conforms to the spec slayer: 3 of 3 properties hold."
    assert verdict(found, "b").line == "b does not conform to the spec slayer: 1 of 1 properties are broken."


def test_an_implementation_that_was_never_judged_keeps_the_run_from_passing() -> None:
    found = run([*passing("a"), result(Unsupported("dtype float16"), "b")])
    assert found.exit_code == 3
    assert verdict(found, "b").line == "b: no verdict, because nothing was judged of b."


def test_a_failure_of_a_property_that_the_header_does_not_name_is_not_overlooked() -> None:
    found = run([*passing(), result(BREAKS, prop="some.thing_new")])
    assert verdict(found, "lib:good").css == "failed"
    assert "some.thing_new" in shown(found)


@pytest.mark.parametrize(
    ("found", "answer", "sentence"),
    [
        (of(step=Passed()), "conforms", "1 of 1 properties hold."),
        (
            of(step=Passed(), peak=BREAKS, jit=Errored("no")),
            "does not conform",
            "2 of 3 properties are broken. Breaks gradient.peak (1 case). Ends in an error in transform.jit (1 case).",
        ),
        (
            of(step=Passed(), peak=ExpectedFailure(BREAKS, "known")),
            "conforms, but for known failures",
            "1 of 2 properties hold (1 expected failure).",
        ),
        (of(step=Skipped("few")), "nothing judged", "No verdict, because nothing was judged."),
        (
            run(passing(), planned=9),
            "incomplete",
            "No verdict, because 9 results were planned, but 4 are accounted for.",
        ),
    ],
)
def test_a_page_tells_the_same_decision_as_the_terminal(found: Run, answer: str, sentence: str) -> None:
    told = verdict(found, "lib:good")
    assert (told.whole, told.sentence) == (answer, sentence)
    assert told.reason in told.line


# ---- the page ------------------------------------------------------------------------------------


def test_every_property_has_its_line_with_its_cases_and_its_detail() -> None:
    text = shown(run([*passing(), result(Unsupported("no jvp rule"), prop="transform.jit")]))
    lines = [words(line) for line in text.splitlines()]
    assert "lib:good lib 1.0 (jax)" in lines
    assert "✓ passed forward.step 1/1 65,536 inputs" in lines
    assert "✓ passed gradient.peak 2/2" in lines
    assert "– unsupported transform.jit 1/1 no jvp rule" in lines


def test_a_failure_is_shown_with_its_evidence_and_its_script() -> None:
    text = shown(of(step=Passed(), peak=BREAKS))
    for told in ("✗ gradient.peak [float32-alpha=1-cpu:0]", f"  measured  {BREAKS.measured}", "    import jax"):
        assert told in text
    assert "✗ failed" in text


@pytest.mark.parametrize("width", [40, 80])
def test_the_lines_of_a_script_are_not_wrapped(width: int) -> None:
    text = shown(of(peak=Failed("x = 1", "2", "1", script=f"import jax\n{LONG}\n")), width)
    assert f"    {LONG}" in [line.rstrip() for line in text.splitlines()]


def test_text_that_looks_like_markup_is_shown_as_it_is() -> None:
    odd = "[bold]x[/bold] [/] :smile:"
    found = run([result(Failed(odd, odd, odd, script=odd), name=odd), result(Errored(odd, odd), odd, "transform.jit")])
    assert shown(found, 200).count(odd) >= 6


def test_a_remark_stands_beside_its_property() -> None:
    text = shown(of(step=Passed({"inputs": 3}, ("float32: subnormal input is taken for zero",))))
    assert "remark: float32: subnormal input is taken for zero" in words(text)


def test_an_exception_met_again_is_told_once() -> None:
    error = Errored("ValueError: no", "Traceback of it\nValueError: no", "import jax")
    other = Errored("KeyError: 1", "Traceback of another")
    text = shown(of(step=error, peak=error, jit=other))
    assert text.count("Traceback of it") == 1
    assert text.count("Traceback of another") == 1
    assert "see       forward.step, which met the same" in text


def test_it_says_where_it_looked_and_what_was_not_there() -> None:
    text = words(shown(run(passing())))
    assert "devices: cpu:0 (cpu); no accelerator found for: gpu (jax), tpu (jax)" in text
    assert "ledger: 4 planned = 4 passed" in text
    assert "no accelerator" not in shown(run(passing(), absent={"jax": []}))


@pytest.mark.parametrize("changes", [{}, {"complete": False}, {"planned": 0}])
def test_a_run_without_results_is_shown_and_is_no_pass(changes: dict[str, Any]) -> None:
    found = run([], **changes)
    assert "no verdict" in shown(found)
    assert found.exit_code == 3
