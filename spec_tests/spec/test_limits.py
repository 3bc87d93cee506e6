from __future__ import annotations

import math
from typing import Any

import pytest
import sympy
from handmade import ALPHA, SLAYER
from sympy import Abs, E, Heaviside, Interval, Max, Piecewise, Symbol, atan, diff, exp, log, oo, sign, sqrt, tanh

from surrogate_core.spec import NonIncreasing, Parameter, Spec, x
from surrogate_core.spec.limits import limits


@pytest.mark.parametrize(
    ("formula", "both"),
    [
        (exp(-Abs(x)), (0.0, 0.0)),
        (1 + 0 * x, (1.0, 1.0)),
        (1 / (1 + x**2), (0.0, 0.0)),
        (1 / 2 + atan(x) / 3, (0.5 - math.pi / 6, 0.5 + math.pi / 6)),
        (diff(tanh(x), x), (0.0, 0.0)),
        (exp(x), (0.0, math.inf)),
        (Piecewise((1, Abs(x) < 1), (0, True)), (0.0, 0.0)),
        (Piecewise((2, x > 1), (exp(x), True)), (0.0, 2.0)),
        (Max(0, 1 - Abs(x)), (0.0, 0.0)),
    ],
)
def test_limits_are_those_of_the_formula_on_each_side(formula: Any, both: tuple[float, float]) -> None:
    assert limits(Spec("any", "Any", "nowhere", formula, breakpoints=(-1, 1)), ()) == pytest.approx(both)


@pytest.mark.parametrize(
    ("formula", "at", "both"),
    [
        (Heaviside(x) / sqrt(1 + x**2), 0, (0.0, 0.0)),
        (Heaviside(x - 1) * exp(x), 1, (0.0, math.inf)),
        (Piecewise((atan(x), x < 2), (1, True)), 2, (-math.pi / 2, 1.0)),
        (sign(x) * exp(-Abs(x)), 0, (0.0, 0.0)),
    ],
)
def test_limits_of_a_formula_that_jumps_are_found_without_sympys_limit(formula: Any, at: float, both: Any) -> None:
    spec = Spec("any", "Any", "nowhere", formula, breakpoints=(at,))
    assert limits(spec, ()) == pytest.approx(both)


def test_limits_hold_for_every_parameter_value() -> None:
    for value in (0.1, ALPHA, 10.0):
        assert limits(SLAYER, (("alpha", value),)) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("formula", "limit"), [(exp(-Abs(x)), 0.0), (1 + exp(-Abs(x)), 1.0), (1 / log(E + Abs(x)), 0.0)]
)
def test_what_falls_for_ever_has_its_own_limit_however_slowly_it_falls(formula: Any, limit: float) -> None:
    assert limits(Spec("falling", "Falling", "nowhere", formula, claims=(NonIncreasing(),)), ()) == (limit, limit)


def test_a_limit_of_zero_is_found_once_for_all_parameter_values(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []
    limit = sympy.limit
    monkeypatch.setattr(sympy, "limit", lambda *given: taken.append(given) or limit(*given))
    rate = Parameter(Symbol("rate", positive=True), 1.0, Interval.open(0, oo), (0.1, 10))
    bump = Spec("bump", "Bump", "nowhere", rate.symbol * Abs(x) * exp(-rate.symbol * Abs(x)), (rate,))
    assert {limits(bump, (("rate", value),)) for value in (0.5, 1.0, 2.0)} == {(0.0, 0.0)}
    assert len(taken) == 2


def test_a_limit_that_hangs_on_the_sign_of_a_parameter_is_found_for_each_value() -> None:
    slope = Parameter(Symbol("slope", real=True), 1.0, Interval.open(-10, 10), (-1, 1))
    either = Spec("either", "Either", "nowhere", exp(slope.symbol * x), (slope,))
    assert limits(either, (("slope", 1.0),)) == (0.0, math.inf)
    assert limits(either, (("slope", -1.0),)) == (math.inf, 0.0)
