from __future__ import annotations

import dataclasses

import pytest
from perf.handmade import A, B, gate, measured, sample

from surrogate_core.perf.cases import Benchmark
from surrogate_core.perf.store import BenchRun, Sample
from surrogate_core.perf.verdicts import Comparison, compare, exit_code, paired

NOISE = [1.0, 1.002, 0.999, 1.001]


def looks(benchmark: Benchmark, new: float, look: int = 1) -> list[Sample]:
    return [sample(benchmark, p, look, new=new * n, old=1.0) for p, n in enumerate(NOISE)]


def found(run: BenchRun) -> dict[str, Comparison]:
    return {c.benchmark: c for c in compare(run)}


def test_one_benchmark_may_regress_beside_another_that_does_not() -> None:
    run = gate(*looks(A, 1.2), *looks(B, 1.0), *looks(A, 1.2, look=2))
    assert {name: c.verdict.state for name, c in found(run).items()} == {A.id: "regressed", B.id: "no regression"}
    assert exit_code(run) == 4


def test_nothing_slower_exits_with_zero() -> None:
    assert exit_code(gate(*looks(A, 1.0), *looks(B, 0.9))) == 0


def test_an_unconfirmed_alarm_is_inconclusive() -> None:
    run = gate(*looks(A, 1.2), *looks(B, 1.0), *looks(A, 1.0, look=2))
    assert found(run)[A.id].verdict.state == "inconclusive"
    assert (exit_code(run), exit_code(run, strict=True)) == (0, 3)


def test_where_nothing_was_decided_the_gate_does_not_pass() -> None:
    noisy = [sample(b, p, new=n, old=1.0) for b in (A, B) for p, n in enumerate([0.8, 1.2, 1.1, 0.9])]
    assert exit_code(gate(*noisy)) == 3


def test_an_unfinished_gate_does_not_pass() -> None:
    assert exit_code(gate(*looks(A, 1.0), *looks(B, 1.0), complete=False)) == 3


def test_a_benchmark_that_vanished_is_not_comparable_and_the_gate_does_not_pass() -> None:
    run = gate(*looks(A, 1.0), *looks(B, 1.0), not_comparable={"gone": "no device cuda:0 here"})
    assert found(run)["gone"].verdict.reason == "no device cuda:0 here"
    assert exit_code(run) == 3


def test_a_benchmark_that_new_cannot_run_is_not_comparable_and_shows_why() -> None:
    boom = {"new": "Boom: no\nTraceback…"}
    failed = [dataclasses.replace(s, arms={"old": s.arms["old"]}, errors=boom) for s in looks(B, 1)]
    run = gate(*looks(A, 1.0), *failed)
    assert found(run)[B.id].verdict.reason == "new: Boom: no"
    assert found(run)[B.id].error.endswith("Traceback…")
    assert exit_code(run) == 3


@pytest.mark.parametrize("look", [1, 2])
def test_a_side_that_dies_in_some_processes_is_not_comparable_however_many_are_left(look: int) -> None:
    samples = [*looks(A, 1.2), *looks(A, 1.2, look=2)]
    dead = next(i for i, s in enumerate(samples) if s.look == look)
    samples[dead] = dataclasses.replace(samples[dead], arms={}, errors={"new": "the measuring process ended\n..."})
    run = gate(*looks(B, 1.0), *samples)
    assert found(run)[A.id].verdict.state == "not comparable"
    assert found(run)[A.id].verdict.reason == "new: the measuring process ended (in 1 of 4 processes)"
    assert exit_code(run) == 3


def test_two_processes_are_too_few() -> None:
    run = gate(*looks(A, 1.0), *looks(B, 1.0)[:2])
    assert found(run)[B.id].verdict.reason == "measured in 2 of 4 processes"


def test_a_run_with_nothing_in_it_does_not_pass() -> None:
    assert exit_code(gate(benchmarks=[])) == 3


def test_between_interpreters_each_side_is_taken_relative_to_its_own_bare_operation() -> None:
    """The second process was disturbed as a whole, and so was its bare operation."""
    here = [sample(A, p, new=1.1 * n, bare=0.5 * n) for p, n in enumerate([1, 2, 1])]
    there = [sample(A, p, old=1.0 * n, bare=0.5 * n) for p, n in enumerate([1, 1, 3])]
    assert paired((*here, *there)) == pytest.approx([0.09531] * 3, abs=1e-4)


def test_a_process_whose_other_side_is_missing_counts_for_nothing() -> None:
    assert len(paired((sample(A, 0, new=1.0, bare=1.0), sample(A, 1, old=1.0, bare=1.0)))) == 0


def test_counts_that_differ_are_named() -> None:
    twice = [dataclasses.replace(s, arms={**s.arms, "new": measured(1.0, {"traced exp": 2.0})}) for s in looks(A, 1)]
    assert found(gate(*twice, *looks(B, 1)))[A.id].evidence == ("exp evaluated twice, was once",)


def test_programs_compiled_are_named_but_not_beside_what_is_frozen_and_never_traced_again() -> None:
    more = [{**s.arms, "new": dataclasses.replace(measured(1.0), compilations=2)} for s in looks(A, 1)]
    run = gate(*(dataclasses.replace(s, arms=arms) for s, arms in zip(looks(A, 1), more, strict=True)), *looks(B, 1))
    assert found(run)[A.id].evidence == ("programs compiled to make it ready: 2, was 1",)
    frozen = dataclasses.replace(run, header={**run.header, "against": {"kind": "artifact", "subject": {}}})
    assert found(frozen)[A.id].evidence == ()


def test_counts_of_different_versions_are_not_compared() -> None:
    twice = [dataclasses.replace(s, arms={**s.arms, "new": measured(1.0, {"traced exp": 2.0})}) for s in looks(A, 1)]
    assert found(gate(*twice, *looks(B, 1), same_versions=False))[A.id].evidence is None
