from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from report.stored import BREAKS, Document, curve, decay, draw, drawn, oracle, passing, result, run

from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import Errored, Failed, Passed, Skipped, Unsupported
from surrogate_core.report import render, write

HOSTILE = "</pre></style>'\"><script>alert(1)</script><img src=//evil.example onerror=alert(1)>{{ 7 * 7 }}"


def test_no_address_outside_the_file_and_nothing_but_its_own_style_and_script() -> None:
    text = render([run([*drawn(), result(BREAKS, "lib:bad")])])
    assert not re.findall(r"https?:|//\w|@import|url\((?!#)", text)
    page = Document(text)
    assert not [e.tag for e in page.elements if e.tag in ("link", "iframe", "object", "img", "base")]
    assert not [e for e in page.elements if "style" in e.attributes]
    assert not [e for e in page.elements if "src" in e.attributes]
    assert all(e.attributes["href"].startswith("#") for e in page.elements if "href" in e.attributes)
    (policy,) = (e for e in page.all("meta") if e.attributes.get("http-equiv") == "Content-Security-Policy")
    allowed = policy.attributes["content"]
    assert allowed.startswith("default-src 'none';")
    for tag in ("style", "script"):
        (own,) = page.all(tag)
        digest = base64.b64encode(hashlib.sha256(own.text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in allowed


def test_hostile_text_stays_text() -> None:
    everything = [
        result(Passed(oracle(1.0), (HOSTILE,)), HOSTILE, "gradient.oracle"),
        result(Passed(decay(1.0)), HOSTILE, "gradient.decay"),
        result(
            Failed(HOSTILE, HOSTILE, HOSTILE, 1.0, {"shapes": [HOSTILE], "curve": curve(1.0)}, None, HOSTILE), HOSTILE
        ),
        result(Errored(HOSTILE, HOSTILE, HOSTILE), HOSTILE, HOSTILE),
        result(Skipped(HOSTILE), "b", dtype=HOSTILE),
        result(Unsupported(HOSTILE), "b", HOSTILE),
    ]
    spec = {"title": HOSTILE, "source": HOSTILE, "gradient": HOSTILE, "forward": HOSTILE, "claims": [HOSTILE]}
    page = draw(
        *everything,
        specs={"slayer": spec},
        properties={HOSTILE: HOSTILE},
        environment={"python": HOSTILE, "packages": {HOSTILE: HOSTILE}},
        profile=HOSTILE,
        devices={HOSTILE: [[HOSTILE, HOSTILE]]},
        absent={HOSTILE: [HOSTILE]},
    )
    assert not [e.tag for e in page.elements if e.tag == "img"]
    assert len(page.all("script")) == 1
    assert not [name for e in page.elements for name in e.attributes if name.startswith("on")]
    assert len(page.all("style")) == 1
    assert page.text.count(HOSTILE) > 20
    assert "49" not in re.sub(r"\d[\d,.]+|\.\d+", "", page.all("h1")[0].text)


def test_characters_that_hide_or_turn_text_round_are_replaced() -> None:
    text = render([run([result(Errored("a\x00b\u202ec\ud800d"))])])
    text.encode()
    assert "a�b�c�d" in text


def test_the_folder_of_a_report_is_made(tmp_path: Path) -> None:
    write([run(passing())], tmp_path / "new" / "folder" / "report.html")
    assert (tmp_path / "new" / "folder" / "report.html").read_bytes() == render([run(passing())]).encode()


def test_a_path_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="report"):
        write([run(passing())], tmp_path / "file" / "report.html")
