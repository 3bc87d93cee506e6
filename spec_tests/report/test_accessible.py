from __future__ import annotations

import re

import pytest
from report.stored import BREAKS, Document, draw, drawn, passing, result, run

from surrogate_core.properties.outcome import Skipped
from surrogate_core.report import render


def test_ids_are_unique_and_every_link_arrives() -> None:
    page = Document(render([run([*drawn(), result(BREAKS, "lib:bad")]), run(drawn())]))
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    assert {e.attributes["href"][1:] for e in page.elements if "href" in e.attributes} <= set(ids)


def test_tables_have_captions_and_their_heads_a_scope() -> None:
    page = draw(*drawn(), result(BREAKS, "lib:bad"), result(BREAKS, "lib:bad", alpha=2.0))
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(e.attributes.get("scope") in ("col", "row", "rowgroup") for e in page.all("th"))
    assert page.all("html")[0].attributes["lang"] == "en"
    assert page.all("a")[0].attributes["href"] == "#answer"


def test_a_state_is_told_by_glyph_and_word_too() -> None:
    page = draw(*passing(), result(BREAKS, "lib:bad"), result(Skipped("no"), "lib:bad", "transform.jit"))
    states = [e for e in page.elements if re.search(r"(^|\s)is-(?!open)", e.attributes.get("class", ""))]
    states = [e for e in states if e.tag in ("span", "b", "td")]
    assert len(states) > 15
    assert all(re.search(r"\w", e.text) for e in states)
    assert all(re.match(r"[✓✗!–○≈]", e.text.strip()) for e in states if "is-none" not in e.attributes["class"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: str) -> None:
    light, dark = Document(render([])).all("style")[0].text.split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", light if scheme == "light" else dark.split("* {")[0]))

    def luminance(colour: str) -> float:
        parts = [int(colours[colour][i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a: str, b: str) -> float:
        low, high = sorted((luminance(a), luminance(b)))
        return (high + 0.05) / (low + 0.05)

    states = ["passed", "failed", "errored", "known", "absent", "open"]
    text = [(word, ground) for word in ("ink", "muted", "link") for ground in ("page", "card")]
    text += [(word, f"{state}-tint") for state in states for word in (state, "ink")]
    assert {pair: round(contrast(*pair), 1) for pair in text if contrast(*pair) < 4.5} == {}
    drawn = [("plot-spec", "card"), ("plot-measured", "plot-spec"), ("plot-fitted", "card")]
    assert {pair: round(contrast(*pair), 1) for pair in drawn if contrast(*pair) < 3} == {}


def test_every_figure_has_a_title_and_a_description() -> None:
    page = draw(*drawn())
    drawings = page.all("svg")
    assert len(drawings) == 4
    texts = {e.attributes["id"]: e.text for e in page.elements if "id" in e.attributes}
    for drawing in drawings:
        assert drawing.attributes["role"] == "img"
        assert all(texts[name].strip() for name in drawing.attributes["aria-labelledby"].split())


def test_the_plotted_numbers_stand_in_a_table() -> None:
    tables = draw(*drawn()).all("table", "numbers")
    assert len(tables) == 4
    assert any("−1.3438" in table.text for table in tables)
