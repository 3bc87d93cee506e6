from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from handmade import ALPHA, DTYPES, SLAYER, ask, bound, case, failed, judge, passed, rounded, slayer
from sympy import Abs, exp

from surrogate_core.drivers.base import Observation, Unsupported
from surrogate_core.properties import Case
from surrogate_core.properties.further import PARAMETER, SECOND
from surrogate_core.spec import Spec, x

G = slayer()


def second(values: Any) -> dict[str, Observation]:
    """An answer with that second derivative, a function of x."""
    request = bound(SECOND, case())[0]["second"]
    x = request.x.astype(np.float64)
    return {"second": Observation(ask(request).value, rounded(values(x), request.x.dtype))}


def parameter(value: float) -> dict[str, Observation]:
    request = bound(PARAMETER, case())[0]["alpha"]
    return {"alpha": Observation(ask(request).value, np.array(value, np.float32))}


def of_formula(where: Case) -> float:
    x = bound(PARAMETER, where)[0]["alpha"].x.astype(np.float64)
    return float((-np.abs(x) * G(x)).sum())


def declaring(what: Literal["formula", "zero"]) -> Case:
    """A spec that promises both derivatives."""
    return case(spec=SLAYER.replace(second_order=what, parameter_gradient=what))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", [0.1, 0.7, 10.0])
def test_the_formulas_second_derivative_is_told(dtype: str, alpha: float) -> None:
    outcome = passed(judge(SECOND, case(dtype, alpha)))
    assert outcome.remarks == ("The second derivative is that of the pseudo-derivative.",)
    assert outcome.figures == {"inputs": 25, "found": "formula"}


def test_a_second_derivative_of_zero_is_told() -> None:
    outcome = passed(judge(SECOND, case(), instead=second(np.zeros_like)))
    assert outcome.remarks == ("The second derivative is exactly 0.",)


@pytest.mark.parametrize(
    "values",
    [
        lambda x: 0.5 * G.second(x),
        lambda x: -G.second(x),
        lambda x: np.where(x > 0, G.second(x), 0),
        lambda x: G.second(x) * (1 + 1e-5),
        lambda x: np.full_like(x, np.nan),
    ],
    ids=["half", "sign", "one-sided", "slightly off", "NaN"],
)
def test_a_second_derivative_that_is_neither_is_told_with_an_input(values: Any) -> None:
    (remark,) = passed(judge(SECOND, case(), instead=second(values))).remarks
    assert remark.startswith("The second derivative is neither 0 nor that of the pseudo-derivative: at x = ")


def test_a_declared_formula_is_demanded() -> None:
    where = declaring("formula")
    assert passed(judge(SECOND, where)).remarks == ()
    outcome = failed(judge(SECOND, where, instead=second(np.zeros_like)))
    assert outcome.given.startswith("x = ")
    assert outcome.allowed.startswith("-0.6")
    assert outcome.measured.startswith("0 ")
    assert not bound(SECOND, where)[0]["second"].tolerant


def test_a_declared_zero_is_demanded() -> None:
    where = declaring("zero")
    assert passed(judge(SECOND, where, instead=second(np.zeros_like))).remarks == ()
    assert failed(judge(SECOND, where)).allowed == "exactly 0"
    assert passed(judge(PARAMETER, where)).remarks == ()
    assert failed(judge(PARAMETER, where, instead=parameter(1e-30))).allowed == "exactly 0"


def test_what_cannot_be_had_is_no_fault_where_the_spec_is_silent() -> None:
    missing = Unsupported("second derivative: no rule")
    assert passed(judge(SECOND, case(), instead={"second": missing})).remarks == (
        "The second derivative cannot be had: no rule.",
    )
    assert passed(judge(PARAMETER, case(), instead={"alpha": Unsupported("TypeError: no.")})).remarks == (
        "The derivative of the spikes by alpha cannot be had: TypeError: no.",
    )
    assert bound(SECOND, case())[0]["second"].tolerant
    assert bound(PARAMETER, case())[0]["alpha"].tolerant


@pytest.mark.parametrize("what", ["formula", "zero"])
def test_what_cannot_be_had_is_unsupported_where_the_spec_declares_it(what: Literal["formula", "zero"]) -> None:
    for judged, name in ((SECOND, "second"), (PARAMETER, "alpha")):
        with pytest.raises(Unsupported, match="no rule"):
            judge(judged, declaring(what), instead={name: Unsupported("no rule")})


def test_the_derivative_by_a_parameter_is_told() -> None:
    told = {
        0.0: "The derivative of the spikes by alpha is exactly 0.",
        of_formula(case()): "The derivative of the spikes by alpha is that of the pseudo-derivative.",
        3.0: f"The derivative of the spikes by alpha is neither 0 nor that of the pseudo-derivative, "
        f"{of_formula(case()):.9g}: it is 3.",
    }
    for value, remark in told.items():
        assert passed(judge(PARAMETER, case(), instead=parameter(value))).remarks == (remark,)


def test_a_declared_derivative_by_a_parameter_is_demanded() -> None:
    where, right = declaring("formula"), of_formula(case())
    passed(judge(PARAMETER, where, instead=parameter(right * (1 + 1e-6))))
    outcome = failed(judge(PARAMETER, where, instead=parameter(right * (1 + 1e-4))))
    assert outcome.given == "the sum of the spikes at 25 inputs, differentiated by alpha"
    assert failed(judge(PARAMETER, where)).measured == "0"


def test_the_parameter_is_asked_for_at_its_value() -> None:
    request = bound(PARAMETER, case())[0]["alpha"]
    assert request.wrt == "alpha"
    assert request.weights[0] == np.float32(ALPHA)
    assert not PARAMETER.applies(Spec("bare", "Bare", "nowhere", exp(-Abs(x))))
