from __future__ import annotations

import numpy as np
import pytest
from branched import LEAKY, STEP
from handmade import DTYPES, SLAYER, case
from sympy import Abs

from surrogate_core.properties.around import around, off, scale
from surrogate_core.spec import x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", [1e-6, 0.1, 0.7, 10.0, 1e6])
def test_the_inputs_are_exact_multiples_of_a_power_of_two(dtype: str, alpha: float) -> None:
    where = case(dtype, alpha)
    size = scale(where)
    assert np.frexp(size)[0] == 0.5
    x = around(where)
    assert x.dtype == where.format.dtype
    np.testing.assert_array_equal(x.astype(np.float64) * 8 / size, np.round(x.astype(np.float64) * 8 / size))
    assert np.abs(x[1:].astype(np.float64)).min() >= where.format.smallest_normal
    assert np.unique(x).size == x.size


@pytest.mark.parametrize("alpha", [0.1, 0.7, 10.0])
def test_the_inputs_lie_within_a_few_widths_of_the_threshold(alpha: float) -> None:
    x = around(case(alpha=alpha)).astype(np.float64)
    assert x[0] == 0
    assert x.min() < 0 < x.max()
    assert np.exp(-alpha * np.abs(x)).min() > 0.01
    assert np.exp(-alpha * np.abs(x[x != 0]).max()) < 0.2


def test_a_gradient_without_a_width_has_inputs_all_the_same() -> None:
    flat = case(spec=SLAYER.replace(gradient=SLAYER.gradient * 0 + 1, claims=()))
    assert np.isfinite(around(flat)).all()


def test_one_answer_is_off_by_the_bound_and_by_the_flush_where_it_is_tiny() -> None:
    where = case("float32")
    slack, gradient = off(where, np.array([[0.0, 200.0]]))
    assert slack.shape == gradient.shape == (1, 2)
    assert slack[0, 0] == 4 * 2.0**-24
    assert slack[0, 1] == pytest.approx(where.format.smallest_normal)


def test_a_gradient_that_stays_high_for_ever_is_looked_at_where_it_changes() -> None:
    flat = case(spec=SLAYER.replace(gradient=SLAYER.gradient * 0 + 1, claims=()))
    assert scale(flat) == 1.0
    window = case(spec=LEAKY.replace(gradient=STEP.subs(x, x + 16), breakpoints=(-16,), claims=()))
    assert scale(window) == 16.0


def test_ordinary_inputs_of_a_heavy_tail_lie_where_the_gradient_does() -> None:
    heavy = case(spec=SLAYER.replace(gradient=1 / (1 + Abs(x)) ** 2, claims=()))
    sample = heavy.sample((25,)).astype(np.float64)
    assert 10 < np.abs(sample).max() < 100
