from __future__ import annotations

from typing import Any

import pytest
import sympy
from sympy import Abs, Interval, Piecewise, Symbol, exp, oo

from surrogate_core.errors import BadInput
from surrogate_core.spec import Area, Claim, Even, LogLinearDecay, NonIncreasing, Parameter, Peak, Spec, x
from surrogate_core.spec.claims import DISTANCES

alpha = Symbol("alpha", positive=True)
SLAYER = exp(-alpha * Abs(x))


def declare(gradient: Any, *claims: Claim) -> Spec:
    parameter = Parameter(alpha, default=1.0, domain=Interval.open(0, oo), typical=(0.5, 2))
    return Spec("odd", "Odd", "nowhere", gradient, (parameter,), claims=claims)


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


@pytest.mark.parametrize("claim", [Peak(1), Even(), LogLinearDecay(-alpha), NonIncreasing(), Area(2)])
def test_every_claim_is_a_sentence(claim: Claim) -> None:
    assert isinstance(claim, Claim)
    assert claim.sentence().startswith("the ")
