from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handmade import Paper, case, found_on_paper
from hypothesis import strategies as st

from surrogate_core.drivers import Request
from surrogate_core.engine.search import STEPS
from surrogate_core.properties import Case, Search
from surrogate_core.properties.base import EAGER, Requests
from surrogate_core.properties.outcome import Errored, Failed, Outcome, Passed, Unsupported

Judge = Callable[[Any], Outcome]
Simpler = Callable[[Any], Iterable[Any]]


def observe(where: Case, example: Any) -> Requests:
    # Equal examples share their answers, as they do on the bench.
    values = np.array(example, np.float64).reshape(-1)
    return {"plain": Request("value", values), "another": Request("value", values, instance=f"i{example}")}


def unused(*_: Any) -> Outcome:
    raise AssertionError("the engine settles what a search has observed")


def searched(
    judge: Judge,
    examples: st.SearchStrategy[Any] | None = None,
    effort: int = 50,
    shrinks: int = 60,
    simpler: Simpler = lambda example: (),
    first: Any = None,
    **where: Any,
) -> tuple[Outcome, Paper]:
    """The outcome of a search whose examples ``judge`` settles, and the bench it was done on."""
    drawn = examples if examples is not None else st.integers(0, 10_000)
    said, profiles = "Toys are sound.", {"quick": effort}
    judged = Search("toy.search", said, lambda where: drawn, observe, unused, profiles, unused, shrinks, simpler)
    return found_on_paper(judged, case(**where), lambda example, requests: judge(example), first)


def failing(example: Any) -> Failed:
    return Failed(given=f"example {example}", measured="wrong", allowed="right", figures={"of its own": 3})


def test_a_failing_example_is_shrunk_to_the_smallest() -> None:
    outcome, _ = searched(lambda example: failing(example) if example >= 37 else Passed())
    assert isinstance(outcome, Failed)
    assert outcome.given == "example 37"


def test_a_failing_structure_is_shrunk_to_the_fewest_parts() -> None:
    stacks = st.lists(st.sampled_from(["jit", "vmap", "scan", "cond"]), max_size=6).map(tuple)
    numbers = stacks.map(lambda s: tuple(float(len(name)) for name in s))
    outcome, _ = searched(lambda s: failing(s) if s.count(3.0) >= 1 and 4.0 in s else Passed(), numbers, effort=200)
    assert isinstance(outcome, Failed)
    assert outcome.given in ("example (3.0, 4.0)", "example (4.0, 3.0)")


def test_the_figures_of_the_examples_add_up() -> None:
    outcome, bench = searched(lambda example: Passed({"calls": 2, "odd": example % 2, "said": "so", "share": 0.5}))
    assert isinstance(outcome, Passed)
    assert outcome.figures == {
        "examples": len(bench.evaluated),
        "seed": 0,
        "calls": 2 * len(bench.evaluated),
        "odd": sum(example % 2 for example in bench.evaluated),
    }
    assert len(bench.evaluated) == 50


def test_a_failure_keeps_its_figures_and_counts_the_examples_before_it() -> None:
    outcome, bench = searched(lambda example: failing(example) if example > 5000 else Passed({"calls": 1}))
    assert isinstance(outcome, Failed)
    before = outcome.figures["examples"]
    assert outcome.figures == {"of its own": 3, "examples": before, "seed": 0, "calls": before - 1}
    assert not any(example > 5000 for example in bench.evaluated[: before - 1])
    assert bench.evaluated[before - 1] > 5000


def test_remarks_are_told_once() -> None:
    outcome, _ = searched(lambda example: Passed({}, ("small",) if example < 9000 else ("large",)))
    assert isinstance(outcome, Passed)
    assert sorted(outcome.remarks) == ["large", "small"]


@pytest.mark.parametrize("shrinks", [0, 1, 5])
def test_shrinking_stops_asking_for_evaluations_when_its_budget_is_spent(shrinks: int) -> None:
    wide = st.lists(st.integers(0, 1000), min_size=1, max_size=20).map(tuple)
    outcome, bench = searched(lambda example: failing(example) if sum(example) > 100 else Passed(), wide, 50, shrinks)
    assert isinstance(outcome, Failed)
    assert len(bench.evaluated) <= outcome.figures["examples"] + shrinks
    # What is told has been evaluated, all the same.
    assert outcome.given in {f"example {example}" for example in bench.evaluated}


def test_a_larger_budget_finds_a_smaller_example() -> None:
    wide = st.lists(st.integers(0, 1000), min_size=1, max_size=20).map(tuple)
    sizes = []
    for shrinks in (0, 10, 400):
        outcome, bench = searched(lambda s: failing(s) if sum(s) > 3000 else Passed(), wide, 50, shrinks)
        assert isinstance(outcome, Failed)
        (told,) = (example for example in bench.evaluated if outcome.given == f"example {example}")
        sizes.append((len(told), sum(told)))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]


def test_what_is_unsupported_everywhere_is_unsupported_and_says_each_reason_once() -> None:
    outcome, _ = searched(lambda example: Unsupported("forward mode" if example < 5000 else "batching"))
    assert isinstance(outcome, Unsupported)
    assert sorted(outcome.capability.split("; ")) == ["batching", "forward mode"]


@pytest.mark.parametrize("figures", [{}, {"calls": 1}])
def test_what_is_unsupported_here_and_there_is_judged_elsewhere(figures: dict[str, int]) -> None:
    outcome, _ = searched(lambda example: Unsupported("x") if example % 2 else Passed(figures))
    assert isinstance(outcome, Passed)


def test_a_failure_weighs_more_than_what_is_unsupported() -> None:
    outcome, _ = searched(lambda example: failing(example) if example > 500 else Unsupported("x"))
    assert isinstance(outcome, Failed)
    assert outcome.given == "example 501"


def test_an_errored_example_is_shrunk_and_told_like_a_failing_one() -> None:
    outcome, _ = searched(lambda example: Errored(f"ValueError: {example}") if example >= 12 else Passed())
    assert outcome == Errored("ValueError: 12", example="12")


def test_the_same_seed_draws_the_same_examples_and_another_draws_others() -> None:
    first, again, other = (searched(lambda example: Passed(), seed=seed)[1].evaluated for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_what_is_drawn_does_not_depend_on_the_local_modules_that_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn() -> list[int]:
        _, bench = searched(lambda example: Passed(), st.integers(0, 10**9), effort=200)
        return bench.evaluated

    before = drawn()
    (tmp_path / "local_constants.py").write_text(f"known = {list(range(123_456_000, 123_456_200))}\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("local_constants")
    assert drawn() == before
    assert not {*range(123_456_000, 123_456_200)} & {*before}


def test_eager_frameworks_get_more_examples() -> None:
    for framework, factor in (("jax", 1), ("torch", EAGER)):
        outcome, _ = searched(lambda example: Passed(), effort=7, framework=framework)
        assert isinstance(outcome, Passed)
        assert outcome.figures["examples"] == 7 * factor


def test_the_instances_of_every_example_are_forgotten_the_failing_ones_too() -> None:
    outcome, bench = searched(lambda example: failing(example) if example > 900 else Passed())
    assert isinstance(outcome, Failed)
    assert all(len(instances) == 1 for instances in bench.forgotten)
    assert {f"i{example}" for example in bench.evaluated} == set().union(*bench.forgotten)


def test_an_exception_of_our_own_comes_through() -> None:
    def mistaken(example: Any) -> Outcome:
        raise KeyError("a mistake in a judge")

    with pytest.raises(KeyError, match="a mistake in a judge"):
        searched(mistaken)


def test_a_search_leaves_no_trace_in_the_working_folder(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    searched(lambda example: failing(example) if example > 900 else Passed())
    assert list(tmp_path.iterdir()) == []


def test_the_smallest_example_that_is_known_to_fail_is_told_again() -> None:
    # Only ever the last outcome noted may be told: it is the one of the example that Hypothesis replays.
    told: list[Failed] = []

    def judge(example: Any) -> Outcome:
        if example < 37:
            return Passed()
        told.append(failing(example))
        return told[-1]

    outcome, _ = searched(judge)
    assert isinstance(outcome, Failed)
    assert outcome == replace(told[-1], figures=outcome.figures, example="37")


def cut(example: int) -> Iterable[int]:
    """Five less, one less: below what is drawn, too, where Hypothesis does not go."""
    return (example - 5, example - 1)


def hundreds() -> st.SearchStrategy[int]:
    """Of which Hypothesis ends with 100 at the best."""
    return st.integers(100, 200)


def test_what_hypothesis_ends_with_is_cut_down_by_what_the_property_calls_simpler() -> None:
    outcome, bench = searched(lambda n: failing(n) if n >= 37 else Passed(), hundreds(), simpler=cut)
    assert isinstance(outcome, Failed)
    assert (outcome.given, outcome.example) == ("example 37", "37")
    assert outcome.figures["examples"] == 1
    assert bench.evaluated[-1] == 36
    assert {f"i{example}" for example in bench.evaluated} == set().union(*bench.forgotten)


def test_an_error_is_cut_down_to_the_simplest_error() -> None:
    outcome, _ = searched(lambda n: Errored(f"ValueError: {n}") if n >= 37 else failing(n), hundreds(), simpler=cut)
    assert outcome == Errored("ValueError: 37", example="37")


def test_a_defect_is_not_told_by_a_simpler_weakness() -> None:
    def judge(n: int) -> Failed:
        return failing(n) if n >= 90 else replace(failing(n), kind="weakness")

    outcome, _ = searched(judge, hundreds(), simpler=cut)
    assert isinstance(outcome, Failed)
    assert (outcome.given, outcome.kind) == ("example 90", "defect")


def test_cutting_down_ends_though_there_were_always_something_simpler() -> None:
    outcome, bench = searched(failing, st.just(0), simpler=lambda n: (n - 1,))
    assert isinstance(outcome, Failed)
    assert outcome.given == f"example {-STEPS}"
    assert len(bench.evaluated) == 1 + STEPS


def test_where_nothing_fails_nothing_simpler_is_looked_at() -> None:
    outcome, bench = searched(lambda n: Passed(), hundreds(), effort=7, simpler=cut)
    assert isinstance(outcome, Passed)
    assert len(bench.evaluated) == outcome.figures["examples"] == 7


def test_an_example_that_is_judged_again_is_told_as_it_is() -> None:
    outcome, bench = searched(failing, hundreds(), simpler=cut, first=150)
    assert isinstance(outcome, Failed)
    assert outcome.given == "example 150"
    assert bench.evaluated == [150]
