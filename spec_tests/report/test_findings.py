from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from report.stored import ALPHAS, BREAKS, Document, draw, passing, result, run

from surrogate_core.engine import Run
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Passed, Skipped, Unsupported
from surrogate_core.report import render

# ---- the answer ----------------------------------------------------------------------------------


def test_a_run_without_a_failure_is_said_to_conform() -> None:
    page = draw(*passing())
    assert [e.text for e in page.all("h1")] == ["lib:good: conforms"]
    assert "lib:good conforms to SLAYER exponential." in re.sub(r"\s+", " ", page.all("li", "verdict")[0].text)
    assert page.all("li", "verdict")[0].attributes["class"] == "verdict is-passed"


EXCUSED = ExpectedFailure(BREAKS, "It rounds.")


@pytest.mark.parametrize(
    ("names", "headline"),
    [
        (("lib:known",), "lib:known: conforms, but for known failures"),
        (("lib:good", "lib:known"), "Both implementations conform, 1 of them but for known failures"),
        (("lib:known", "lib:known too"), "Both implementations conform, but for known failures"),
        (
            ("lib:good", "lib:known", "lib:bad"),
            "2 of 3 implementations conform, 1 of them but for known failures",
        ),
    ],
)
def test_nothing_is_said_to_conform_without_its_known_failures(names: tuple[str, ...], headline: str) -> None:
    outcomes = {"lib:good": Passed(), "lib:bad": BREAKS}
    page = draw(*(result(outcomes.get(name, EXCUSED), name) for name in names))
    assert [e.text for e in page.all("h1")] == [headline]
    known = [e for e in page.all("li", "verdict") if "lib:known" in e.text]
    assert {e.attributes["class"] for e in known} == {"verdict is-known"}
    for told in known:
        said = re.sub(r"\s+", " ", told.text)
        assert said.strip().startswith("≈")
        assert " conforms to SLAYER exponential, but for known failures." in said


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"complete": False}, "footer is missing"),
        ({"planned": 99}, "99 results were planned"),
    ],
)
def test_an_incomplete_run_is_marked_and_never_green(changes: dict[str, Any], word: str) -> None:
    page = draw(*passing(), **changes)
    assert "This run proves nothing as it stands." in page.text
    assert word in page.text
    assert {e.attributes["class"] for e in page.all(css="verdict")} == {"verdict is-open"}
    assert "conforms" not in page.text


def test_a_run_in_which_nothing_was_judged_is_never_green() -> None:
    for page in (draw(result(Skipped("no second device"))), draw(result(Unsupported("jvp"))), draw()):
        assert {e.attributes["class"] for e in page.all(css="verdict")} == {"verdict is-open"}
        assert "nothing was judged" in page.text


def test_a_failure_counts_even_where_the_run_is_incomplete() -> None:
    page = draw(*passing(), result(BREAKS, prop="transform.jit"), complete=False)
    assert page.all("li", "verdict")[0].attributes["class"] == "verdict is-failed"
    assert "does not conform" in page.text


def test_no_runs_at_all_are_no_pass() -> None:
    page = Document(render([]))
    assert page.all("h1")[0].text == "Nothing was judged"
    assert not page.all(css="is-passed")


def test_what_was_not_checked_is_told_with_its_reason() -> None:
    page = draw(
        *passing(), result(Skipped("only one device")), result(Unsupported("forward mode"), prop="transform.jit")
    )
    for told in ("only one device", "forward mode", "No gpu and no tpu was in reach", "float32 at 65,536 inputs"):
        assert told in page.text
    assert "transform.jit: not asked for" in draw(*passing()).text


def test_proved_is_said_only_of_what_passed_at_every_bit_pattern() -> None:
    assert "forward.step: every bit pattern of float16 (65,536), for 1 parameter setting" in draw(*passing()).text
    whole = {"inputs": 65536, "exhaustive": True}
    failed = result(Failed("x = 0", "0", "1", figures=whole), prop="forward.step", dtype="float16")
    assert "every bit pattern of float16 (65,536)" not in draw(failed).text


def test_what_was_proved_of_some_is_said_with_the_number_of_bit_patterns() -> None:
    page = draw(*passing("lib:proved"), result(Passed(), "lib:sampled"))
    assert "every bit pattern of float16 (65,536), by 1 of 2 implementations" in page.text
    everyone = draw(*passing("lib:a"), *passing("lib:b"), result(Passed({"exhaustive": True}), "lib:a", "x"))
    assert "every bit pattern of float16 (65,536), for 1 parameter setting" in everyone.text


# ---- failures ------------------------------------------------------------------------------------


def test_a_failure_shows_promise_input_measured_allowed_severity_and_script() -> None:
    page = draw(*passing(), result(BREAKS, "lib:bad", "gradient.oracle"))
    (finding,) = page.all("article", "finding")
    for told in ("The gradient is the declared pseudo-derivative.", BREAKS.given, BREAKS.measured, BREAKS.allowed):
        assert told in finding.text
    assert "off by up to 25 % of the peak" in finding.text
    assert page.all("pre")[0].text == BREAKS.script
    assert BREAKS.script in finding.text


def test_like_failures_are_told_once_and_the_others_listed() -> None:
    page = draw(
        *(result(BREAKS, prop="gradient.peak", alpha=a, dtype=d) for a in ALPHAS for d in ("float16", "float32"))
    )
    (finding,) = page.all("article", "finding")
    assert finding.text.count(BREAKS.script) == 1
    assert "float32, α = 1, cpu:0" in finding.text
    assert "3 other cases" in finding.text


def test_an_error_shows_its_message_once_and_its_traceback_behind_a_disclosure() -> None:
    broken = Errored("ValueError: no", "Traceback\n  boom", "import jax")
    page = draw(*(result(broken, prop=p) for p in ("gradient.peak", "transform.jit")))
    assert len(page.all("article", "finding")) == 1
    assert any("boom" in e.text for e in page.all("details"))
    assert [e.text for e in page.all("h1")] == ["lib:good: does not conform"]


def test_a_known_failure_shows_its_explanation() -> None:
    page = draw(*passing(), result(ExpectedFailure(BREAKS, "flushes subnormals"), alpha=3.0))
    assert "flushes subnormals" in page.text
    assert "What went wrong" not in page.text
    assert page.all("li", "verdict")[0].attributes["class"] == "verdict is-known"
    assert "1 expected failure" in page.text


def known(link: str = "", expires: str = "") -> ExpectedFailure:
    return ExpectedFailure(BREAKS, "It is documented so.", link, "known.toml:3", expires)


def test_a_known_failure_stands_apart_with_reason_link_entry_and_expiry() -> None:
    outcome = known("https://example.org/issues/7", "2027-06-30")
    page = draw(*passing(), result(outcome, "lib:odd", alpha=3.0), result(BREAKS, "lib:odd", "transform.jit"))
    (why,) = page.all("dl", "known-by")
    wanted = ("It is documented so.", "https://example.org/issues/7", "known.toml:3", "2027-06-30")
    assert all(words in why.text for words in wanted)
    heads = [e.text for e in page.all("h3")]
    assert heads.index("Known and explained") == heads.index("What went wrong") + 1
    findings = [e.attributes["class"] for e in page.all("article")]
    assert findings == ["finding is-failed", "finding is-known"]
    (row,) = (e for e in page.all("tr") if e.attributes.get("data-name") == "gradient.peak")
    (field,) = (e for e in page.all("td", "is-known") if "known failure" in e.text and "case" in e.text)
    assert "≈ known failure" in field.text
    assert field.text in row.text
    assert "further notice" in draw(result(known())).all("dl", "known-by")[0].text


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "see issue 7"])
def test_only_an_address_of_the_web_becomes_a_link(link: str) -> None:
    page = draw(result(known(link)))
    assert link in page.all("dl", "known-by")[0].text
    assert [e for e in page.all("a") if not e.attributes["href"].startswith("#")] == []
    (address,) = (e for e in draw(result(known("https://x.org"))).all("a") if e.text == "https://x.org")
    assert (address.attributes["href"], address.attributes["rel"]) == ("https://x.org", "noreferrer")


def test_a_failure_of_which_a_case_is_not_known_is_not_shown_as_known() -> None:
    crowd = [one for n in range(7) for one in passing(f"lib:{n}")]
    page = draw(*crowd, result(known(), "lib:0"), result(BREAKS, "lib:0", alpha=2.0))
    (finding,) = page.all("article")
    assert finding.attributes["class"] == "finding is-failed"
    assert "float32, α = 2" in finding.text
    assert not page.all("dl", "known-by")


def test_a_remark_of_a_pass_is_shown() -> None:
    assert "fires at negative subnormals" in draw(result(Passed(remarks=("fires at negative subnormals",)))).text


def test_a_text_without_end_does_not_blow_up_the_report() -> None:
    endless = "x" * 1_000_000
    page = render([run([result(Failed(endless, endless, endless, script=endless)), result(Errored(endless, endless))])])
    assert len(page) < 150_000


def test_a_failure_without_a_size_claims_no_severity() -> None:
    (finding,) = draw(result(Failed("dtype", "float32", "float16"))).all("article", "finding")
    assert "Severitya defect\n" in finding.text


def test_a_header_that_says_nothing_is_still_drawn() -> None:
    assert "nothing was judged" in Document(render([Run({"planned": 0}, (), True)])).text


def test_a_run_that_contradicts_its_deviations_says_so_on_top() -> None:
    page = Document(render([replace(run(passing()), complaints=("known.toml:3: no longer needed",))]))
    assert "known.toml:3: no longer needed" in page.all(css="objection")[0].text
    assert page.all("h1")[0].text == "lib:good: conforms; the known departures are not as declared"
