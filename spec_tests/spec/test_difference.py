from __future__ import annotations

from typing import Any

import mpmath
import pytest
from sympy import Abs, Heaviside, Rational, Symbol, exp, sign, sqrt

from surrogate_core.spec import get_spec, spec_names, x
from surrogate_core.spec.difference import STEP, Difference, difference

alpha = Symbol("alpha", positive=True)
SMOOTH = sign(x) * (1 - exp(-alpha * Abs(x))) / alpha
SLOPE = exp(-alpha * Abs(x))
ONE: Any = 1
STEPPED = Heaviside(x, ONE)


def at(point: Any, smooth: Any = SMOOTH, slope: Any = SLOPE, rate: float = 0.7) -> Difference:
    return difference(smooth, slope, (x, alpha), (("alpha", rate),), point, 1)


@pytest.mark.parametrize("point", [-40.0, -1.0, 0.0, 1e-30, 0.3, 5.0])
@pytest.mark.parametrize("rate", [1e-3, 0.7, 1e3])
def test_an_antiderivative_agrees_at_every_scale(point: float, rate: float) -> None:
    assert at(point, rate=rate).agrees


@pytest.mark.parametrize("wrong", [1 + Rational(1, 2**110), Rational(1, 2)])
def test_another_slope_does_not(wrong: Any) -> None:
    assert not at(0.3, SMOOTH * wrong).agrees


def test_what_is_allowed_is_below_what_any_format_holds() -> None:
    found = at(0.3)
    assert found.turned < mpmath.ldexp(abs(found.expected), -127)
    assert found.rounded < mpmath.ldexp(abs(found.expected), -250)


def test_at_a_kink_the_step_counts_and_no_more() -> None:
    found = at(0.0)
    assert 0 < found.expected - found.slope <= found.turned <= 0.7 * STEP


def test_across_a_jump_of_the_slope_either_side_and_what_lies_between_is_allowed() -> None:
    found = at(0.0, x * Heaviside(x), STEPPED)
    assert (found.slope, found.expected, found.turned) == (Rational(1, 2), 1, 1)
    assert found.agrees


@pytest.mark.parametrize("height", [1, Rational(1, 2**100)])
def test_a_jump_of_the_smooth_function_is_no_slope(height: Any) -> None:
    assert not at(0.0, SMOOTH + height * STEPPED).agrees


@pytest.mark.parametrize("smooth", [sqrt(x), 1 / (x - Rational(1, 2) - STEP)], ids=str)
def test_where_it_is_no_real_number_nothing_agrees(smooth: Any) -> None:
    assert not at(-1.0 if smooth == sqrt(x) else 0.5, smooth).agrees


@pytest.mark.parametrize("name", [name for name in spec_names() if "periodic" not in name])
def test_the_antiderivative_of_every_spec_of_the_catalogue_is_found(name: str) -> None:
    # Found is what agreed in test points at every parameter set of `standard`.
    assert get_spec(name).antiderivative is not None
