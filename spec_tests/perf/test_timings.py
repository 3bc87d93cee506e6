"""What was timed, in the report."""

from __future__ import annotations

from pathlib import Path

from perf.handmade import A, B, gate, sample, side_by_side
from typer.testing import CliRunner

from surrogate_core.cli import app
from surrogate_core.commands.timings import timing
from surrogate_core.perf.store import BenchRun, Writer
from surrogate_core.report import html


def stored(run: BenchRun, path: Path) -> str:
    writer = Writer(path, run.header)
    for one in run.samples:
        writer.add(one)
    writer.finish()
    writer.close()
    return str(path)


def test_times_and_their_ratios_are_drawn(tmp_path: Path) -> None:
    run = side_by_side(*(sample(A, p, 1, **{"m:new": 1.5, "bare": 1.0}) for p in range(3)))
    page = tmp_path / "report.html"
    answer = CliRunner().invoke(app, ["report", stored(run, tmp_path / "b.jsonl"), "-o", str(page)])
    assert answer.exit_code == 0, answer.output
    text = page.read_text()
    assert "Time over that of the bare operation: m:new" in text
    assert "1.5 (1.5 to 1.5)" in text
    assert "nothing was judged" in text


def test_what_is_inconclusive_is_never_shown_as_passed() -> None:
    noisy = [sample(A, p, 1, new=n, old=1.0) for p, n in enumerate([0.8, 1.2, 1.1, 0.9])]
    found = timing(gate(*noisy))
    assert {c.state: c.css for c in found.compared} == {"inconclusive": "open", "not comparable": "open"}
    text = html.render([], [found])
    assert 'class="is-open"' in text
    assert 'td class="is-passed"' not in text
    assert B.id.split("/")[0] in text
