"""Surrogates of one library are judged in groups of about four; those of one spec stay together, the largest first."""

from __future__ import annotations

import pickle

import pytest

import surrogate_core
from surrogate_core.engine import plan
from surrogate_core.engine.facts import Facts
from surrogate_core.engine.isolation import available
from surrogate_core.engine.isolation.groups import groups
from surrogate_core.engine.isolation.pool import Pool
from surrogate_core.engine.plan import Unit
from surrogate_core.engine.where import _shared  # pyright: ignore[reportPrivateUsage]
from surrogate_core.spec.sweep import sweep

PAIRS = ["braintools.SlayerGrad", "braintools.slayer_grad", "braintools.ReluGrad", "braintools.relu_grad"]


def planned(*names: str) -> dict[str, list[Unit]]:
    """The units of each; nothing is imported."""
    found: dict[str, list[Unit]] = {name: [] for name in names}
    ask = [Facts("jax", (("cpu:0", "cpu"),))] * len(names)
    for unit in plan(names, profile="quick", survey=True, ask=lambda asked: ask).units:
        found[unit.implementation.name].append(unit)
    return found


def grouped(*names: str, jobs: int = 1) -> list[tuple[str, ...]]:
    return groups(planned(*names), _shared(names), jobs)


def braintools(*names: str) -> list[str]:
    return [f"braintools.{name}" for name in names]


MANY = [*PAIRS, *braintools("Arctan", "arctan", "ERF", "erf", "SoftSign", "soft_sign", "Sigmoid", "sigmoid")]


def test_surrogates_of_a_library_are_a_group_and_those_with_most_to_judge_come_first() -> None:
    relu, slayer = tuple(PAIRS[2:]), tuple(PAIRS[:2])  # of two parameters, whose values are more, and of one
    assert grouped(*MANY)[0] == relu + slayer


def test_a_group_is_full_with_four_and_towards_the_end_with_fewer_and_a_family_stays_together() -> None:
    assert [*map(len, grouped(*MANY))] == [4, 4, 2, 2]
    assert [*map(len, grouped(*MANY, jobs=2))] == [2] * 6
    for group in grouped(*MANY, jobs=2):
        assert len({name.replace("_", "").lower() for name in group}) == len(group) / 2


def test_where_there_is_a_worker_for_everybody_everybody_has_one() -> None:
    assert sorted(grouped(*PAIRS, jobs=4)) == sorted((name,) for name in PAIRS)


def test_other_libraries_and_what_is_shared_by_nobody_are_apart() -> None:
    assert ("spyx.superspike",) in grouped(*MANY, "spyx.superspike")
    assert sorted(groups(planned(*PAIRS), {}, 1)) == sorted((name,) for name in PAIRS)


def test_who_is_judged_with_whom_is_the_same_in_whatever_order_they_are_named() -> None:
    assert grouped(*MANY, jobs=2) == grouped(*reversed(MANY), jobs=2)


def test_what_is_expected_of_a_class_is_found_again_for_its_function() -> None:
    batches = planned(*PAIRS[:2])
    sweep.cache_clear()
    for name in PAIRS[:2]:
        for case in {id(unit.case): pickle.loads(pickle.dumps(unit.case)) for unit in batches[name]}.values():
            assert case.sweep.x.size
    found = sweep.cache_info()
    assert found.hits >= found.misses == len({unit.case for unit in batches[PAIRS[0]]})


@pytest.mark.skipif(not available(), reason="processes are isolated on Linux alone")
@pytest.mark.parametrize(("memory", "workers"), [(None, 1), (16_384, 2)])
def test_a_group_has_one_worker_and_with_a_limit_of_memory_everybody_has_one(
    monkeypatch: pytest.MonkeyPatch, memory: int | None, workers: int
) -> None:
    pytest.importorskip("braintools", reason="braintools is missing: pip install 'surrogate_core[braintools]'")
    started: list[str] = []
    start = Pool._start  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(Pool, "_start", lambda pool, name: started.append(name) or start(pool, name))
    names = braintools("SlayerGrad", "slayer_grad")
    report = surrogate_core.check(
        names, profile="quick", properties=["forward.dtype"], dtypes=["float32"], memory=memory
    )
    assert {r.implementation for r in report.results} == set(names)
    assert len(started) == 1 + workers  # one for all of them had been asked what has to be known before
