from __future__ import annotations

import json
from pathlib import Path

import pytest
from perf.handmade import A, B, header, sample

from surrogate_core.errors import BadInput
from surrogate_core.perf.store import Writer, is_bench, read


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bench.jsonl"


def write(path: Path, finish: bool = True) -> None:
    writer = Writer(path, header())
    for benchmark in (A, B):
        writer.add(sample(benchmark, 0, new=1.0))
    if finish:
        writer.finish(12.5)
    writer.close()


def test_what_was_written_is_read(path: Path) -> None:
    write(path)
    run = read(path)
    assert (run.complete, run.seconds, run.processes) == (True, 12.5, 1)
    assert run.samples == (sample(A, 0, new=1.0), sample(B, 0, new=1.0))
    assert run.benchmarks == (A.id, B.id)
    assert is_bench(path)


def test_without_a_footer_it_is_read_as_far_as_it_goes(path: Path) -> None:
    write(path, finish=False)
    path.write_text(path.read_text() + '{"kind": "sam')
    run = read(path)
    assert not run.complete
    assert len(run.samples) == 2


def damaged(change: str) -> str:
    lines = [json.dumps(header()), json.dumps({"kind": "footer", "samples": 0})]
    if change == "empty":
        return ""
    if change == "schema":
        lines[0] = json.dumps({**header(), "schema": 99})
    if change == "no rule":
        lines[0] = json.dumps({k: v for k, v in header().items() if k != "rule"})
    if change == "count":
        lines[1] = json.dumps({"kind": "footer", "samples": 3})
    if change == "sample":
        lines[1] = json.dumps({"kind": "sample", "look": 1})
    if change == "not JSON":
        lines[1] = "what"
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("change", ["empty", "schema", "no rule", "count", "sample", "not JSON"])
def test_a_file_that_is_none_is_refused(change: str, path: Path) -> None:
    path.write_text(damaged(change))
    with pytest.raises(BadInput, match="results file"):
        read(path)


def test_a_path_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        Writer(tmp_path, header())
    with pytest.raises(BadInput):
        read(tmp_path / "none.jsonl")
    assert not is_bench(tmp_path / "none.jsonl")
