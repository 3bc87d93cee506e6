"""The proof counts what it says it counts."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from proof_gate import app, read, scores
from typer.testing import CliRunner

from surrogate_core.perf.calibrate import ARMS, OLD

Process = dict[str, dict[str, list[float]]]


def simulated(count: int, seed: int, paired: float = 0.013, between: float = 0.21) -> list[Process]:
    """Processes that differ by a fifth, and within which arms differ by one percent beside their slowdown."""
    random = np.random.default_rng(seed)
    found: list[Process] = []
    for _ in range(count):
        process: Process = {}
        for benchmark in ("a", "b", "c"):
            base = math.exp(between * random.standard_normal())
            arms = {OLD: 0.0, **{arm: math.log1p(s) + paired * random.standard_normal() for arm, s in ARMS.items()}}
            noise = {name: 0.002 * random.standard_normal(40) for name in arms}
            process[benchmark] = {name: (base * np.exp(at + noise[name])).tolist() for name, at in arms.items()}
        found.append(process)
    return found


def test_the_gate_and_the_rule_beside_it_are_told_apart(seed: int) -> None:
    found = {(s.rule, s.arm): s for s in scores(simulated(420, seed))}
    gate, mean = found["paired 7 x 20", "same"], found["mean:10%", "same"]
    assert (gate.flagged, gate.of) == (0, 60)
    assert mean.flagged / mean.of > 0.3
    caught = found["paired 7 x 20", "+10 %"]
    assert caught.flagged / caught.of > 0.95
    night = found["paired 10 x 40", "+5 %"]
    assert night.flagged / night.of > 0.7
    low, high = gate.bounds()
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 60))


def test_an_alarm_is_counted_once_for_its_family(seed: int) -> None:
    """Where the two arms are in truth not the same, the proof shows it."""
    shifted = simulated(28, seed)
    for process in shifted:
        for arms in process.values():
            arms["same"] = [1.2 * s for s in arms["same"]]
    found = {(s.rule, s.arm): s for s in scores(shifted)}
    assert (found["paired 7 x 20", "same"].flagged, found["paired 7 x 20", "same"].of) == (2, 2)


def test_what_is_on_disk_is_summed_up(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "proof.jsonl"
    head = {"kind": "proof", "condition": "quiet", "place": {"processor": "p", "jax": "0"}, "added": []}
    lines = [{"kind": "process", "process": i, "seconds": 6.0, "records": r} for i, r in enumerate(simulated(7, seed))]
    file.write_text("".join(json.dumps(line) + "\n" for line in (head, *lines)))
    assert len(read(file)[1]) == 7
    answer = CliRunner().invoke(app, ["summary", str(file)], catch_exceptions=False)
    assert answer.exit_code == 0
    assert "quiet: 7 processes" in answer.output
    assert "7 x 20 14.0" in answer.output
