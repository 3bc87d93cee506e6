"""The score counts what it says it counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
import score
from impostors import RIGHT, WRONG, Entry
from score import RATES, SAID, Verdict, rate

NOTHING: frozenset[str] = frozenset()
ALL_THERE = next(entry for entry in RIGHT if not entry.lacks)
WITHOUT_VMAP = next(entry for entry in RIGHT if "transform.vmap" in entry.lacks)
WRONG_CURVE = next(entry for entry in WRONG if entry.name == "alpha_ignored")
RAISING = next(entry for entry in WRONG if entry.name == "raises")


def verdict(
    entry: Entry,
    seed: int = 0,
    failed: Iterable[str] = (),
    errored: Iterable[str] = (),
    unsupported: Iterable[str] = (),
) -> Verdict:
    """What a run said of a surrogate: by default nothing."""
    return Verdict(entry.name, seed, rate(seed), *map(frozenset, (failed, errored, unsupported)))


@pytest.mark.parametrize("word", SAID)
def test_whatever_is_said_against_a_right_surrogate_is_an_accusation(word: str) -> None:
    assert verdict(ALL_THERE).accusations(ALL_THERE) == NOTHING
    found = replace(verdict(ALL_THERE), **{word: frozenset(["transform.vmap"])})
    assert found.accusations(ALL_THERE) == {"transform.vmap"}


def test_what_a_right_surrogate_does_not_offer_is_none() -> None:
    lacking = verdict(WITHOUT_VMAP, unsupported=WITHOUT_VMAP.lacks)
    assert lacking.accusations(WITHOUT_VMAP) == NOTHING
    more = replace(lacking, unsupported=lacking.unsupported | {"forward.step"})
    assert more.accusations(WITHOUT_VMAP) == {"forward.step"}
    # That it is not offered is no excuse for an error in it.
    assert verdict(WITHOUT_VMAP, errored={"transform.vmap"}).accusations(WITHOUT_VMAP) == {"transform.vmap"}


def test_an_error_is_stray_where_the_impostor_may_have_none() -> None:
    assert verdict(WRONG_CURVE, failed=WRONG_CURVE.caught_by).stray(WRONG_CURVE) == NOTHING
    assert verdict(WRONG_CURVE, errored={"state.copies"}).stray(WRONG_CURVE) == {"state.copies"}
    assert verdict(RAISING, errored={"state.copies"}).stray(RAISING) == NOTHING


def test_an_impostor_that_is_only_said_to_lack_something_survives() -> None:
    assert not verdict(WRONG_CURVE, unsupported={"transform.vmap"}).noticed
    assert verdict(WRONG_CURVE, errored={"transform.vmap"}).noticed


def test_fifty_seeds_are_judged_at_every_rate_and_seed_0_at_that_of_the_impostors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float] = []

    def check(target: str, spec: str, *, params: Any, **options: Any) -> Any:
        asked.extend(params["alpha"])
        return type("Report", (), {"results": ()})

    monkeypatch.setattr(score.surrogate_core, "check", check)
    found = [score.judge(ALL_THERE, seed) for seed in range(50)]
    assert asked == [verdict.rate for verdict in found]
    assert {value: asked.count(value) for value in RATES} == dict.fromkeys(RATES, 10)
    assert (asked[0], len(RATES)) == (1.72, 5)


def test_a_verdict_is_read_as_it_was_kept() -> None:
    kept = verdict(ALL_THERE, seed=3, failed={"forward.step"}, errored={"state.copies"}, unsupported={"torch.layout"})
    assert Verdict.read(kept.line()) == kept


@pytest.mark.parametrize(
    "line",
    [
        '{"name": "Module", "seed": 3, "fai',
        '{"name": "Module", "seed": 3, "failed": [], "errored": []}',
        '{"name": "Module", "seed": 3, "rate": 1.72, "failed": [], "errored": [], "unsupported": []}',
        "[]",
    ],
    ids=["torn", "without what it lacks", "at another rate", "nothing"],
)
def test_what_another_run_kept_is_judged_anew(line: str) -> None:
    assert Verdict.read(line) is None
