"""The report in a real browser: what its script does, what holds without it, who can read it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from browser.conftest import AXE, Open
from report.crowd import crowd, sample
from report.stored import BREAKS, drawn, result, run

from surrogate_core.properties.outcome import Errored, Failed, Passed, Skipped
from surrogate_core.report import render

NARROW = {"width": 360, "height": 740}
SHOWN = "tbody tr[data-name]:not([hidden])"


@pytest.fixture(scope="module")
def survey() -> str:
    return render([crowd(30)])


@pytest.fixture(scope="module")
def broken() -> str:
    return render([sample("broken")])


def serious(page: Any) -> list[str]:
    """What axe-core calls serious or worse, as ``rule: element``."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    grave = [v for v in found if v["impact"] in ("serious", "critical")]
    return [f"{v['id']}: {node['html'][:120]}" for v in grave for node in v["nodes"][:3]]


# ---- the matrix ----------------------------------------------------------------------------------


def test_filters_narrow_the_matrix_and_the_implementations_and_say_how_many_are_left(visit: Open, survey: str) -> None:
    page = visit(survey)
    page.locator("form.filters").get_by_label("Library").select_option("beth")
    assert page.locator(SHOWN).count() == len(range(1, 30, 7))
    assert page.locator("output.shown").text_content() == "5 of 30 implementations"
    page.locator("form.filters").get_by_label("State").select_option("failed")
    names = page.locator(f"{SHOWN} th a").all_text_contents()
    assert names
    assert all(int(re.sub(r"\D", "", name)) % 21 == 8 for name in names)
    assert page.locator("details.implementation:not([hidden])").count() == len(names)
    page.get_by_role("button", name="Clear").click()
    page.locator("form.filters").get_by_label("Search").fill("arctan2")
    assert page.locator(SHOWN).count() == len(
        [n for n in range(30) if f"arctan{n}".startswith("arctan2") and n % 6 == 2]
    )
    page.locator("form.filters").get_by_label("Search").fill("")
    page.locator("form.filters").get_by_label("Family").select_option("Gaussian")
    assert page.locator("section.family:not([hidden])").count() == 1


def test_a_column_sorts_up_and_down_and_back(visit: Open, survey: str) -> None:
    page = visit(survey)
    first = page.locator(f"{SHOWN} th a").first
    original = first.text_content()
    broken = page.get_by_role("button", name="Broken")
    broken.click()
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    broken.press("Enter")  # from the keyboard too
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert "of" in (page.locator(f"{SHOWN} td").first.text_content() or "")
    broken.click()
    assert page.locator("th[aria-sort]").count() == 0
    assert first.text_content() == original
    page.get_by_role("button", name="gradient.symmetry").click()
    assert page.locator(f"{SHOWN}").first.locator("td.is-failed").count() > 1


def test_a_field_of_the_matrix_opens_its_evidence(visit: Open, survey: str) -> None:
    page = visit(survey)
    field = page.locator("td.is-failed > a").first
    target = page.locator(field.get_attribute("href") or "")
    assert not target.is_visible()
    field.click()
    assert target.is_visible()


def test_few_implementations_filter_their_promises_by_state(visit: Open, broken: str) -> None:
    page = visit(broken)
    page.locator("form.filters").get_by_label("State").select_option("failed")
    assert page.locator(f"{SHOWN} td.is-failed").count() == page.locator(SHOWN).count() == 8


# ---- what is copied, opened, and read without a script --------------------------------------------


def test_one_click_copies_the_script(visit: Open, broken: str) -> None:
    page = visit(broken, permissions=["clipboard-read", "clipboard-write"])
    page.locator("button.copy").first.click()
    assert page.locator("button.copy").first.text_content() == "Copied"
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".script pre").first.text_content()
    assert "import jax" in copied


def test_the_plotted_numbers_are_behind_a_disclosure_that_the_keyboard_opens(visit: Open, broken: str) -> None:
    page = visit(broken)
    summary = page.locator("details.quiet summary").first
    assert not page.locator("table.numbers").first.is_visible()
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("table.numbers").first.is_visible()


def test_without_a_script_everything_is_there_and_nothing_pretends_to_work(visit: Open, survey: str) -> None:
    page = visit(survey, java_script_enabled=False)
    assert page.locator(SHOWN).count() == 30
    assert not page.locator("form.filters").is_visible()
    folded = page.locator("details.implementation:has(article.finding)").first
    folded.locator("summary").first.click()
    assert folded.locator("article.finding").first.is_visible()
    assert not page.locator("button.copy").first.is_visible()


# ---- who can read it -----------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit: Open, broken: str, scheme: str) -> None:
    page = visit(broken, color_scheme=scheme)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert serious(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_where_there_are_many(visit: Open, scheme: str) -> None:
    page = visit(render([crowd(8)]), color_scheme=scheme)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert serious(page) == []


def test_dark_is_dark(visit: Open, broken: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = (visit(broken, color_scheme=scheme).evaluate(ground) for scheme in ("light", "dark"))
    assert sum(map(int, re.findall(r"\d+", light))) > 600 > 120 > sum(map(int, re.findall(r"\d+", dark)))


def test_a_narrow_screen_scrolls_tables_and_never_the_page(visit: Open, broken: str, survey: str) -> None:
    for text in (broken, survey):
        page = visit(text, viewport=NARROW)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_the_first_key_leads_past_the_header(visit: Open, broken: str) -> None:
    page = visit(broken)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    page.keyboard.press("Enter")
    assert page.url.endswith("#answer")


# ---- hostile names, and stillness --------------------------------------------------------------------

HOSTILE = "</script></style><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


def test_hostile_names_run_nothing_and_load_nothing(visit: Open) -> None:
    outcomes = [Passed({}, (HOSTILE,)), Failed(HOSTILE, HOSTILE, HOSTILE, script=HOSTILE), Errored(HOSTILE, HOSTILE)]
    hostile = [result(outcome, HOSTILE, name) for outcome, name in zip(outcomes, "abc", strict=True)]
    others = [result(Skipped(HOSTILE), f"{HOSTILE}{n}", HOSTILE) for n in range(8)]
    for results in (hostile, [*hostile, *others]):
        page = visit(render([run([*drawn(HOSTILE), *results])]))
        assert "taken" not in page.title()[:5]
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 1


def test_the_policy_stops_what_would_get_into_the_page(visit: Open) -> None:
    text = render([run([result(BREAKS)])])
    page = visit(text, heard=False)  # the browser says that it blocks the style
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"position:fixed\" id=probe>x</p>')")
    assert page.evaluate("getComputedStyle(document.getElementById('probe')).position") == "static"


def test_nothing_moves_while_a_survey_of_a_hundred_is_opened(visit: Open) -> None:
    page = visit(render([crowd()]))
    page.wait_for_timeout(300)
    timing = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    shifts = page.evaluate(
        """new Promise(done => {
            const add = list => done(list.getEntries().reduce((sum, entry) => sum + entry.value, 0));
            new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
            setTimeout(() => done(0), 200);
        })"""
    )
    ready, loaded = timing["domInteractive"], timing["loadEventEnd"]
    print(f"interactive after {ready:.0f} ms, loaded after {loaded:.0f} ms, layout shift {shifts}")
    assert shifts < 0.001
