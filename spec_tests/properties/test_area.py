from __future__ import annotations

import numpy as np
import pytest
from handmade import DTYPES, SLAYER, case, failed, judge, passed, slayer

from surrogate_core.properties.area import AREA
from surrogate_core.properties.outcome import Skipped
from surrogate_core.spec import Area

G = slayer()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", [0.1, 0.7, 10.0])
def test_the_area_of_the_formula_is_the_claimed_one(dtype: str, alpha: float) -> None:
    figures = passed(judge(AREA, case(dtype, alpha))).figures
    assert figures["claimed"] == pytest.approx(2 / alpha)
    assert figures["area"] == pytest.approx(figures["claimed"], rel=0, abs=figures["allowed"] + 2**-52 * 2 / alpha)
    assert figures["quadrature"] == pytest.approx(2 / alpha, rel=0.1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_area_off_by_a_few_roundings_is_accepted_and_by_more_rejected(dtype: str) -> None:
    unit = case(dtype).format.unit_roundoff
    passed(judge(AREA, case(dtype), derivative=lambda x: G(x) * (1 + 3 * unit)))
    outcome = failed(judge(AREA, case(dtype), derivative=lambda x: G(x) * (1 + 16 * unit)))
    assert outcome.figures["area"] == pytest.approx(2 / 0.7 * (1 + 16 * unit), rel=2 * unit)
    assert outcome.witness is not None
    assert outcome.witness.index is not None
    promised, slack = (float(number) for number in outcome.allowed.split(" ± "))
    assert abs(float(outcome.measured.removeprefix("an area of ")) - promised) > slack


def test_the_quadratures_own_error_is_not_the_implementations() -> None:
    # 2,048 inputs of float64 integrate to some percent, and still a share of 1e-14 is seen.
    outcome = failed(judge(AREA, case("float64"), derivative=lambda x: G(x) * (1 + 1e-14)))
    assert abs(outcome.figures["quadrature"] - outcome.figures["claimed"]) > 1e-4


def test_a_bump_beside_a_right_gradient_is_too_much_area() -> None:
    outcome = failed(judge(AREA, case(), derivative=lambda x: G(x) + 0.01 * (np.abs(x - 2) < 0.1)))
    assert outcome.figures["area"] - outcome.figures["claimed"] == pytest.approx(0.002, rel=0.2)
    assert outcome.severity == pytest.approx(0.01, rel=1e-3)


def test_what_may_be_flushed_does_not_count() -> None:
    passed(judge(AREA, case("float16"), derivative=lambda x: np.where(G(x) < 2.0**-14, 2.0**-15, G(x))))
    passed(judge(AREA, case("float16"), derivative=lambda x: np.where(G(x) < 2.0**-14, 0.0, G(x))))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_area_that_is_no_number_is_rejected(value: float) -> None:
    outcome = failed(judge(AREA, case(), derivative=lambda x: np.where(x == 1, value, G(x))))
    assert outcome.measured == f"an area of {value}"
    # What is allowed is a number all the same.
    allowed = failed(judge(AREA, case(), derivative=lambda x: 2 * G(x))).allowed
    promised, slack = (float(number) for number in outcome.allowed.split(" ± "))
    assert promised == float(allowed.split(" ± ")[0])
    assert 0 < slack < 1e-5


def test_an_area_that_the_inputs_do_not_show_is_skipped() -> None:
    hidden = SLAYER.replace()
    # No spec with a claim that its formula breaks can be made; this stands for a peak between two inputs.
    object.__setattr__(hidden, "claims", (Area(7.0),))
    outcome = judge(AREA, case("bfloat16", spec=hidden))
    assert isinstance(outcome, Skipped)
    assert outcome.reason == "65280 inputs of bfloat16 do not show the declared area: 2.85716 by quadrature"


def test_the_area_is_judged_where_it_is_claimed() -> None:
    assert AREA.applies(SLAYER)
    assert not AREA.applies(SLAYER.replace(claims=()))
