"""The report in a real browser: what its script does, what holds without it, who can read it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from browser.conftest import AXE, Open
from perf.handmade import A, gate, side_by_side
from perf.handmade import sample as timed
from perf.test_history import fill
from report.crowd import rendered, sample
from report.stored import BREAKS, drawn, passing, result, run
from report.test_families import member

from surrogate_core.commands.timings import timing, trends
from surrogate_core.engine import Run
from surrogate_core.perf.watch import check
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Passed, Skipped
from surrogate_core.report import render
from surrogate_core.report.changes import to_html
from surrogate_core.report.comparison import compare

NARROW = {"width": 360, "height": 740}
SHOWN = "tbody tr[data-name]:not([hidden])"


HOSTILE = "</script></style><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
KNOWN = ExpectedFailure(BREAKS, "It is documented so.", "https://example.org/7", "known.toml:3", "2027-06-30")


@pytest.fixture(scope="module")
def survey() -> str:
    return rendered(30)


def of_many(name: str = "lib:odd", said: str = "It is documented so.") -> Run:
    """A survey in which everything occurs: findings, known ones, families, libraries, an exception."""
    known = ExpectedFailure(Failed(said, said, said), said, f"javascript:{said}", said, said)
    cases = [result(BREAKS, name), result(known, name, "transform.jit"), result(Errored(said, said, said), name, said)]
    families = [one for n in range(7) for one in member(f"{name}{n}", spike_at_zero=float(n > 0))]
    about = {"version": name, "hazards": [said], "excluded": {said: said}}
    return run([*drawn(name), *cases, *families], libraries={name: about}, missing={said: said})


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report of few implementations with every kind of section, times and a history among them."""
    folder = tmp_path_factory.mktemp("history")
    fill(folder, *[1.0] * 6, *[1.1] * 4)
    times = side_by_side(*(timed(A, p, 1, **{"m:new": 1.5 + 0.1 * p, "bare": 1.0}) for p in range(3)))
    broken = sample("broken")
    return render([broken, run([*passing(), result(KNOWN)])], [timing(times), timing(gate()), trends(check(folder))])


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
    page.locator("form.filters").get_by_label("State").select_option(label="does not conform")
    names = page.locator(f"{SHOWN} th a").all_text_contents()
    assert names
    assert all(int(re.sub(r"\D", "", name)) % 21 == 8 for name in names)
    assert page.locator("details.implementation:not([hidden])").count() == len(names)
    page.get_by_role("button", name="Clear").click()
    page.locator("form.filters").get_by_label("State").select_option(label="conforms")
    assert {told.strip() for told in page.locator(f"{SHOWN} td[data-v]").all_text_contents()} == {"✓ conforms"}
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
    target.wait_for()  # the script hears of the new address in the browser's own time


def test_few_implementations_filter_their_promises_by_state(visit: Open, broken: str) -> None:
    page = visit(broken)
    page.locator("form.filters").get_by_label("State").select_option("failed")
    assert page.locator(f"{SHOWN} td.is-failed").count() == page.locator(SHOWN).count() == 9


def test_a_promise_is_found_by_the_words_of_its_sentence(visit: Open, broken: str) -> None:
    page = visit(broken)
    page.locator("form.filters").get_by_label("Search").fill("bit for bit")
    assert page.locator(f"{SHOWN} th code").all_text_contents() == ["gradient.symmetry", "state.repeated"]


def test_what_a_column_means_is_one_click_away_from_it(visit: Open, survey: str) -> None:
    page = visit(survey)
    meaning = page.locator("details.meaning:has(summary code:text-is('gradient.symmetry'))")
    assert meaning.get_attribute("open") is None
    page.get_by_label("What gradient.symmetry means").click()
    meaning.locator("dl").wait_for()  # the script hears of the new address in the browser's own time
    assert "Why training cares" in (meaning.text_content() or "")
    assert page.locator("th[aria-sort]").count() == 0  # the link does not sort


@pytest.mark.parametrize("script", [True, False])
def test_a_finding_leads_to_its_own_place(visit: Open, survey: str, script: bool) -> None:
    page = visit(survey, java_script_enabled=script)
    link = page.locator("#findings tbody th a").last
    place = page.locator(f"article{link.get_attribute('href')}")
    link.click()
    place.wait_for()  # the script hears of the new address in the browser's own time
    assert (link.text_content() or "-") in (place.locator("h5").text_content() or "")


def test_a_known_failure_is_one_in_the_matrix_and_leads_to_its_reason(visit: Open, everything: str) -> None:
    page = visit(everything)
    field = page.locator("td.is-known a")
    assert (field.locator("b").text_content() or "") == "≈ known failure"
    field.click()
    why = page.locator(f"{field.get_attribute('href')} .known-by")
    why.wait_for()  # the script hears of the new address in the browser's own time
    assert why.locator("a").get_attribute("href") == "https://example.org/7"


def test_families_are_folded_and_what_differs_is_marked(visit: Open) -> None:
    page = visit(render([of_many()]))
    family = page.locator("#families details").first
    assert not family.locator("table").is_visible()
    family.locator("summary").click()
    assert family.locator("td b").first.text_content() == "≠ silent (>)"


# ---- what is copied, opened, and read without a script --------------------------------------------


def test_one_click_copies_the_script(visit: Open, broken: str) -> None:
    page = visit(broken, permissions=["clipboard-read", "clipboard-write"])
    page.locator("button.copy").first.click()
    page.get_by_text("Copied", exact=True).wait_for()  # the browser writes to the clipboard in its own time
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
    assert page.locator("button.copy").count() == 0


# ---- who can read it -----------------------------------------------------------------------------


OPENED = "for (const d of document.querySelectorAll('details')) d.open = true"


@pytest.mark.parametrize("which", ["few", "many", "comparison"])
def test_axe_finds_nothing_serious_in_either_colour_scheme(visit: Open, everything: str, which: str) -> None:
    texts = {"few": lambda: everything, "many": lambda: render([of_many()]), "comparison": compared}
    page = visit(texts[which](), color_scheme="light")
    page.evaluate(OPENED)
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    assert serious(page) == []


def compared() -> str:
    """A comparison in which every kind of change occurs."""
    old = run(
        [*passing(), result(BREAKS, "lib:mended"), result(Passed({"inputs": 7}), "lib:worse"), *drawn("lib:gone")]
    )
    new = [*passing(), result(Passed(), "lib:mended"), result(BREAKS, "lib:worse"), result(Passed(), "lib:new")]
    return to_html(compare(old, run(new, seed=1)))


def test_dark_is_dark(visit: Open, broken: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = (visit(broken, color_scheme=scheme).evaluate(ground) for scheme in ("light", "dark"))
    assert sum(map(int, re.findall(r"\d+", light))) > 600 > 120 > sum(map(int, re.findall(r"\d+", dark)))


def test_a_narrow_screen_scrolls_tables_and_never_the_page(visit: Open, everything: str, survey: str) -> None:
    for text in (everything, survey, render([of_many(HOSTILE + "long." * 60, HOSTILE)]), compared()):
        page = visit(text, viewport=NARROW)
        page.evaluate(OPENED)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_on_paper_there_is_no_navigation_and_every_program_is_read(visit: Open, broken: str) -> None:
    page = visit(broken)
    page.emulate_media(media="print")
    for hidden in ("nav", "form.filters", "button.copy", "details.quiet"):
        assert not page.locator(hidden).first.is_visible()
    programs = page.locator(".finding pre")
    assert programs.count() > 5
    assert all(programs.nth(at).bounding_box() for at in range(programs.count()))
    clipped = "getComputedStyle(document.querySelector('#matrix .scroll')).overflowX"
    assert page.evaluate(clipped) == "visible"


def test_the_first_key_leads_past_the_header(visit: Open, broken: str) -> None:
    page = visit(broken)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    page.keyboard.press("Enter")
    assert page.url.endswith("#answer")


# ---- hostile names, and stillness --------------------------------------------------------------------


def test_hostile_names_run_nothing_and_load_nothing(visit: Open) -> None:
    outcomes = [Passed({}, (HOSTILE,)), Failed(HOSTILE, HOSTILE, HOSTILE, script=HOSTILE), Errored(HOSTILE, HOSTILE)]
    hostile = [result(outcome, HOSTILE, name) for outcome, name in zip(outcomes, "abc", strict=True)]
    few = run([*drawn(HOSTILE), *hostile, result(Skipped(HOSTILE), HOSTILE, HOSTILE)])
    many = of_many(HOSTILE, HOSTILE)
    for text in (render([few]), render([many]), to_html(compare(run(passing()), many))):
        page = visit(text)
        page.evaluate(OPENED)
        assert HOSTILE in (page.locator("body").text_content() or "")
        assert "taken" not in page.title()[:5]
        assert page.locator("img").count() == 0
        assert page.locator("script").count() <= 1
        assert page.locator("a:not([href^='#'])").count() == 0


def test_the_policy_stops_what_would_get_into_the_page(visit: Open) -> None:
    text = render([run([result(BREAKS)])])
    page = visit(text, heard=False)  # the browser says that it blocks the style
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"position:fixed\" id=probe>x</p>')")
    assert page.evaluate("getComputedStyle(document.getElementById('probe')).position") == "static"


SHIFTS = """
window.moved = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => moved += entry.value))
  .observe({type: "layout-shift", buffered: true});
"""


def test_nothing_moves_while_a_survey_is_opened_and_read(visit: Open, survey: str) -> None:
    page = visit(survey, init=SHIFTS)
    page.mouse.wheel(0, 4000)
    page.wait_for_timeout(200)
    page.mouse.wheel(0, -4000)
    page.wait_for_timeout(200)
    assert page.evaluate("moved") < 0.001  # 0 where nothing moves; below 0.1 is called good
