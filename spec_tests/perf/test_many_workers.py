"""The model of many workers."""

from __future__ import annotations

import many_workers
import pytest
from many_workers import Done, Measured, foretold, typical

PROOF, CASE = ("jax", "proof"), ("jax", "case")


def test_tasks_are_dealt_to_whoever_is_free() -> None:
    assert foretold([4.0, 3.0, 2.0, 1.0], 1, 0.0) == 10.0
    assert foretold([4.0, 3.0, 2.0, 1.0], 2, 0.0) == 5.0
    assert foretold([4.0, 1.0, 1.0, 1.0], 2, 0.0) == 4.0  # the longest keeps one busy
    assert foretold([1.0] * 100, 100, 0.5) == 1.5


def test_a_task_is_as_long_as_those_of_its_kind_and_as_large_for_each_of_its_results() -> None:
    done = (Done(PROOF, 4.0, 160, 320, 16, 1600), Done(PROOF, 6.0, 160, 320, 16, 1600), Done(CASE, 9.0, 1, 1, 1, 1))
    one = Measured(1, 19.0, done)
    assert typical(one, PROOF, 8) == Done(PROOF, 5.0, 80, 160, 8, 800)


def test_the_fixed_work_has_proofs_and_cases_of_both_frameworks() -> None:
    pytest.importorskip("torch")
    found = [many_workers.kind(task) for task in many_workers.fixed()]
    assert set(found) == {PROOF, CASE, ("torch", "proof"), ("torch", "case")}
    assert found.count(PROOF) == 8
    assert found.count(("torch", "proof")) == 2
