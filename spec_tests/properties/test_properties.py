from __future__ import annotations

import warnings

import numpy as np
import pytest
from handmade import ALPHA, DTYPES, ask, bound, case, judge, passed, slayer, step
from sympy import exp

from surrogate_core.drivers.base import Observation
from surrogate_core.errors import BadInput
from surrogate_core.properties import PROPERTIES, Proof, Statement, get_property, select
from surrogate_core.properties.outcome import Failed, Passed
from surrogate_core.spec import Spec, x

DEVICES = ("cpu:0", "gpu:0")
JUDGED = [p for p in PROPERTIES if not isinstance(p, Proof)]
"""What is judged by single answers; a proof is judged by its tally, in test_patterns.py."""
ALWAYS_TOLD = ("gradient.second", "gradient.parameter")
"""What the SLAYER spec promises nothing of."""


@pytest.mark.parametrize("judged", JUDGED, ids=lambda p: p.id)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", [ALPHA, 10.0])
def test_a_correctly_rounded_surrogate_keeps_every_promise(judged: Statement, dtype: str, alpha: float) -> None:
    outcome = passed(judge(judged, case(dtype, alpha, devices=DEVICES)))
    assert bool(outcome.remarks) == (judged.id in ALWAYS_TOLD)


SIGNALLING = {"float16": 0x7C01, "bfloat16": 0x7F81, "float32": 0x7F800001, "float64": 0x7FF0000000000001}
STRANGE = {
    "NaN everywhere": lambda x: np.full(x.shape, np.nan),
    "infinite everywhere": lambda x: np.full(x.shape, np.inf),
    "zero everywhere": np.zeros_like,
    "negative": lambda x: -np.exp(-np.abs(x)),
    "infinite at the threshold": lambda x: 1 / np.abs(x),
    "growing": lambda x: np.exp(np.abs(x)),
    "the input": lambda x: x,
}


@pytest.mark.parametrize("judged", JUDGED, ids=lambda p: p.id)
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize("strange", STRANGE)
def test_every_judge_survives_a_strange_answer_without_a_warning(judged: Statement, dtype: str, strange: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = judge(judged, case(dtype, devices=DEVICES), STRANGE[strange], STRANGE[strange])
    assert isinstance(outcome, Passed | Failed)


@pytest.mark.parametrize("judged", JUDGED, ids=lambda p: p.id)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_judge_takes_signalling_nans_without_a_warning(judged: Statement, dtype: str) -> None:
    where = case(dtype, devices=DEVICES)
    seen = {}
    requests, verdict = bound(judged, where)
    for name, request in requests.items():
        bits = np.full(ask(request).value.shape, SIGNALLING[dtype], where.format.bits_dtype).view(where.format.dtype)
        derivative = ask(request).derivative
        seen[name] = Observation(bits, None if derivative is None else np.resize(bits, derivative.shape))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(verdict(seen), Passed | Failed)


def test_the_ids_are_those_of_the_contract() -> None:
    assert {p.id for p in PROPERTIES} >= {
        *("forward.step", "forward.dtype", "forward.shape"),
        *("gradient.oracle", "gradient.peak", "gradient.symmetry", "gradient.decay"),
        *("gradient.range", "gradient.nonfinite", "gradient.cotangent", "gradient.area", "gradient.scaling"),
        *(
            "gradient.antiderivative",
            "gradient.smooth",
            "gradient.second",
            "gradient.parameter",
            "chain.affine",
            "chain.recurrent",
        ),
        "cost.residuals",
        *("transform.jit", "transform.vmap", "transform.modes", "device.agreement"),
    }
    assert len({p.id for p in PROPERTIES}) == len(PROPERTIES)


def test_every_promise_is_a_sentence() -> None:
    for judged in PROPERTIES:
        assert judged.promise[0].isupper()
        assert judged.promise.endswith(".")


def test_a_property_applies_where_its_claim_is_made() -> None:
    lopsided = Spec("lopsided", "Lopsided", "nowhere", exp(-x) / (1 + exp(-x)) ** 3)
    ids = {p.id for p in PROPERTIES if p.applies(lopsided)}
    assert not ids & {"gradient.peak", "gradient.symmetry", "gradient.decay", "gradient.range"}
    assert {"gradient.oracle", "forward.step", "transform.vmap"} <= ids


def test_globs_select_properties_in_their_order() -> None:
    assert select(()) == PROPERTIES
    assert [p.id for p in select(("gradient.peak", "forward.*"))] == [
        *("forward.step", "forward.dtype", "forward.shape"),
        "gradient.peak",
    ]
    assert get_property("gradient.oracle").id == "gradient.oracle"


def test_a_glob_that_matches_nothing_names_its_near_misses() -> None:
    with pytest.raises(BadInput, match=r"property 'gradient\.simmetry'\n.*glob.*\n.*did you mean gradient\.symmetry"):
        select(("forward.*", "gradient.simmetry"))


def test_the_paper_driver_answers_as_numpy_computes() -> None:
    # The one thing that these tests of the judges rest on.
    where = case("float64")
    request = bound(get_property("gradient.oracle"), where)[0]["sweep"]
    found = ask(request, step, slayer())
    assert found.value[0] == found.gradient[0] == 1
    assert found.gradient[np.flatnonzero(request.x == 1)[0]] == np.exp(-ALPHA)
