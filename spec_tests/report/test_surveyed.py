from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

from report.stored import BREAKS, Document, passing, result, run
from report.test_families import member
from rich.console import Console

from surrogate_core.engine import Result, Run
from surrogate_core.engine.plan import START
from surrogate_core.properties.outcome import Errored, ExpectedFailure
from surrogate_core.report import render
from surrogate_core.report.matrix import FEW
from surrogate_core.report.page import MOST_TOLD
from surrogate_core.report.survey import show

HOSTILE = "<script>alert(1)</script>"


def many(*more: Result, **header: Any) -> Run:
    """More implementations than are the columns of a matrix."""
    return run([r for i in range(FEW + 1) for r in passing(f"lib:right{i}")] + list(more), **header)


def drawn(*more: Result, **header: Any) -> Document:
    return Document(render([many(*more, **header)]))


def sections(page: Document) -> set[str]:
    return {e.attributes["id"] for e in page.all("section") if "id" in e.attributes}


def test_findings_of_many_implementations_stand_in_one_table_and_lead_to_their_evidence() -> None:
    page = drawn(result(BREAKS, "lib:wrong"), result(Errored("ValueError: no"), "lib:raises"))
    (table,) = (e for e in page.all("section") if e.attributes.get("id") == "findings")
    assert "2 defects in 2 implementations." in table.text
    assert "x = 21 (0x41a80000): 0 (0x00000000); promised 7.5e-10" in table.text
    places = {e.attributes["id"]: e for e in page.elements if "id" in e.attributes}
    links = [e.attributes["href"][1:] for e in page.all("a") if e.text in ("lib:wrong", "lib:raises")]
    raises, wrong = (places[links[at]] for at in (0, 1))
    assert wrong.attributes["class"] == "finding is-failed"
    assert "x = 21 (0x41a80000)" in wrong.text
    assert raises.attributes["class"] == "finding is-errored"


def test_a_finding_has_a_place_of_its_own_with_all_that_a_maintainer_needs() -> None:
    cases = [
        result(BREAKS, "lib:wrong", "gradient.oracle", dtype="float16"),
        result(BREAKS, "lib:wrong", "gradient.oracle"),
        result(replace(BREAKS, given="x = 2 (0x40000000)"), "lib:wrong", "gradient.peak"),
    ]
    entries = [dict(e) for e in many(*cases).header["implementations"]]
    entries[-1]["documented"] = {"promise": "peaks at 1", "where": "docstring of lib.wrong"}
    (finding,) = drawn(*cases, implementations=entries).all("article", "finding")
    told = (
        "gradient.oracle lib:wrong, 3 cases",
        "The gradient is the declared pseudo-derivative.",
        "peaks at 1",
        "docstring of lib.wrong",
        "lib 1.0",
        "float32, α = 1, cpu:0",
        *(BREAKS.given, BREAKS.measured, BREAKS.allowed, BREAKS.script),
        "Seen through itgradient.peak",
        "x = 2 (0x40000000)",  # the case of the other property is listed, too
    )
    assert [words for words in told if words not in re.sub(r"\s+", " ", finding.text) + finding.text] == []
    assert "A program that shows it without this harness" in finding.text


def test_of_findings_without_end_the_last_are_lines() -> None:
    cases = [result(BREAKS, "lib:wrong", f"own.p{n}") for n in range(MOST_TOLD + 2)]
    page = drawn(*cases)
    assert len(page.all("article", "finding")) == MOST_TOLD
    (table,) = (e for e in page.all("section") if e.attributes.get("id") == "findings")
    assert table.text.count(BREAKS.given) == MOST_TOLD + 2
    assert [e.tag for e in page.elements if e.attributes.get("id") == f"i{FEW + 2}f{MOST_TOLD + 1}"] == ["tr"]


def test_a_finding_says_why_it_is_known_and_where_the_promise_is_written() -> None:
    known = result(ExpectedFailure(BREAKS, "The docstring says so."), "lib:wrong")
    entries = [dict(e) for e in many(known).header["implementations"]]
    entries[-1]["documented"] = {"promise": "peaks at 1", "where": "docstring of lib.wrong"}
    text = drawn(known, implementations=entries).text
    assert "Known and explained" in text
    assert "≈ knownThe docstring says so." in text
    assert "docstring of lib.wrong" in text


def test_a_check_of_few_implementations_needs_no_list_of_findings() -> None:
    page = Document(render([run(passing())]))
    assert not {"findings", "families", "libraries"} & sections(page)


def test_a_survey_has_a_list_of_findings_however_few_it_judged() -> None:
    about = {"version": "lib 1.0", "hazards": ["switches x64 off"], "uncovered": ["other thresholds"], "excluded": {}}
    few = [*member("lib:a"), *member("lib:b", peak=2.0)]
    page = Document(render([run(few, survey=True, libraries={"lib": about})]))
    assert {"findings", "families", "libraries"} <= sections(page)
    (table,) = (e for e in page.all("section") if e.attributes.get("id") == "findings")
    assert "2 defects in 2 implementations." in table.text
    for told in ("switches x64 off", "not covered: other thresholds", "≠ 2"):
        assert told in page.text
    # The few stand open, with all their figures.
    assert "lib:a" in [a.text for a in page.all("a") if a.attributes["href"] == "#i1f1"]


def test_what_is_not_judged_is_counted() -> None:
    missing = {"norse": "pip install norse", "spyx": "pip install spyx"}
    broken = ["the entry point a = b:c cannot be loaded: ValueError: no"]
    found = many(missing=missing, broken=broken, survey=True)
    for text in (told(found), Document(render([found])).text):
        assert "2 libraries not installed, and not judged" in text
        assert "1 entry of the catalogue that cannot be used, or not in full" in text
        assert broken[0] in text
    assert not found.conforms
    assert found.exit_code == 3
    assert many(result(BREAKS, "lib:wrong"), broken=broken).exit_code == 1


def test_an_import_that_fails_is_one_finding_of_its_library() -> None:
    errors = [
        result(Errored(f"target '{name}' cannot be imported"), name, START) for name in ("lib.a", "lib.b", "other.c")
    ]
    entries = [{**e, "library": e["name"].partition(".")[0]} for e in many(*errors).header["implementations"]]
    found = many(*errors, implementations=entries)
    text = told(found)
    assert "2 defects in 3 implementations." in text
    assert f"{FEW + 1} surrogates of {FEW + 4} without a finding." in text
    page = Document(render([found]))
    (table,) = (e for e in page.all("section") if e.attributes.get("id") == "findings")
    assert "2 defects in 3 implementations." in table.text
    for shown in (text, table.text):
        assert "and 1 other of it" in shown
        assert "lib.b" not in shown.partition("ledger")[0].replace("judged", "").partition("Libraries")[0]


def test_a_library_without_a_surrogate_of_its_own_is_told() -> None:
    about = {"version": "brains 2.0", "hazards": ["switches x64 off"], "excluded": {"brains:a": "is that of another"}}
    found = many(libraries={"brains": about}, survey=True)
    assert "without a surrogate of its own: brains 2.0" in told(found)
    assert "brains:a: is that of another" in Document(render([found])).text


def test_families_stand_side_by_side_and_what_differs_is_marked_by_a_sign() -> None:
    page = drawn(*member("lib:a"), *member("lib:b"), *member("lib:c", spike_at_zero=0.0))
    assert "families" in sections(page)
    assert "≠ silent (>)" in page.text


def test_libraries_are_named_with_what_their_import_does_and_missing_ones_with_what_brings_them() -> None:
    about = {"version": "lib 1.0", "hazards": ["switches x64 off"], "excluded": {"lib:Noise": "its backward is random"}}
    page = drawn(libraries={"lib": about}, missing={"norse": "pip install 'surrogate_core[norse]'"})
    for told in ("switches x64 off", "lib:Noise: its backward is random", "pip install 'surrogate_core[norse]'"):
        assert told in page.text


def test_nothing_of_it_can_write_html() -> None:
    about = {"version": HOSTILE, "hazards": [HOSTILE], "excluded": {HOSTILE: HOSTILE}}
    odd = result(Errored(HOSTILE), f"lib:{HOSTILE}")
    html = render([many(odd, libraries={HOSTILE: about}, missing={HOSTILE: HOSTILE})])
    assert HOSTILE not in html


def told(found: Run) -> str:
    """What a survey prints."""
    console = Console(width=200, file=io.StringIO(), record=True)
    show(found, console)
    return console.export_text()


def test_a_survey_that_was_not_finished_does_not_say_that_nothing_was_found() -> None:
    early, whole = many(complete=False), many()
    assert "the run was not finished" in told(early)
    for text in (told(early), Document(render([early])).text):
        assert "Nothing was found in what was judged before the run ended." in text
        assert "Nothing was found." not in text
        assert "without a finding" not in text
    assert f"{FEW + 1} surrogates of {FEW + 1} without a finding. Nothing was found." in told(whole)


def test_what_was_found_before_a_survey_ended_is_told_as_that() -> None:
    early = many(result(BREAKS, "lib:wrong"), complete=False)
    for text in (told(early), Document(render([early])).text):
        assert "1 defect in 1 implementation, in what was judged before the run ended." in text
