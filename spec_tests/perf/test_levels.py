"""The stretches of a series, against series whose changes are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from surrogate_core.perf.levels import FEWEST, Stretch, fitted, stretches

NOISE = 0.01


def series(seed: int, *parts: tuple[int, float]) -> np.ndarray:
    """So many entries of each level, with noise."""
    shape = np.concatenate([np.full(count, level) for count, level in parts])
    return shape + NOISE * np.random.default_rng(seed).standard_normal(len(shape))


def places(found: tuple[Stretch, ...]) -> list[int]:
    return [stretch.first for stretch in found[1:]]


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        (((8, 0.0), (8, 0.2)), [8]),
        (((6, 0.0), (6, 0.2), (6, 0.0)), [6, 12]),
        (((6, 0.0), (6, 0.2), (6, 0.0), (6, 0.2), (6, 0.0)), [6, 12, 18, 24]),
        (((20, 0.0), (1, 0.2)), [20]),
        (((10, 0.0), (1, 0.2), (10, 0.0)), [10, 11]),
        (((100, 0.0), (5, 0.1), (95, 0.0)), [100, 105]),
    ],
)
def test_every_change_is_found_where_it_is(parts: tuple[tuple[int, float], ...], wanted: list[int], seed: int) -> None:
    for run in range(10):
        found = stretches(series(seed + run, *parts), 0.01)
        assert places(found) == wanted
        assert [s.start for s in found] == pytest.approx([level for _, level in parts], abs=5 * NOISE)


@pytest.mark.parametrize("count", [FEWEST, 9, 25])
def test_where_nothing_changes_nothing_is_found(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, level = 1000, 0.1  # so high that a level that is passed would be seen
    false = sum(
        len(stretches(row, level)) > 1 or found.drifts
        for row in random.standard_normal((rows, count))
        for found in stretches(row, level)[-1:]
    )
    assert false <= stats.binom.ppf(0.9995, rows, level)


def test_beside_a_change_that_is_none_other_is_found(seed: int) -> None:
    rows, level = 500, 0.1
    false = sum(places(stretches(series(seed + run, (10, 0.0), (10, 1.0)), level)) != [10] for run in range(rows))
    assert false <= stats.binom.ppf(0.9995, rows, level)


def test_a_line_is_one_stretch_and_stairs_are_several(seed: int) -> None:
    line = np.linspace(0, 0.3, 20) + NOISE * np.random.default_rng(seed).standard_normal(20)
    (found,) = stretches(line, 0.01)
    assert found.drifts
    assert found.end - found.start == pytest.approx(0.3, abs=5 * NOISE)
    assert places(stretches(series(seed, (7, 0.0), (7, 0.15), (6, 0.3)), 0.01)) == [7, 14]


def test_the_fit_covers_every_entry(seed: int) -> None:
    values = series(seed, (8, 0.2), (12, 0.0))
    values[8:] += np.linspace(0, 0.3, 12)
    found = stretches(values, 0.01)
    assert [(s.first, s.last, s.drifts) for s in found] == [(0, 7, False), (8, 19, True)]
    assert np.abs(values - fitted(found)).max() < 5 * NOISE


def test_series_that_do_not_vary_have_one_level() -> None:
    (found,) = stretches(np.full(12, 0.1), 0.01)
    assert (found.first, found.last, found.drifts) == (0, 11, False)
