"""Through every part but processes and clock; a command in the README runs with both."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from surrogate_core.cli import app
from surrogate_core.errors import BadInput
from surrogate_core.libraries.target import locate
from surrogate_core.perf import artifact, measure, processes, worker
from surrogate_core.perf.comparison import NEW, OLD, first_of_each_kind
from surrogate_core.perf.decide import Rule
from surrogate_core.perf.freezing import freeze
from surrogate_core.perf.job import BARE, target_to
from surrogate_core.perf.plan import plan
from surrogate_core.perf.request import Request
from surrogate_core.perf.store import BenchRun, read
from surrogate_core.perf.verdicts import Comparison, compare, exit_code

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent / "surrogates.py"
GOOD, SLOW, BROKEN, CHOOSY, UNDELAYED = (f"{HERE}:{name}" for name in ("good", "slow", "broken", "choosy", "undelayed"))
TORCH = f"{HERE.parent.parent / 'impostors' / 'torch_right.py'}:old_style_function"
BOTH = "forward+backward/compiled/1024/float32/cpu:0"
SMALL = "forward/compiled/1024/float32/cpu:0"


def request(target: str, *globs: str, **changes: Any) -> Request:
    few = Rule(processes=3, rounds=5)
    return Request(targets=[target], globs=globs or [BOTH], rule=few, framework="jax", **changes)


def run(asked: Request) -> BenchRun:
    laid = plan(asked)
    return BenchRun(laid.header, tuple(measure.measure(laid)), complete=True)


def only(found: Sequence[Comparison]) -> Comparison:
    (one,) = found
    return one


@pytest.mark.usefixtures("no_processes")
def test_ten_exponentials_more_are_a_regression_and_are_named() -> None:
    found = run(request(SLOW, against=GOOD))
    comparison = only(compare(found))
    assert (comparison.verdict.state, comparison.verdict.looks) == ("regressed", 2)
    assert "exp evaluated 11 times, was once" in (comparison.evidence or ())
    assert exit_code(found) == 4


@pytest.mark.usefixtures("no_processes")
def test_a_frozen_version_is_timed_again_beside_a_slower_one(tmp_path: Path) -> None:
    kept = str(tmp_path / "accepted.bench")
    assert freeze(request(GOOD), kept) == ((BOTH,), {})
    comparison = only(compare(run(dataclasses.replace(request(SLOW, against=kept), globs=[]))))
    assert comparison.verdict.state == "regressed"
    assert "exp evaluated 11 times, was once" in (comparison.evidence or ())


@pytest.mark.usefixtures("no_processes")
def test_what_cannot_be_frozen_is_left_out_and_named_and_the_rest_is_compared(tmp_path: Path) -> None:
    kept, half = str(tmp_path / "accepted.bench"), SMALL.replace("float32", "bfloat16")
    asked = ["bench", CHOOSY, "--freeze", kept, "--bench", SMALL, "--bench", half, "--dtype", "float32,bfloat16"]
    answer = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    assert f"left out: {half}: TypeError: no bfloat16 here\n" in answer.stderr
    assert "1 compiled benchmarks" in " ".join(answer.stdout.split())
    assert only(compare(run(dataclasses.replace(request(CHOOSY, against=kept), globs=[])))).benchmark == SMALL


@pytest.mark.usefixtures("no_processes")
def test_where_nothing_can_be_frozen_that_is_refused_with_the_reason(tmp_path: Path) -> None:
    kept = tmp_path / "accepted.bench"
    with pytest.raises(BadInput, match="RuntimeError: no spikes today"):
        freeze(request(BROKEN, SMALL), kept)
    assert not kept.exists()


def test_a_strict_comparison_is_stored_as_such() -> None:
    assert [plan(request(GOOD, SMALL, strict=strict)).header["strict"] for strict in (False, True)] == [False, True]


@pytest.mark.usefixtures("no_processes")
def test_a_target_that_raises_is_told_with_its_traceback_and_costs_the_others_nothing() -> None:
    comparison = only(compare(run(request(BROKEN, SMALL, against=GOOD))))
    assert comparison.verdict.state == "not comparable"
    assert comparison.verdict.reason == "new: RuntimeError: no spikes today"
    assert "in spike" in comparison.error
    assert comparison.old is not None


FROZEN: list[bytes] = []
"""The artifact of one small benchmark, once it has been made."""


@pytest.fixture
def kept(tmp_path: Path, no_processes: None) -> str:
    """An artifact of one small benchmark."""
    path = tmp_path / "accepted.bench"
    if not FROZEN:
        freeze(request(GOOD, SMALL), str(path))
        FROZEN.append(path.read_bytes())
    path.write_bytes(FROZEN[0])
    return str(path)


def altered(path: str, program: bytes | None = None, **changes: Any) -> str:
    """The artifact with another manifest, or other programs."""
    other = f"{path}.altered"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        new.writestr("manifest.json", json.dumps({**json.loads(old.read("manifest.json")), **changes}))
        for name in old.namelist():
            if name != "manifest.json":
                new.writestr(name, old.read(name) if program is None else program)
    return other


def told(path: str) -> str:
    """Why nothing of the artifact is compared; the gate does not pass."""
    found = run(dataclasses.replace(request(GOOD, against=path), globs=[]))
    comparison = only(compare(found))
    assert (comparison.verdict.state, exit_code(found)) == ("not comparable", 3)
    return comparison.verdict.reason


def test_an_artifact_of_another_version_or_machine_is_not_comparable(kept: str) -> None:
    machine = json.loads(zipfile.ZipFile(kept).read("manifest.json"))["machine"]
    jax = {**machine["packages"], "jax": "0.9.9"}
    assert "was 0.9.9 when it was frozen" in told(altered(kept, machine={**machine, "packages": jax}))
    assert "processor" in told(altered(kept, machine={**machine, "processor": "another"}))


def test_an_artifact_of_other_parameters_or_another_protocol_is_not_comparable(kept: str) -> None:
    manifest = json.loads(zipfile.ZipFile(kept).read("manifest.json"))
    other = {**manifest["subject"], "parameters": [["alpha", 2.0]]}
    assert told(altered(kept, subject=other)) == "here parameters alpha=1, was alpha=2 when it was frozen"
    earlier = {**manifest["machine"], "protocol": 1}
    assert "measuring protocol" in told(altered(kept, machine=earlier))


def test_what_an_artifact_holds_decides_and_options_that_do_not_are_told(kept: str) -> None:
    laid = plan(dataclasses.replace(request(GOOD, against=kept), globs=[], large=True))
    assert "--large and --dtype decide nothing here: what the artifact holds is compared" in laid.header["remarks"]


def test_an_artifact_of_another_device_is_not_comparable(kept: str) -> None:
    assert "devices of jax cpu:0" in told(altered(kept, devices={"jax": [["gpu:0", "a GPU"]]}))


def test_without_flatbuffers_an_artifact_is_not_comparable_and_cannot_be_made(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "flatbuffers" else find(name))
    assert told(kept) == "flatbuffers is missing: pip install 'surrogate_core[freeze]'"
    with pytest.raises(BadInput, match="flatbuffers"):
        freeze(request(GOOD, SMALL), f"{kept}.again")


def test_a_frozen_benchmark_that_vanished_is_not_comparable(kept: str) -> None:
    manifest = json.loads(zipfile.ZipFile(kept).read("manifest.json"))
    (old,) = manifest["benchmarks"]
    gone = {**old, "workload": {**old["workload"], "size": 7}}
    name = SMALL.replace("1024", "7")
    changes = {"benchmarks": [gone], "counts": {name: manifest["counts"][SMALL]}}
    assert told(altered(kept, **changes)) == "this version has no such benchmark"


def test_a_frozen_program_that_cannot_be_brought_back_is_not_comparable(kept: str) -> None:
    assert told(altered(kept, program=b"garbage" * 100)).startswith("old: its program cannot be brought back")


@pytest.mark.parametrize("damage", ["cut", "text", "flipped", "no program", "counts", "list", "missing"])
def test_a_file_that_is_no_artifact_is_refused(damage: str, kept: str) -> None:
    path, whole = Path(kept), Path(kept).read_bytes()
    at = whole.find(b"programs/0") + 200
    content = {
        "cut": whole[: len(whole) // 2],
        "text": b"hello",
        "flipped": whole[:at] + bytes(b ^ 0xFF for b in whole[at : at + 4]) + whole[at + 4 :],
    }
    if damage in content:
        path.write_bytes(content[damage])
    elif damage == "counts":
        path = Path(altered(kept, counts=3))
    elif damage == "missing":
        path.unlink()
    else:
        with zipfile.ZipFile(kept) as old:
            manifest = old.read("manifest.json") if damage == "no program" else b"[1, 2]"
        with zipfile.ZipFile(kept, "w") as poor:
            poor.writestr("manifest.json", manifest)
    with pytest.raises(BadInput, match="no such file" if damage == "missing" else "artifact"):
        plan(request(GOOD, against=str(path)))


def test_an_artifact_of_another_schema_is_refused_with_what_is_missing(kept: str) -> None:
    with pytest.raises(BadInput, match="schema 99"):
        artifact.read(altered(kept, schema=99))
    with zipfile.ZipFile(f"{kept}.poor", "w") as poor:
        poor.writestr("manifest.json", json.dumps({"schema": artifact.SCHEMA}))
    with pytest.raises(BadInput, match="no subject, machine"):
        artifact.read(f"{kept}.poor")


@pytest.mark.usefixtures("no_processes")
def test_two_interpreters_that_import_the_same_file_are_told_so() -> None:
    laid = plan(request(GOOD, SMALL, against_python=sys.executable))
    assert any("surrogates.py: this compares it with itself" in remark for remark in laid.header["remarks"])


@pytest.mark.skipif(os.name != "posix", reason="the other interpreter is a shell script")
def test_two_interpreters_time_the_version_that_each_of_them_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder, factory in (("here", "slow"), ("there", "good")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "versioned.py").write_text(f"{HERE.read_text()}\n\nmade = {factory}\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path}/there:{ROOT} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.chdir(tmp_path / "here")
    laid = plan(request("versioned:made", BOTH, against_python=str(python)))
    assert not any("compares it with itself" in remark for remark in laid.header["remarks"])
    times: dict[str, float] = {}
    for interpreter, job in laid.jobs:
        (answer,) = processes.answers("measure", job.to_json(), interpreter)
        assert answer["errors"] == {}
        bare = np.median(answer["arms"][BARE]["seconds"])
        times |= {name: np.median(arm["seconds"]) / bare for name, arm in answer["arms"].items() if name != BARE}
    # Ten exponentials more, each of which waits for the one before it, beside one.
    assert times[NEW] > 2 * times[OLD]


def test_what_another_interpreter_has_installed_comes_before_the_working_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for other, expected in ((False, [str(tmp_path), "/installed"]), (True, ["/installed", str(tmp_path)])):
        monkeypatch.setattr(sys, "path", ["", "/installed"])
        worker.find_modules(other)
        assert sys.path == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": []}, "no target"),
        ({"targets": [GOOD, GOOD]}, "given twice"),
        ({"targets": [GOOD, SLOW], "against": GOOD}, "one target"),
        ({"against": GOOD, "against_python": "python3"}, "one of them"),
        ({"rule": Rule(processes=2)}, "3 processes or more"),
        ({"rule": Rule(rounds=0)}, "at least one round"),
        ({"rule": Rule(effect=float("nan"))}, "a share of the old time"),
        ({"rule": Rule(effect=-0.5)}, "a share of the old time"),
        ({"against": "braintools.Nope"}, "no such file, nor surrogate"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_before_anything_is_measured(changes: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        plan(dataclasses.replace(request(GOOD), **changes))


def test_a_target_that_no_chosen_benchmark_times_is_refused_and_not_left_out() -> None:
    with pytest.raises(BadInput, match=r"(?s)of torch.*begin with torch/"):
        plan(dataclasses.replace(request(GOOD, SMALL), targets=[GOOD, TORCH], framework="auto"))


def test_of_devices_of_one_make_the_first_is_timed_and_every_make_is() -> None:
    devices = [("cpu:0", "cpu"), ("gpu:0", "small"), ("gpu:1", "small"), ("gpu:2", "large")]
    assert first_of_each_kind(devices) == ["cpu:0", "gpu:0", "gpu:2"]


def test_a_process_that_dies_is_told_and_what_others_measured_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(what: str, asked: Any, interpreter: str = "") -> Iterator[dict[str, Any]]:
        if what == "probe":
            subject = {"target": GOOD, "framework": "jax", "parameters": [["alpha", 1.0]], "package": "", "version": ""}
            devices = {"jax": [["cpu:0", "cpu"]]}
            machine = {"processor": "", "cores": 2, "system": "", "python": "", "packages": {}}
            found = {"subjects": [subject], "targets": [target_to(locate(GOOD))], "devices": devices}
            yield {"kind": "probe", **found, "machine": machine, "origins": [GOOD]}
            return
        arms = {"seconds": [[1.0]], "compile_seconds": 0.0, "compilations": 0, "recompilations": 0, "counts": {}}
        first = asked["benchmarks"][0]["id"]
        yield {"kind": "sample", "benchmark": first, "arms": {GOOD: arms}, "errors": {}, "calls": 1}
        raise processes.Died("the measuring process ended with exit code -11:\nSegmentation fault")

    monkeypatch.setattr(processes, "answers", dying)
    monkeypatch.setattr(measure, "answers", dying)
    samples = run(request(GOOD, "forward/compiled/1/*", SMALL)).samples
    assert [bool(s.arms) for s in samples] == [True, False] * 3
    assert "Segmentation fault" in samples[1].errors[GOOD]


def test_a_process_that_times_computes_in_the_thread_that_calls_and_reads_no_cache_of_programs() -> None:
    ((_, job),) = plan(request(UNDELAYED, SMALL)).jobs
    (answer,) = processes.answers("measure", job.to_json())
    assert answer["errors"] == {}
    assert len(answer["arms"][UNDELAYED]["seconds"]) == 5


def test_another_interpreter_without_this_package_is_told_how_to_get_it(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(BadInput, match="no surrogate_core that can measure"):
        processes.probe({"targets": []}, str(bare))
    with pytest.raises(BadInput, match="No such file"):
        processes.probe({"targets": []}, str(tmp_path / "none"))
    with pytest.raises(BadInput, match="a Python in which the target can be imported"):
        processes.probe({"targets": []}, "/bin/false")


@pytest.mark.usefixtures("no_processes")
def test_the_command_shows_and_keeps_what_was_measured(tmp_path: Path) -> None:
    kept = tmp_path / "out.jsonl"
    asked = ["bench", GOOD, "--bench", SMALL, "--processes", "3", "--rounds", "3", "--results", str(kept)]
    answer = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    assert SMALL in answer.output
    assert "ratio to bare" in answer.output
    assert " s in 3 fresh processes: " in answer.output
    stored = read(kept)
    assert stored.complete
    assert {s.process for s in stored.samples} == {0, 1, 2}
