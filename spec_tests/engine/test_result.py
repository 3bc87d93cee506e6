from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_core.drivers import Request
from surrogate_core.engine.result import Result, from_json, to_json
from surrogate_core.properties.outcome import (
    Errored,
    ExpectedFailure,
    Failed,
    Outcome,
    Passed,
    Skipped,
    Unsupported,
    Witness,
)

TEXT = st.text(max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60)
FIGURES = st.dictionaries(TEXT, NUMBERS | TEXT | st.booleans() | st.lists(NUMBERS, max_size=4), max_size=4)
SEVERITY = st.none() | st.floats(min_value=0, allow_nan=False)
FAILURES = st.builds(Failed, TEXT, TEXT, TEXT, SEVERITY, FIGURES, st.none(), TEXT)
OUTCOMES: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(Passed, FIGURES, st.lists(TEXT, max_size=3).map(tuple)),
    FAILURES,
    st.builds(Errored, TEXT, TEXT, TEXT),
    st.builds(Unsupported, TEXT),
    st.builds(Skipped, TEXT),
    st.builds(ExpectedFailure, FAILURES, TEXT),
)
RESULTS = st.builds(
    Result,
    implementation=TEXT,
    property_id=TEXT,
    dtype=TEXT,
    device=TEXT,
    parameters=st.dictionaries(TEXT, st.floats(allow_nan=False), max_size=3).map(lambda d: tuple(d.items())),
    outcome=OUTCOMES,
    seconds=st.integers(0, 10**9).map(lambda n: n / 2**20).map(lambda s: round(s, 6)),
    compilations=st.integers(0, 1000),
)


def result(outcome: Outcome, **changes: Any) -> Result:
    return replace(Result("it", "gradient.oracle", "float32", "cpu:0", (("alpha", 0.5),), outcome), **changes)


@given(RESULTS)
def test_every_result_survives_a_line_of_json(found: Result) -> None:
    line = json.dumps(to_json(found), allow_nan=False)
    assert from_json(json.loads(line)) == found


def test_an_infinite_severity_comes_back_as_a_number() -> None:
    back = from_json(json.loads(json.dumps(to_json(result(Failed("x", "nan", "1", math.inf))), allow_nan=False)))
    assert isinstance(back.outcome, Failed)
    assert back.outcome.severity == math.inf


def test_numbers_that_json_lacks_are_stored_as_words() -> None:
    stored = to_json(result(Passed({"a": math.nan, "b": [math.inf, {"c": -math.inf}], "d": (1, 2)})))
    assert stored["outcome"]["figures"] == {"a": "nan", "b": ["inf", {"c": "-inf"}], "d": [1, 2]}


def test_the_witness_is_not_stored_and_its_script_is() -> None:
    witness = Witness(Request("vjp", np.zeros(3, np.float32)), 1)
    failure = Failed("x = 0", "2", "1", witness=witness, script="print(1)\n")
    for outcome in (failure, ExpectedFailure(failure, "known")):
        stored = to_json(result(outcome))["outcome"]
        assert "witness" not in json.dumps(stored)
        assert (stored.get("failure") or stored)["script"] == "print(1)\n"
    assert to_json(result(ExpectedFailure(failure, "known")))["outcome"]["failure"]["state"] == "failed"


def test_an_id_names_implementation_property_and_case() -> None:
    found = result(Passed(), parameters=(("alpha", 0.7), ("beta", 2.0)))
    assert found.case == "float32-alpha=0.7-beta=2-cpu:0"
    assert found.id == "it::gradient.oracle[float32-alpha=0.7-beta=2-cpu:0]"
    assert result(Passed(), parameters=()).case == "float32-cpu:0"


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_ids_of_different_parameters_differ(a: float, b: float) -> None:
    ids = {result(Passed(), parameters=(("alpha", value),)).id for value in (a, b)}
    assert len(ids) == (1 if a == b and math.copysign(1, a) == math.copysign(1, b) else 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": {"state": "fine"}},
        {"outcome": {"state": "passed", "colour": "red"}},
        {"outcome": {"state": "failed"}},
        {"outcome": None},
        {"seconds": "long"},
        {"parameters": {"alpha": "one"}},
        {"parameters": {"alpha": None}},
    ],
)
def test_values_that_are_no_result_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_json({**to_json(result(Passed())), **changes})
