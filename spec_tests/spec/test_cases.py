import pytest
from branched import ALPHA, BOXCAR, HALF_EDGED, ONE_SIDED, SMOOTH, TRIANGLE, alpha
from sympy import Abs, Heaviside, Max, Piecewise, cos, exp, floor, sign

from surrogate_core.spec import Spec, get_spec, x
from surrogate_core.spec.cases import at_nan, cases
from surrogate_core.spec.limits import limits

AT = (("alpha", 2.0),)


def spec(gradient, *at) -> Spec:
    return Spec("any", "any", "nowhere", gradient, (ALPHA,), breakpoints=at)


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (get_spec("slayer"), ()),
        (spec(alpha + 0 * x), (2,)),
        (BOXCAR, (0, 2)),
        (HALF_EDGED, (0, 1, 2)),
        (TRIANGLE, (0,)),
        (SMOOTH, (0,)),
        (ONE_SIDED, (0,)),
        (spec(alpha * sign(x) * exp(-alpha * Abs(x)), 0), (0,)),
        (spec(Piecewise((alpha * exp(x), x < 0), (1 / (x + 1), True)), 0), ()),
        (spec(Max(alpha, 3 * Heaviside(x)), 0), (0, 1.5, 2, 3)),
    ],
)
def test_at_nan_a_case_without_x_may_answer(which: Spec, expected: tuple[float, ...]) -> None:
    assert at_nan(which, AT) == expected


def test_a_formula_of_too_many_cases_is_taken_to_depend_on_x() -> None:
    many = sum(k * Heaviside(x - k) for k in range(1, 8))
    assert cases(many) == {many}


@pytest.mark.parametrize(
    ("gradient", "expected"),
    [
        (cos(alpha * x), (None, None)),
        (exp(-Abs(x - floor(x + 0.5))), (None, None)),
        (exp(-alpha * Abs(x)) * cos(x), (0, 0)),
        (exp(-Abs(x - floor(Max(0, x) + 0.5))), (0, None)),
        (1 + cos(x) / (1 + x**2), (1, 1)),
    ],
)
def test_a_formula_that_swings_for_ever_has_no_limit(gradient, expected: tuple[float | None, float | None]) -> None:
    found = tuple(None if end != end else end for end in limits(spec(gradient), AT))
    assert found == expected
