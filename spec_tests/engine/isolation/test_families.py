"""Surrogates of one library and one spec are a family: derived for once, and begun one after another."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Sequence

import pytest

from surrogate_core.engine import plan
from surrogate_core.engine.facts import Facts
from surrogate_core.engine.isolation.branch import _derive  # pyright: ignore[reportPrivateUsage]  (costs no process)
from surrogate_core.engine.isolation.families import Turns, families, in_turns
from surrogate_core.engine.plan import Unit
from surrogate_core.engine.where import _shared  # pyright: ignore[reportPrivateUsage]
from surrogate_core.spec.sweep import sweep

PAIRS = ["braintools.SlayerGrad", "braintools.slayer_grad", "braintools.ReluGrad", "braintools.relu_grad"]
ALONE = ["braintools.Sigmoid", "spyx.superspike"]


def planned(*names: str) -> dict[str, list[Unit]]:
    """The units of each; nothing is imported."""
    found: dict[str, list[Unit]] = {name: [] for name in names}
    ask = [Facts("jax", (("cpu:0", "cpu"),))] * len(names)
    for unit in plan(names, profile="quick", survey=True, ask=lambda asked: ask).units:
        found[unit.implementation.name].append(unit)
    return found


def members(*names: str) -> list[Sequence[str]]:
    return [*dict.fromkeys(f.members for f in families(planned(*names), _shared(names)).values())]


def test_a_class_and_its_function_are_a_family() -> None:
    assert members(*PAIRS, *ALONE) == [tuple(PAIRS[:2]), tuple(PAIRS[2:])]


def test_another_library_with_the_same_spec_is_none_of_it() -> None:
    assert members("braintools.Sigmoid", "spikingjelly.Sigmoid") == []


def test_those_of_a_family_are_begun_one_after_another_and_the_largest_first() -> None:
    batches = planned(*PAIRS, *ALONE)
    known = families(batches, _shared([*batches]))
    order = in_turns(batches, known, 2)
    assert sorted(order) == sorted(batches)
    assert order[:2] == PAIRS[2:]  # of two parameters, whose values are more
    assert in_turns(batches, known, 1) == [*batches]


def test_those_of_a_family_are_not_judged_beside_each_other_while_there_is_anybody_else() -> None:
    batches = planned(*PAIRS, ALONE[0])
    turns = Turns([*PAIRS, ALONE[0]], families(batches, _shared([*batches])))
    with turns.one() as first, turns.one() as second:
        assert (first, second) == (PAIRS[0], PAIRS[2])
        with turns.one() as third, turns.one() as last_free:
            assert third == ALONE[0]
            assert last_free == PAIRS[1]  # nobody else is left
        with turns.one() as last:
            assert last == PAIRS[3]
    with pytest.raises(IndexError), turns.one():
        pass


def test_after_one_of_a_family_the_next_comes() -> None:
    turns = Turns(PAIRS, families(planned(*PAIRS), _shared(PAIRS)))
    with turns.one():
        pass
    with turns.one() as name:
        assert name == PAIRS[1]


def test_what_cannot_be_derived_keeps_nothing_else_from_it() -> None:
    cases = [*{id(unit.case): unit.case for unit in planned(PAIRS[0])[PAIRS[0]]}.values()]
    sweep.cache_clear()
    with tempfile.TemporaryFile() as file:
        pickle.dump([_Broken(), *cases], file)
        file.seek(0)
        _derive(os.dup(file.fileno()))
    misses = sweep.cache_info().misses
    assert misses == len(cases)
    assert all(case.sweep.x.size for case in cases)
    assert sweep.cache_info().misses == misses  # derived for a case that was unpickled, and found for an equal one


class _Broken:
    """A case whose expectation cannot be derived."""

    @property
    def sweep(self) -> None:
        raise ZeroDivisionError
