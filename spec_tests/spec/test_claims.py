from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
import sympy
from sympy import Abs, Interval, Max, Piecewise, Symbol, exp, oo

from surrogate_core.errors import BadInput
from surrogate_core.spec import Area, Claim, Even, LogLinearDecay, NonIncreasing, Parameter, Peak, ScalesWith, Spec, x
from surrogate_core.spec.claims import DISTANCES, Formula

alpha = Symbol("alpha", positive=True)
SLAYER = exp(-alpha * Abs(x))


def declare(gradient: Any, *claims: Claim) -> Spec:
    parameter = Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.5, 2))
    edges = (-alpha, alpha, -3, 3, -3 / alpha, 3 / alpha)  # where the formulas with cases jump
    return Spec("odd", "Odd", "nowhere", gradient, (parameter,), claims=claims, breakpoints=edges)


@pytest.mark.parametrize(
    ("gradient", "claim"),
    [
        (SLAYER, Peak(1)),
        (SLAYER, Even()),
        (SLAYER, LogLinearDecay(-alpha)),
        (SLAYER, NonIncreasing()),
        (SLAYER, Area(2 / alpha)),
        (exp(-alpha * Abs(x - 1)), Peak(1, at=1)),
        (exp(-alpha * Abs(x - 1 / alpha)), Peak(1, at=1 / alpha)),
        (alpha / (1 + alpha * Abs(x)) ** 2, Peak(alpha)),
        (alpha / (1 + alpha * Abs(x)) ** 2, Area(2)),
        (Piecewise((1, Abs(x) < alpha), (0, True)), NonIncreasing()),
        (Piecewise((1, Abs(x) < alpha), (0, True)), Area(2 * alpha)),
        (Piecewise((1 - Abs(x) / 3, Abs(x) < 3), (0, True)), Area(3)),
        (Max(0, 1 - Abs(x - alpha) / 7), Area(7)),  # a kink that is not declared
        (SLAYER, ScalesWith(alpha)),
        (1 / (1 + alpha * Abs(x)) ** 2, ScalesWith(alpha)),
        (Piecewise((1, Abs(alpha * x) < 3), (0, Abs(alpha * x) > 3), (sympy.Rational(1, 2), True)), ScalesWith(alpha)),
    ],
)
def test_a_true_claim_is_accepted(gradient: Any, claim: Claim) -> None:
    assert declare(gradient, claim).claims == (claim,)


@pytest.mark.parametrize(
    ("gradient", "claim", "where"),
    [
        (SLAYER, Peak(2), r"at x=0\.0 the formula is 1\.0, the claimed peak is 2\.0"),
        (SLAYER, Peak(1, at=1), r"at x=1\.0 the formula is 0\.36787944, the claimed peak is 1\.0"),
        (exp(-alpha * x), Peak(1), r"at x=-0\.00024414063 the formula is 1\.0002442, above the peak 1\.0"),
        (exp(-alpha * x), Even(), r"at x=±0\.00024414063 the formula is 0\.99975589 and 1\.0002442"),
        (SLAYER, LogLinearDecay(-2 * alpha), r"the slope from the peak is -1\.0, claimed -2\.0"),
        (1 / (1 + alpha * Abs(x)), LogLinearDecay(-alpha), r"at x=0\.00024414063 the slope from the peak is -0\.9998"),
        (
            Piecewise((SLAYER, Abs(x) < 3), (0, True)),
            LogLinearDecay(-alpha),
            r"at x=3\.0 the slope from the peak is -inf, claimed -1\.0",
        ),
        (SLAYER * (1 + 4 * x**2), NonIncreasing(), r"it rises from 0\.93765296 to 0\.97350098 at x=0\.25"),
        (exp(-alpha * x), NonIncreasing(), r"it rises from 1\.0 to 1\.0002442 at x=-0\.00024414063"),
        (SLAYER, Area(1), r"the formula integrates to 2\.0, claimed 1\.0"),
        (Piecewise((1, Abs(x) < 3), (0, True)), Area(6.001), r"the formula integrates to 6\.0, claimed 6\.001"),
        (alpha * SLAYER, ScalesWith(alpha), r"at x=0\.00024414063 the formula is 1\..*, and 0\.99.* for 1"),
        (exp(-(alpha**2) * Abs(x)), ScalesWith(alpha), r"at x=0\.00024414063 the formula is 0\.99"),
        (SLAYER * (1 + x**2), ScalesWith(alpha), r"at x=0\.00024414063 the formula is 0\.99"),
    ],
)
def test_a_false_claim_is_an_error_that_names_where_it_breaks(gradient: Any, claim: Claim, where: str) -> None:
    with pytest.raises(BadInput, match=where) as caught:
        declare(gradient, claim)
    assert caught.value.given.startswith(f"spec 'odd' claims that {claim.sentence()}, but for alpha=")
    assert str(gradient) in caught.value.expected


def test_a_claim_that_holds_at_the_default_alone_breaks_at_another_parameter() -> None:
    with pytest.raises(BadInput, match=r"but for alpha=1\.18 the formula integrates to 1\.69"):
        declare(SLAYER, Area(2))


def test_a_slope_off_by_a_part_in_a_million_is_false() -> None:
    with pytest.raises(BadInput, match="the slope from the peak"):
        declare(SLAYER, LogLinearDecay(-alpha * sympy.Rational(1000001, 1000000)))


def test_a_spec_without_parameters_says_so_where_its_claim_breaks() -> None:
    with pytest.raises(BadInput, match=r"for no parameters at x=0\.0 the formula is 1\.0, the claimed peak is 3\.0"):
        Spec("plain", "Plain", "nowhere", exp(-Abs(x)), claims=(Peak(3),))


def test_a_peak_away_from_zero_is_looked_for_around_itself() -> None:
    with pytest.raises(BadInput, match=r"above the peak"):
        declare(exp(-alpha * Abs(x - 1)), Peak(exp(-alpha), at=0))


def test_claims_are_compared_near_the_threshold_and_far_from_it() -> None:
    assert float(min(DISTANCES)) < 1e-3
    assert float(max(DISTANCES)) >= 64


@pytest.mark.parametrize(
    "claim", [Peak(1), Even(), LogLinearDecay(-alpha), NonIncreasing(), Area(2), ScalesWith(alpha)]
)
def test_every_claim_is_a_sentence(claim: Claim) -> None:
    assert isinstance(claim, Claim)
    assert claim.sentence().startswith("the ")


def test_scaling_with_one_parameter_leaves_the_others_where_they_are() -> None:
    beta = Symbol("beta", positive=True)
    parameters = [Parameter(s, 2.0, Interval.open(0, oo), (0.5, 3)) for s in (alpha, beta)]
    formula = beta * exp(-alpha * Abs(x)) + beta**2 / (1 + (alpha * x) ** 2)
    spec = Spec("two", "Two", "nowhere", formula, parameters, claims=[ScalesWith(alpha)])
    assert spec.claim(ScalesWith) == ScalesWith(alpha)
    with pytest.raises(BadInput, match=r"g'\(x; beta\) = g'\(beta\*x; 1\), but for alpha=2, beta=2 "):
        spec.replace(claims=[ScalesWith(beta)])


def other(name: str) -> Any:
    return Symbol(name, positive=True)


def anything(value: Any) -> Any:
    return value


class Unhashable:
    __hash__ = None  # pyright: ignore[reportAssignmentType]  (what a dataclass that is not frozen has)

    def sentence(self) -> str:
        return "the claim has no hash"

    def breaks(self, formula: Any) -> None:
        return None

    def __repr__(self) -> str:
        return "Unhashable()"  # without its address, so that every process names the test alike


@pytest.mark.parametrize(
    ("claim", "given", "next_step"),
    [
        (Peak(other("beta")), r"the claim Peak\(value=beta, at=0\), which uses beta", "declare beta as Parameter"),
        (LogLinearDecay(-other("beta") * alpha), r"which uses beta", "declare beta as Parameter"),
        (ScalesWith(other("beta")), r"which uses beta", "declare beta as Parameter"),
        (ScalesWith(x), r"which uses x", "or correct the claim"),
        (Even, r"the claim <class .*Even'>", r"write Even\(\.\.\.\)"),
        ("even", r"the claim 'even'", "see surrogate_core.spec.claims"),
        (None, r"the claim None", "see surrogate_core.spec.claims"),
        (
            Peak(anything("one and more")),
            r"which cannot be compared with the formula .* for alpha=1: ",
            "correct the claim",
        ),
        (Peak(anything([1])), r"which cannot be compared|which has no hash", "correct the claim|make it hashable"),
        (Area(sympy.I), r"which cannot be compared|claims that the area", "correct the"),
        (Unhashable(), r"the claim .*Unhashable.*, which has no hash", "make it hashable"),
    ],
    ids=str,
)
def test_what_is_no_claim_is_an_error_that_says_so(claim: Any, given: str, next_step: str) -> None:
    with pytest.raises(BadInput, match=given) as caught:
        declare(SLAYER, claim)
    assert re.search(next_step, caught.value.next_step)


def test_claims_of_ones_own_are_verified_like_any_other() -> None:
    @dataclass(frozen=True)
    class AtOne:
        value: Any

        def sentence(self) -> str:
            return f"the pseudo-derivative at 1 is {self.value}"

        def breaks(self, formula: Formula) -> str | None:
            # 1/alpha of one parameter, and the formula at twice of it, are within its reach too.
            assert formula.elsewhere(alpha, 2)(0) == 1
            found = formula.at(1)
            return None if abs(found - formula.value(self.value)) < 1e-20 else f"it is {found}"

    assert declare(SLAYER, AtOne(exp(-alpha))).claims == (AtOne(exp(-alpha)),)
    with pytest.raises(BadInput, match=r"claims that the pseudo-derivative at 1 is 1/2, but for alpha=1 it is 0\.36"):
        declare(SLAYER, AtOne(sympy.Rational(1, 2)))
