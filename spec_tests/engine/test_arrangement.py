from __future__ import annotations

import json
import random
from pathlib import Path

import surrogate_core
from surrogate_core import engine
from surrogate_core.report import html

OPTIONS = {
    "profile": "quick",
    "dtypes": ["float32", "float16"],
    "properties": ["gradient.peak", "gradient.symmetry", "forward.step"],
    "params": {"alpha": [1.7, 0.3]},
}


def test_results_are_told_in_the_order_of_the_plan_in_whatever_order_they_came(tmp_path: Path) -> None:
    stored = tmp_path / "stored.jsonl"
    report = surrogate_core.check(surrogate_core.SlayerGrad, "slayer", results=stored, **OPTIONS)
    planned = [unit.id for unit in engine.plan([surrogate_core.SlayerGrad], **OPTIONS).units]
    head, *lines, foot = stored.read_text().splitlines()
    assert [result.id for result in report.results] == planned
    shuffled = tmp_path / "shuffled.jsonl"
    random.Random(0).shuffle(lines)
    shuffled.write_text("\n".join([head, *lines, foot, ""]))
    assert [json.loads(line)["property"] for line in lines] != [r.property_id for r in report.results]
    assert [result.id for result in engine.read(shuffled).results] == planned
    for file in (stored, shuffled):
        html.write([engine.read(file)], file.with_suffix(".html"))
    assert stored.with_suffix(".html").read_bytes() == shuffled.with_suffix(".html").read_bytes()


def test_each_implementation_is_told_at_its_own_defaults_first() -> None:
    steep = {**OPTIONS, "params": {"alpha": [0.3, 1.7]}, "dtypes": ["float32"], "properties": ["gradient.peak"]}
    report = surrogate_core.check(surrogate_core.SlayerGrad, "slayer", **steep)
    (entry,) = report.run.header["implementations"]
    assert entry["grid"] == [{"alpha": 0.3}, {"alpha": 1.7}]
    # Another implementation of the run has begun with what is second here.
    head = {**report.run.header, "grid": [{"alpha": 1.7}, {"alpha": 0.3}]}
    assert [dict(r.parameters)["alpha"] for r in engine.arranged(head, report.results)] == [0.3, 1.7]


def test_what_the_header_does_not_know_comes_last_and_nothing_is_lost() -> None:
    (first, *more) = surrogate_core.check(surrogate_core.SlayerGrad, "slayer", **OPTIONS).results
    head = {
        "implementations": [],
        "devices": {},
        "properties": {more[0].property_id: ""},
        "dtypes": {"odd": 1},
        "grid": 3,
    }
    told = engine.arranged(head, [first, *more])
    assert {r.id for r in told} == {r.id for r in (first, *more)}
    assert told[0].property_id == more[0].property_id
