from __future__ import annotations

from report.stored import BREAKS, draw, passing, result

from surrogate_core.engine.plan import START
from surrogate_core.properties import PROPERTIES
from surrogate_core.report.meaning import meanings


def test_every_promise_on_the_page_is_explained_once() -> None:
    page = draw(*passing(), result(BREAKS, "lib:bad"), result(BREAKS, "lib:bad", dtype="float16"))
    told = page.all("details", "meaning")
    assert [e.text.split()[0] for e in told] == ["forward.step", "gradient.oracle", "gradient.peak"]
    for part in ("Why training cares", "Breaks it", "Observed", "Judged", "Mended", "surrogate-core check broken.py"):
        assert part in told[0].text
    assert not [e for e in told if "open" in e.attributes]


def test_the_row_and_the_finding_of_a_promise_lead_to_its_explanation() -> None:
    page = draw(*passing(), result(BREAKS, "lib:bad"))
    (place,) = (e.attributes["id"] for e in page.all("details", "meaning") if e.text.startswith("gradient.peak"))
    leading = [e for e in page.all("a", "promised") if e.attributes["href"] == f"#{place}"]
    assert [e.text for e in leading] == ["gradient.peak"] * 4  # matrix, finding, and both implementations


def test_a_promise_of_another_version_is_shown_without_an_explanation() -> None:
    page = draw(result(BREAKS, prop="gradient.future"))
    assert not page.all("details", "meaning")
    assert not page.all("a", "promised")
    assert meanings(["gradient.future", START]) == ()


def test_all_promises_of_this_version_have_an_explanation() -> None:
    assert len(meanings(p.id for p in PROPERTIES)) == len(PROPERTIES)
