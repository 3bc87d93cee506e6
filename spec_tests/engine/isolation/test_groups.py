"""Surrogates of one library are judged in groups of four; those of one spec stay together, the largest come first."""

from __future__ import annotations

from surrogate_core.engine import plan
from surrogate_core.engine.facts import Facts
from surrogate_core.engine.isolation.groups import groups
from surrogate_core.engine.plan import Unit
from surrogate_core.engine.where import _shared  # pyright: ignore[reportPrivateUsage]

PAIRS = ["braintools.SlayerGrad", "braintools.slayer_grad", "braintools.ReluGrad", "braintools.relu_grad"]
ALONE = ["braintools.Sigmoid", "spyx.superspike"]


def planned(*names: str) -> dict[str, list[Unit]]:
    """The units of each; nothing is imported."""
    found: dict[str, list[Unit]] = {name: [] for name in names}
    ask = [Facts("jax", (("cpu:0", "cpu"),))] * len(names)
    for unit in plan(names, profile="quick", survey=True, ask=lambda asked: ask).units:
        found[unit.implementation.name].append(unit)
    return found


def grouped(*names: str, jobs: int = 1) -> list[tuple[str, ...]]:
    return groups(planned(*names), _shared(names), jobs)


def test_surrogates_of_a_library_are_a_group_and_those_with_most_to_judge_come_first() -> None:
    relu, slayer = tuple(PAIRS[2:]), tuple(PAIRS[:2])  # of two parameters, whose values are more, and of one
    assert grouped(*PAIRS) == [relu + slayer]


def test_a_group_has_room_for_four_and_a_family_stays_together() -> None:
    assert grouped(ALONE[0], *PAIRS) == [(*PAIRS[2:], *PAIRS[:2]), (ALONE[0],)]
    three = ["braintools.Arctan", "braintools.arctan", ALONE[0], *PAIRS[:2]]
    assert sorted(map(len, grouped(*three))) == [1, 4]
    assert all((first in group) == (second in group) for group in grouped(*three) for first, second in [PAIRS[:2]])


def test_there_are_as_many_groups_as_jobs_where_there_are_so_many_families() -> None:
    assert sorted(map(sorted, grouped(*PAIRS, jobs=2))) == sorted([sorted(PAIRS[:2]), sorted(PAIRS[2:])])
    assert len(grouped(*PAIRS, jobs=4)) == 2


def test_other_libraries_and_what_is_shared_by_nobody_are_apart() -> None:
    assert sorted(grouped(*PAIRS, ALONE[1])) == sorted([(*PAIRS[2:], *PAIRS[:2]), (ALONE[1],)])
    batches = planned(*PAIRS)
    assert sorted(groups(batches, {}, 1)) == sorted((name,) for name in PAIRS)


def test_who_is_judged_with_whom_is_the_same_in_whatever_order_they_are_named() -> None:
    pairs = ["Arctan", "arctan", "ERF", "erf", "SoftSign", "soft_sign"]  # as much to judge for each of them
    names = [*PAIRS, ALONE[0], *(f"braintools.{name}" for name in pairs)]
    one, other = grouped(*names), grouped(*reversed(names))
    assert {frozenset(group) for group in one} == {frozenset(group) for group in other}
