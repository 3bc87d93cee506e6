from __future__ import annotations

import re

import pytest
from report.crowd import crowd, rendered
from report.stored import BREAKS, Document, draw, passing, result, run

from surrogate_core.properties.outcome import ExpectedFailure, Passed
from surrogate_core.report import render
from surrogate_core.report.gallery import gallery
from surrogate_core.report.matrix import FEW


@pytest.fixture(scope="module")
def survey() -> str:
    return rendered()


def test_few_implementations_are_columns_and_many_are_rows() -> None:
    for amount, rows in ((FEW, 3), (FEW + 1, FEW + 1)):
        page = draw(*(one for n in range(amount) for one in passing(f"lib:{n}")))
        named = [e for e in page.all("tr") if "data-name" in e.attributes]
        assert len(named) == rows


def test_a_row_knows_its_library_its_family_and_its_states() -> None:
    names = [f"lib:{n}" for n in range(FEW)]
    page = draw(*(one for name in names for one in passing(name)), result(BREAKS, "lib:bad"))
    (row,) = [e for e in page.all("tr") if e.attributes.get("data-name") == "lib:bad"]
    assert (row.attributes["data-library"], row.attributes["data-family"]) == ("lib", "slayer")
    assert row.attributes["data-state"].split() == ["answer-failed", "none", "failed"]


def test_every_field_of_a_survey_leads_to_its_evidence(survey: str) -> None:
    page = Document(survey)
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    assert {e.attributes["href"][1:] for e in page.elements if "href" in e.attributes} <= set(ids)
    assert survey.count("<td class=") > 2500


def test_a_survey_of_a_hundred_stays_under_a_megabyte_and_a_half_with_a_tenth_to_spare(survey: str) -> None:
    assert len(survey.encode()) < 1_350_000
    assert survey.count("<svg") == 100


def test_a_survey_says_in_one_sentence_how_it_went(survey: str) -> None:
    page = Document(survey)
    assert [e.text for e in page.all("h1")] == ["67 of 100 implementations conform"]
    assert [re.sub(r"\s+", " ", e.text).strip() for e in page.all("li", "total")] == [
        "✓ 67 conform",
        "✗ 33 do not conform",
    ]


def test_a_survey_counts_what_conforms_but_for_known_failures_by_itself() -> None:
    names = [f"lib:{n}" for n in range(FEW)]
    excused = result(ExpectedFailure(BREAKS, "It rounds."), "lib:known", "gradient.peak")
    page = draw(
        *(one for name in names for one in passing(name)), excused, result(Passed(), "lib:known", "forward.step")
    )
    assert [re.sub(r"\s+", " ", e.text).strip() for e in page.all("li", "total")] == [
        f"✓ {FEW} conform",
        "≈ 1 conforms but for known failures",
    ]
    (row,) = [e for e in page.all("tr") if e.attributes.get("data-name") == "lib:known"]
    assert {"answer-known", "known", "passed"} <= set(row.attributes["data-state"].split())
    options = {e.text: e.attributes["value"] for e in page.all("option")}
    assert options["conforms"] not in row.attributes["data-state"].split()
    assert options["conforms but for known failures"] in row.attributes["data-state"].split()
    answers = [re.sub(r"\s+", " ", e.text).strip() for e in page.all("td") if "data-v" in e.attributes]
    assert answers[-1] == "≈ 1 of 2 known"


def test_implementations_stand_with_their_spec(survey: str) -> None:
    heads = [re.sub(r"\s+", " ", e.text) for e in Document(survey).all("h2")]
    assert [h for h in heads if h.endswith("implementations")][:2] == [
        "SLAYER exponential 17 implementations",
        "Fast sigmoid 17 implementations",
    ]


def test_a_budget_admits_what_shows_a_failure_first() -> None:
    run = crowd(3)
    name = run.header["implementations"][2]["name"]
    every, one = gallery(run.of(name), "a", 100), gallery(run.of(name), "a", 1)
    assert every is not None
    assert one is not None
    assert [len(g.charts) for g in one.groups] == [1]
    assert one.groups[0].charts[0].kept is False
    assert every.left_out == 0
    assert one.left_out == sum(len(g.charts) for g in every.groups) - 1


def test_a_promise_that_nobody_was_judged_on_is_no_row() -> None:
    page = draw(result(Passed(), "lib:good", "gradient.peak"))
    assert [e.attributes["data-name"].split()[0] for e in page.all("tr") if "data-name" in e.attributes] == [
        "gradient.peak"
    ]


def test_runs_of_several_specs_share_a_matrix_and_keep_their_chapters() -> None:
    first, second = crowd(2), crowd(3)
    page = Document(render([first, second]))
    assert [e.text for e in page.all("h1")] == ["4 of 5 implementations conform"]
    chapters = [re.sub(r"\s+", " ", e.text) for e in page.all("h2") if "implementation" in e.text]
    assert chapters[-3:] == [
        "SLAYER exponential 2 implementations",
        "Fast sigmoid 2 implementations",
        "Arctan 1 implementation",
    ]
    heads = [e.text for e in page.all("th") if "(run " in e.text]
    assert len(heads) == 5
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))


def test_variants_of_one_family_are_filtered_by_it() -> None:
    results = [one for n in range(FEW + 1) for one in passing(f"lib:{n}")]
    entries = [{**e, "family": "slayer"} for e in run(results).header["implementations"]]
    variant = {**run(results).header["specs"]["slayer"], "title": "SLAYER, silent at 0"}
    entries[0]["spec"] = "slayer(at_threshold=0)"
    specs = {**run(results).header["specs"], "slayer(at_threshold=0)": variant}
    page = draw(*results, implementations=entries, specs=specs)
    rows = [e for e in page.all("tr") if "data-name" in e.attributes]
    assert {row.attributes["data-family"] for row in rows} == {"slayer"}
