from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from handmade import SLAYER

from surrogate_core.engine import Run, Writer, header, plan, read
from surrogate_core.engine.ledger import account
from surrogate_core.engine.result import Result, to_json
from surrogate_core.engine.store import SCHEMA
from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import Errored, Failed, Outcome, Passed, Skipped, Unsupported
from surrogate_core.slayer import SlayerGrad

FAILURE = Failed("x = 0 (0x0)", "2", "1 ± 0.1", float("inf"), {"wrong": 3}, script="print('×')\n")
ODD = "naïve ± × 🙂 \x85 \u2028 \ud800 \x00 \n end"


def results(*outcomes: Outcome) -> list[Result]:
    return [Result("it", f"p{i}", "float32", "cpu:0", (("a", 0.5),), o, 0.25, 1) for i, o in enumerate(outcomes)]


THREE = results(Passed({"inputs": 7}, ("±0 remarked",)), FAILURE, Unsupported("forward mode"))


def _implementation(name: str, planned: int, spec: str = "curve") -> dict[str, Any]:
    return {"name": name, "spec": spec, "framework": "jax", "package": "", "version": "", "planned": planned}


def head(planned: int) -> dict[str, Any]:
    spec = dict.fromkeys(("title", "source", "gradient", "forward"), "") | {"claims": []}
    return {
        "kind": "header",
        "schema": SCHEMA,
        "planned": planned,
        "specs": {"curve": spec},
        "properties": {},
        "implementations": [_implementation("it", planned)],
        "environment": {"python": "", "platform": "", "packages": {}},
        "devices": {},
        "absent": {},
        "profile": "quick",
        "seed": 0,
        "started": "2026-01-01T00:00:00Z",
    }


def write(path: Path, found: list[Result], planned: int | None = None, finish: bool = True) -> Path:
    writer = Writer(path, head(len(found) if planned is None else planned))
    for result in found:
        writer.add(result)
    if finish:
        writer.finish()
    writer.close()
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    run = read(write(tmp_path / "new" / "folder" / "run.jsonl", THREE))
    assert run.results == tuple(THREE)
    assert run.header == head(3)
    assert run.complete
    assert run.objections == ()
    assert run.of("it") == run.results
    assert run.of("other") == ()


@pytest.mark.parametrize("outcome", [Errored(ODD, ODD, ODD), Failed(ODD, ODD, ODD), Passed({ODD: ODD}, (ODD,))])
def test_odd_characters_are_read_as_they_were_written(tmp_path: Path, outcome: Outcome) -> None:
    assert read(write(tmp_path / "run.jsonl", results(outcome))).results[0].outcome == outcome


def test_every_line_is_on_disk_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    writer = Writer(path, head(3))
    for count, result in enumerate(THREE, start=1):
        writer.add(result)
        run = read(path)
        assert len(run.results) == count
        assert not run.complete
    writer.close()


def test_a_file_cut_at_any_byte_is_incomplete_or_refused_and_never_another_exception(tmp_path: Path) -> None:
    whole, cut = write(tmp_path / "whole.jsonl", THREE).read_bytes(), tmp_path / "cut.jsonl"
    kept: list[int] = []
    first_line = whole.index(b"\n")
    for size in range(len(whole)):
        cut.write_bytes(whole[:size])
        if size < first_line:
            with pytest.raises(BadInput, match=r"cut\.jsonl, line 1: (no header|not JSON)\n"):
                read(cut)
            continue
        run = read(cut)
        assert run.complete == (size == len(whole) - 1)  # only the last line break is missing
        assert run.exit_code == (1 if run.complete else 3)
        assert run.results == tuple(THREE[: len(run.results)])
        kept.append(len(run.results))
    assert kept == sorted(kept)
    assert set(kept) == {0, 1, 2, 3}


def test_a_run_without_its_footer_says_so_and_exits_with_3(tmp_path: Path) -> None:
    run = read(write(tmp_path / "run.jsonl", results(Passed()), finish=False))
    assert run.objections == ("the run was not finished: its footer is missing",)
    assert not run.conforms
    assert run.exit_code == 3


@pytest.mark.parametrize(
    ("outcomes", "planned", "code"),
    [
        ((Passed(), Passed()), 2, 0),
        ((Passed(), Unsupported("x")), 2, 0),
        ((Passed(), FAILURE), 2, 1),
        ((Passed(), Errored("x")), 2, 1),
        ((Skipped("x"),), 1, 3),
        ((Passed(),), 2, 3),
        ((Passed(), FAILURE), 3, 3),
        ((), 0, 3),
    ],
)
def test_the_exit_code_follows_from_the_ledger(tmp_path: Path, outcomes: Any, planned: int, code: int) -> None:
    run = read(write(tmp_path / "run.jsonl", results(*outcomes), planned))
    assert run.exit_code == code
    assert run.conforms == (code == 0)


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


def changed(line: str, **changes: Any) -> str:
    return json.dumps({**json.loads(line), **changes})


def broken_files(lines: list[str]) -> Iterator[tuple[list[str], str]]:
    """Each with what the message must say."""
    yield [], "line 1: no header"
    yield lines[1:], "line 1: no header"
    yield ["hello", *lines[1:]], "line 1: not JSON"
    yield ["[1]", *lines[1:]], "line 1: not a JSON object"
    yield [changed(lines[0], planned="3"), *lines[1:]], "line 1: a header without 'planned'"
    yield [lines[0], lines[1][:-5], *lines[2:]], "line 2: not JSON"
    yield [lines[0], changed(lines[1], seconds=None), *lines[2:]], "line 2: not a result (TypeError"
    yield [lines[0], changed(lines[1], outcome={"state": "odd"}), *lines[2:]], "line 2: not a result (KeyError"
    yield [lines[0], changed(lines[1], parameters=[1]), *lines[2:]], "line 2: not a result (AttributeError"
    yield [lines[0], changed(lines[1], outcome=3), *lines[2:]], "line 2: not a result (TypeError"
    yield [*lines, lines[1]], "line 6: something after the footer"
    yield [*lines, lines[-1]], "line 6: something after the footer"
    yield [*lines[:2], *lines[3:]], "line 4: the footer's counts are not those of the results"
    yield [*lines[:-1], changed(lines[-1], counts={"passed": 99})], "line 5: the footer's counts are not"
    yield [*lines[:-1], changed(lines[-1], counts=None)], "line 5: the footer's counts are not"
    yield [*lines[:-1], changed(lines[-1], counts=[1])], "line 5: the footer's counts are not"


def test_a_file_that_was_tampered_with_is_refused_with_its_line(tmp_path: Path) -> None:
    lines, path = lines_of(write(tmp_path / "whole.jsonl", THREE)), tmp_path / "broken.jsonl"
    for broken, message in broken_files(lines):
        path.write_text("".join(line + "\n" for line in broken))
        with pytest.raises(BadInput) as caught:
            read(path)
        assert message in caught.value.given
        assert str(path) in caught.value.given


def test_a_file_of_a_newer_schema_names_both(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", THREE)
    lines = lines_of(path)
    path.write_text("\n".join([changed(lines[0], schema=SCHEMA + 1), *lines[1:]]) + "\n")
    with pytest.raises(BadInput, match=rf"of schema {SCHEMA + 1}\n.*schema {SCHEMA}\n.*version of surrogate_core that"):
        read(path)


def test_what_is_no_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    for name in ("picture.png", "missing.jsonl", "."):
        with pytest.raises(BadInput, match=r"results file .*\n.*written with --results\n.*check the path"):
            read(tmp_path / name)


def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "run.jsonl"):
        with pytest.raises(BadInput, match=r"results file .*\n.*a path that can be written"):
            Writer(path, head(0))


def test_the_header_says_what_was_asked_of_whom_and_where() -> None:
    planned = plan([SlayerGrad], SLAYER, params={"alpha": [0.5]}, profile="quick", seed=5, framework="jax")
    found = header(planned)
    assert (found["kind"], found["schema"], found["profile"], found["seed"]) == ("header", SCHEMA, "quick", 5)
    assert found["planned"] == len(planned.units)
    assert found["specs"]["slayer"]["gradient"] == "exp(-alpha*Abs(x))"
    assert found["specs"]["slayer"]["claims"] == [claim.sentence() for claim in SLAYER.claims]
    (implementation,) = found["implementations"]
    assert (implementation["spec"], implementation["planned"]) == ("slayer", found["planned"])
    assert implementation["name"] == "surrogate_core.slayer:SlayerGrad"
    assert implementation["package"] == "surrogate_core"
    assert implementation["version"] == found["environment"]["packages"]["surrogate_core"]
    assert ["cpu:0", "cpu"] in found["devices"]["jax"]
    assert set(found["absent"]) == {"jax"}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_run_in_memory_and_its_file_are_the_same(tmp_path: Path) -> None:
    run = Run(head(3), tuple(THREE), complete=True)
    assert run.ledger == account(3, THREE) == read(write(tmp_path / "run.jsonl", THREE)).ledger
    assert [to_json(r) for r in run.results] == [to_json(r) for r in THREE]


def test_a_run_of_several_specs_falls_into_a_run_for_each() -> None:
    mine = [Result(name, "p", "float32", "cpu:0", (), Passed(), 0.25, 1) for name in ("a", "b", "c")]
    specs = {"one": head(0)["specs"]["curve"], "two": head(0)["specs"]["curve"]}
    entries = [_implementation(name, 1, spec) for name, spec in (("a", "one"), ("b", "two"), ("c", "one"))]
    whole = Run(head(3) | {"specs": specs, "implementations": entries}, tuple(mine), complete=True)
    first, second = whole.by_spec()
    assert (list(first.header["specs"]), list(second.header["specs"])) == (["one"], ["two"])
    assert ([r.implementation for r in first.results], [r.implementation for r in second.results]) == (
        ["a", "c"],
        ["b"],
    )
    assert (first.ledger.planned, second.ledger.planned) == (2, 1)
    assert first.conforms
    assert second.conforms


def test_a_header_whose_implementation_declares_an_unknown_spec_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(head(0) | {"implementations": [_implementation("it", 0, "other")]}) + "\n")
    with pytest.raises(BadInput, match="line 1: a header whose 'specs' lack 'other', which it declares"):
        read(path)


@pytest.mark.parametrize("key", ["specs", "properties", "implementations", "environment", "devices", "seed", "planned"])
def test_a_header_without_what_a_report_reads_is_refused(tmp_path: Path, key: str) -> None:
    path = tmp_path / "r.jsonl"
    broken = head(0)
    del broken[key]
    path.write_text(json.dumps(broken) + "\n")
    with pytest.raises(BadInput, match=f"line 1: a header without '{key}'"):
        read(path)
    path.write_text(json.dumps(head(0) | {"implementations": [7]}) + "\n")
    with pytest.raises(BadInput, match="line 1: a header whose 'implementations' lacks one of name"):
        read(path)
