from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from handmade import ALPHA, DTYPES, SLAYER, Function, ask, bound, case, failed, judge, passed, slayer
from sympy import Abs, Max, Piecewise, Rational, exp

from surrogate_core.properties.antiderivative import ANTIDERIVATIVE
from surrogate_core.properties.base import Case
from surrogate_core.properties.outcome import Outcome, Skipped
from surrogate_core.spec import Spec, x

G = slayer()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", [0.1, ALPHA, 10.0])
def test_the_slope_of_the_antiderivative_is_accepted(dtype: str, alpha: float) -> None:
    figures = passed(judge(ANTIDERIVATIVE, case(dtype, alpha))).figures
    assert figures["inputs"] == 25
    assert figures["antiderivative"] == str(SLAYER.antiderivative)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_few_roundings_are_accepted_and_more_are_not(dtype: str) -> None:
    unit = case(dtype).format.unit_roundoff
    passed(judge(ANTIDERIVATIVE, case(dtype), derivative=lambda x: G(x) * (1 + 2 * unit)))
    outcome = failed(judge(ANTIDERIVATIVE, case(dtype), derivative=lambda x: G(x) * (1 + 12 * unit)))
    assert outcome.severity == pytest.approx(12 * unit, rel=0.2)
    told = re.fullmatch(r"the slope (\S+) ± (\S+) of the antiderivative", outcome.allowed)
    assert told
    promised, slack = told.groups()
    assert abs(float(outcome.measured.split()[0]) - float(promised)) > float(slack)


WRONG: dict[str, Function] = {
    "half": lambda x: G(x) / 2,
    "zero": lambda x: 0 * x,
    "the smooth function": G.smooth,
    "a forward difference": lambda x: (G.smooth(x + 1e-3) - G.smooth(x)) / 1e-3,
    "the second derivative": G.second,
    "another rate": slayer(ALPHA * 1.001),
    "a NaN": lambda x: np.where(x == 1, np.nan, G(x)),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_another_curve_is_rejected_at_the_first_input_that_shows_it(wrong: Function) -> None:
    outcome = failed(judge(ANTIDERIVATIVE, case(), derivative=wrong))
    assert outcome.allowed.startswith("the slope ")
    assert outcome.witness is not None
    inputs = outcome.witness.request.x
    assert outcome.witness.index is not None
    assert outcome.given.startswith(f"x = {inputs[outcome.witness.index]:.9g} ")


def spec(gradient: Any, *at: Any) -> Spec:
    return Spec("any", "Any", "nowhere", gradient, breakpoints=at)


WINDOW = spec(Piecewise((1, Abs(x) < Rational(9, 16)), (0, True)), Rational(-9, 16), Rational(9, 16))
TRIANGLE = spec(Max(0, 1 - Abs(x) * 32 / 19))


@pytest.mark.parametrize("dtype", DTYPES)
def test_at_a_jump_either_side_is_accepted(dtype: str) -> None:
    where = Case(WINDOW, dtype, (), "cpu:0", profile="quick")
    assert 9 / 16 in bound(ANTIDERIVATIVE, where)[0]["gradient"].x
    for right in (lambda x: np.abs(x) < 9 / 16, lambda x: np.abs(x) <= 9 / 16, lambda x: (x >= -9 / 16) & (x < 9 / 16)):
        passed(judged(where, right))
    failed(judged(where, lambda x: np.abs(x) < 3 / 4))


@pytest.mark.parametrize("dtype", DTYPES)
def test_at_a_kink_there_is_one_value(dtype: str) -> None:
    where = Case(TRIANGLE, dtype, (), "cpu:0", profile="quick")
    assert 19 / 32 in bound(ANTIDERIVATIVE, where)[0]["gradient"].x
    passed(judged(where, lambda x: np.maximum(0, 1 - np.abs(x) * 32 / 19)))
    failed(judged(where, lambda x: np.maximum(0, 1 - np.abs(x) * 32 / 19) + 1e-2 * (np.abs(x) == 19 / 32)))


def judged(where: Case, derivative: Function) -> Outcome:
    request = bound(ANTIDERIVATIVE, where)[0]["gradient"]
    return ANTIDERIVATIVE.judge(where, {"gradient": ask(request, derivative=derivative)})


def test_a_formula_with_decimals_has_one_too() -> None:
    where = Case(spec(Piecewise((1, Abs(x) < 0.3), (0.1, True)), -0.3, 0.3), "float32", (), "cpu:0", profile="quick")
    passed(judged(where, lambda x: np.where(np.abs(x) < 0.3, 1, 0.1)))


def test_without_an_antiderivative_nothing_is_judged() -> None:
    bump = spec(exp(-(x**4)))
    outcome = judged(Case(bump, "float32", (), "cpu:0", profile="quick"), lambda x: np.exp(-(x**4)))
    assert outcome == Skipped("no antiderivative of the formula was found")


def test_of_an_antiderivative_with_another_slope_nobody_is_accused() -> None:
    odd = SLAYER.replace()
    odd.__dict__["antiderivative"] = SLAYER.antiderivative * 2  # pyright: ignore[reportOptionalOperand]
    outcome = judge(ANTIDERIVATIVE, case(spec=odd))
    assert outcome == Skipped("what was found has another derivative than the formula at x = 0 (0x00000000)")
