from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from report.stored import BREAKS, passing, result, run

from surrogate_core.commands.summaries import write
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed
from surrogate_core.report import badge
from surrogate_core.report.summary import summary

EXCUSED = ExpectedFailure(BREAKS, "It rounds.")

HOSTILE = "`x` | <script>alert(1)</script></pre></details> @someone [a](http://e.example)\n\n# no \u202e\x1b[2J\ud800"


def test_the_answer_stands_on_top_and_the_evidence_is_folded() -> None:
    told = summary(run([*passing(), result(BREAKS, prop="transform.jit")]))
    assert told.startswith("## ✗ does not conform\n")
    assert told.count("<details>") == told.count("</details>") == 3
    assert "1 of 4 properties are broken" in told
    assert summary(run(passing())).startswith("## ✓ conforms\n")
    assert summary(run(passing(), complete=False)).startswith("## ? no verdict")


def test_a_summary_says_first_that_what_conforms_does_so_but_for_known_failures() -> None:
    told = summary(run([*passing(), result(EXCUSED, "lib:known")]))
    assert told.startswith("## ✓ conforms, but for known failures\n")
    assert "| ≈ | <code>lib&#58;known</code> | <code>slayer</code> | conforms, but for known failures&#58; " in told
    told = summary(run([result(BREAKS), result(EXCUSED, "lib:known")]))
    assert told.startswith("## ✗ does not conform\n")
    assert "| conforms, but for known failures&#58; " in told


def test_what_an_implementation_wrote_stays_text_in_the_summary() -> None:
    told = summary(run([result(Failed(HOSTILE, HOSTILE, HOSTILE, script=HOSTILE), HOSTILE), result(Errored(HOSTILE))]))
    told.encode()
    assert told.count("</details>") == told.count("<details>")
    for sign in ("<script", "\u202e", "\x1b"):
        assert sign not in told


def test_the_summary_is_never_larger_than_github_accepts() -> None:
    many = [result(Failed("x", "1", "2", script="y" * 9_000), f"lib:{n}") for n in range(200)]
    told = summary(run(many))
    assert 500_000 < len(told.encode()) <= 1 << 20
    assert "more parts were too large" in told
    assert len(summary(run(many), 20_000).encode()) <= 20_000


def test_the_step_summary_is_appended_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = tmp_path / "step.md"
    step.write_text("earlier\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    write(run(passing()), None, None)
    assert step.read_text().startswith("earlier\n## ✓ conforms")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (run(passing()), "conforms"),
        (run([result(EXCUSED)]), "conforms but for known failures"),
        (run([result(BREAKS)]), "does not conform"),
        (run([result(BREAKS)], complete=False), "no verdict"),
    ],
)
def test_a_badge_says_what_the_exit_code_says(found, message: str, tmp_path: Path) -> None:
    badge.write(found, tmp_path / "b.json")
    told = json.loads((tmp_path / "b.json").read_text())
    assert (told["schemaVersion"], told["message"]) == (1, message)
    badge.write(found, tmp_path / "b.svg")
    picture = ElementTree.fromstring((tmp_path / "b.svg").read_text())
    assert picture.get("aria-label") == f"surrogate gradients: {message}"
