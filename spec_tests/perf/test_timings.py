"""What was timed, in the report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from perf.handmade import A, B, failing, gate, sample, side_by_side
from perf.test_history import fill
from report.stored import Document
from typer.testing import CliRunner

from surrogate_core.cli import app
from surrogate_core.commands.timings import timing, trends
from surrogate_core.perf.store import BenchRun, Writer
from surrogate_core.perf.watch import check
from surrogate_core.report import html

HOSTILE = "<script>alert(1)</script>"


def stored(run: BenchRun, path: Path) -> str:
    writer = Writer(path, run.header)
    for one in run.samples:
        writer.add(one)
    writer.finish()
    writer.close()
    return str(path)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten runs, of which the last four take a tenth longer in one of two benchmarks."""
    folder = tmp_path_factory.mktemp("history")
    fill(folder, *[1.0] * 6, *[1.1] * 4)
    return folder


def test_times_their_ratios_and_the_noise_floor_are_drawn(tmp_path: Path) -> None:
    run = side_by_side(*(sample(b, p, 1, **{"m:new": 1.5 + 0.01 * p, "bare": 1.0}) for b in (A, B) for p in range(3)))
    page = tmp_path / "report.html"
    answer = CliRunner().invoke(app, ["report", stored(run, tmp_path / "b.jsonl"), "-o", str(page)])
    assert answer.exit_code == 0, answer.output
    text = page.read_text()
    assert "Time over that of the bare operation: m:new" in text
    assert "1.51 (1.47 to 1.55)" in text
    assert "± 2.7 %" in text
    assert "nothing was judged" in text


def test_a_single_process_has_an_unknown_noise_floor() -> None:
    found = timing(side_by_side(sample(A, 0, 1, **{"m:new": 1.5, "bare": 1.0})))
    assert found.timed[0].noise is None
    assert "<td>unknown" in html.render([], [found])


def test_what_is_inconclusive_is_never_shown_as_passed() -> None:
    noisy = [sample(A, p, 1, new=n, old=1.0) for p, n in enumerate([0.8, 1.2, 1.1, 0.9])]
    found = timing(gate(*noisy))
    assert {c.state: c.css for c in found.compared} == {"inconclusive": "open", "not comparable": "open"}
    text = html.render([], [found])
    assert 'class="state is-open"' in text
    assert 'class="state is-passed"' not in text
    assert B.id.split("/")[0] in text


def test_a_report_on_a_strict_comparison_exits_as_that_did(tmp_path: Path) -> None:
    noisy = [sample(A, p, 1, new=n, old=1.0) for p, n in enumerate([0.8, 1.2, 1.1, 0.9])]
    even = [sample(B, p, 1, new=n, old=1.0) for p, n in enumerate([1.0, 1.002, 0.999, 1.001])]
    codes: list[int] = []
    for changes in ({}, {"strict": False}, {"strict": True}):
        kept = stored(gate(*noisy, *even, **changes), tmp_path / "b.jsonl")
        codes.append(CliRunner().invoke(app, ["report", kept, "-o", str(tmp_path / "report.html")]).exit_code)
    assert codes == [0, 0, 3]


def test_what_failed_in_some_processes_is_drawn_as_not_measured() -> None:
    first, second = timing(side_by_side(*failing(A, 1), *failing(B))).timed
    assert (first.per_call, first.ratio) == ("", None)
    assert first.error == "failed in 1 of 5 processes: Boom: no"
    assert second.error == ""


def test_a_history_is_drawn_with_its_step_and_its_noise_floor(history: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    answer = CliRunner().invoke(app, ["report", str(history), "-o", str(target)])
    assert answer.exit_code == 4, answer.output  # as `history check` exits
    page = Document(target.read_text())
    (table,) = page.all("table", "figures")
    rows = [re.sub(r"\s+", " ", row.text).strip() for row in page.all("tr") if "stepped up" in row.text]
    assert len(rows) == 1
    assert "✗ stepped up" in rows[0]
    assert rows[0].endswith("stepped up by 10 % at 2026-01-07T00:00:00Z m 1.0 c7")
    assert "± 0." in table.text
    assert len(page.all("svg")) == 2
    assert [t.text.count("2026-01-") for t in page.all("table", "numbers")] == [10, 10]


def test_what_rose_stands_first_and_its_levels_are_those_before_and_after_the_step(history: Path) -> None:
    first, second = trends(check(history)).trended
    assert (first.css, second.css) == ("failed", "passed")
    assert [(start, end) for start, end, *_ in first.levels] == [(0, 5), (6, 9)]
    assert first.levels[1][2] / first.levels[0][2] == pytest.approx(1.1, abs=1e-3)
    assert [(start, end) for start, end, *_ in second.levels] == [(0, 9)]


def test_tables_of_times_have_captions_and_their_heads_a_scope_and_nothing_writes_html(history: Path) -> None:
    run = side_by_side(*(sample(A, p, 1, **{"m:new": 1.5, "bare": 1.0}) for p in range(3)))
    subjects = [{**run.header["subjects"][0], "package": HOSTILE, "version": HOSTILE}]
    hostile = BenchRun({**run.header, "subjects": subjects, "remarks": [HOSTILE]}, run.samples, True)
    text = html.render([], [timing(hostile), timing(gate()), trends(check(history))])
    page = Document(text)
    assert HOSTILE not in text
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(e.attributes.get("scope") in ("col", "row", "rowgroup") for e in page.all("th"))
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    names = [e.attributes["aria-label"] for e in page.all("div", "scroll")]
    assert len(names) == len(set(names))


def test_the_same_history_gives_the_same_bytes(history: Path) -> None:
    assert html.render([], [trends(check(history))]) == html.render([], [trends(check(history))])
