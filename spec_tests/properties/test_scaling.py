from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from handmade import ALPHA, DTYPES, SLAYER, ask, bound, case, failed, judge, passed, slayer
from sympy import Interval, Symbol

from surrogate_core.drivers.base import Observation
from surrogate_core.properties import Case
from surrogate_core.properties.scaling import SCALING
from surrogate_core.spec import Parameter

G = slayer()


def of_rate(where: Case, rate: float, gain: float = 1.0) -> Observation:
    """What another instance answers, whose rate and gain came out wrong."""
    return ask(bound(SCALING, where)[0]["there"], derivative=lambda x: gain * np.exp(-rate * np.abs(x)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", [0.1, 0.7, 10.0])
def test_another_rate_at_scaled_inputs_is_accepted(dtype: str, alpha: float) -> None:
    figures = passed(judge(SCALING, case(dtype, alpha))).figures
    assert figures["factor"] == 8
    assert figures["inputs"] > 0.9 * case(dtype, alpha).sweep.x.size - 5000


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_scaled_inputs_are_exact(dtype: str) -> None:
    requests = bound(SCALING, case(dtype))[0]
    here, there = requests["here"], requests["there"]
    kept = there.x.astype(np.float64) != 0
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(there.x.astype(np.float64)[kept] * 8, here.x.astype(np.float64)[kept])
    assert dict(there.parameters or ()) == {"alpha": ALPHA * 8}


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_rate_that_is_clipped_or_shifted_is_rejected(dtype: str) -> None:
    where = case(dtype)
    for rate in (ALPHA, 5.0, ALPHA * 8 + 0.5):
        outcome = failed(judge(SCALING, where, instead={"there": of_rate(where, rate)}))
        assert outcome.allowed.startswith("with alpha = 5.6: what alpha = 0.7 gives at x = ")
        assert outcome.witness is not None
        assert outcome.witness.request.parameters is not None


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_gain_that_depends_on_the_rate_is_rejected(dtype: str) -> None:
    where = case(dtype)
    unit = where.format.unit_roundoff
    passed(judge(SCALING, where, instead={"there": of_rate(where, ALPHA * 8, 1 + 3 * unit)}))
    failed(judge(SCALING, where, instead={"there": of_rate(where, ALPHA * 8, 1 + 24 * unit)}))


def test_both_instances_may_be_wrong_alike() -> None:
    passed(judge(SCALING, case(), lambda x: x, lambda x: 0 * x + 3))


def test_the_factor_stays_within_the_domain() -> None:
    def where(domain: Any) -> Case:
        alpha = Parameter(Symbol("alpha", positive=True), 0.7, domain, (0.7, 0.75))
        return case(spec=SLAYER.replace(parameters=(alpha,)))

    assert SCALING.skip(where(Interval(0.5, 1))) == "no other rate lies in the domain of the parameter"
    assert SCALING.observe(where(Interval(0.5, 1))) == {}
    assert passed(judge(SCALING, where(Interval(0.5, 1.5)))).figures["factor"] == 2
    assert passed(judge(SCALING, where(Interval.open(0, 1)))).figures["factor"] == 0.125


def test_scaling_is_judged_where_it_is_claimed() -> None:
    assert SCALING.applies(SLAYER)
    assert not SCALING.applies(SLAYER.replace(claims=()))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_rate_of_one_is_judged_too_and_its_rounded_inputs_are_allowed_for(dtype: str) -> None:
    requests = bound(SCALING, case(dtype))[0]
    assert dict(requests["at rate 1"].parameters or ()) == {"alpha": 1.0}
    passed(judge(SCALING, case(dtype)))
    unit = case(dtype).format.unit_roundoff
    higher = ask(requests["at rate 1"], derivative=lambda x: (1 + 32 * unit) * np.exp(-np.abs(x)))
    outcome = failed(judge(SCALING, case(dtype), instead={"at rate 1": higher}))
    assert outcome.allowed.startswith("with alpha = 1: ")
