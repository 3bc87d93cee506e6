from __future__ import annotations

import numpy as np
import pytest
from handmade import ask, case, failed, judge, passed, slayer

from surrogate_core.drivers.base import Observation
from surrogate_core.properties.compare import SMALL
from surrogate_core.properties.repeated import AGAIN, ANEW, LATER, REPEATED
from surrogate_core.properties.repeated import REPEATS as EARLIER
from surrogate_core.spec import get_spec

REQUESTS = REPEATED.observe(case())
REPEATS = tuple(EARLIER)


def test_what_is_repeated_is_asked_anew_and_of_the_same_instance() -> None:
    for name in REPEATS:
        first, again = REQUESTS[EARLIER[name]], REQUESTS[name]
        assert first.key != again.key
        assert first.instance == again.instance
        np.testing.assert_array_equal(first.x, again.x)
        if first.direction is not None:
            np.testing.assert_array_equal(first.direction, again.direction)


def test_another_input_comes_between() -> None:
    between = REQUESTS["another input between"]
    assert [r.turn for r in REQUESTS.values() if r.instance] == [0, 1, 2, 3, 4]
    assert (between.x != REQUESTS[EARLIER[AGAIN]].x).any()


def test_answers_that_stay_pass_whatever_they_are() -> None:
    assert passed(judge(REPEATED, case())).figures == {"repeated": len(REPEATS)}
    passed(judge(REPEATED, case(), np.zeros_like, lambda x: 3 * slayer()(x)))
    passed(judge(REPEATED, case(), derivative=lambda x: np.full_like(x, np.nan)))


@pytest.mark.parametrize("name", REPEATS)
def test_one_gradient_that_changed_by_its_last_bit_is_rejected(name: str) -> None:
    first = ask(REQUESTS[name])
    gradient = first.gradient.copy()
    gradient[17] = np.nextafter(gradient[17], np.float32(0))
    outcome = failed(judge(REPEATED, case(), instead={name: Observation(first.value, gradient)}))
    assert outcome.given.startswith(f"{name}, x = ")
    assert outcome.given.endswith(f"1 of {gradient.size} answers changed")
    assert outcome.measured.startswith("gradient[17] = ")
    assert outcome.allowed.endswith(", as at first, bit for bit")
    assert outcome.kind == "weakness"


def test_the_simplest_input_is_told_with_the_severity_of_the_largest_change_and_the_calls_before_it() -> None:
    name = LATER
    first, x = ask(REQUESTS[name]), REQUESTS[name].x
    assert x[3] == 0 != x[5]
    gradient = first.gradient.copy()
    gradient[3] += np.float32(1e-3)
    gradient[5] += np.float32(0.25)
    outcome = failed(judge(REPEATED, case(), instead={name: Observation(first.value, gradient)}))
    assert outcome.given == f"{name}, x = -0: 2 of {gradient.size} answers changed"
    assert outcome.measured.startswith("gradient[3] = ")
    assert outcome.kind == "defect"
    assert outcome.severity == pytest.approx(0.25 / 3, rel=1e-5)  # the largest cotangent is 3
    assert outcome.witness is not None
    assert outcome.witness.index == 3
    assert [r.turn for r in outcome.witness.before] == [0, 1, 2]


def test_what_a_backward_pass_before_it_changed_is_told_without_the_calls_before() -> None:
    request = REQUESTS[ANEW]
    assert request.operation == "vjp again"
    first = ask(request)
    outcome = failed(judge(REPEATED, case(), instead={ANEW: Observation(first.value, first.gradient * np.float32(-2))}))
    assert outcome.given.startswith("call 5, a second cotangent pulled back through one forward pass, x = ")
    assert outcome.kind == "defect"
    assert outcome.witness is not None
    assert (outcome.witness.request.key, outcome.witness.before) == (request.key, ())


def test_a_spike_that_changed_and_another_dtype_are_rejected() -> None:
    first = ask(REQUESTS[AGAIN])
    value = first.value.copy()
    value[7] = 1 - value[7]
    outcome = failed(judge(REPEATED, case(), instead={AGAIN: Observation(value, first.gradient)}))
    assert (outcome.measured[:9], outcome.kind, outcome.severity) == ("spikes[7]", "defect", 1.0)
    wide = Observation(first.value, first.gradient.astype(np.float64))
    assert failed(judge(REPEATED, case(), instead={AGAIN: wide})).measured == "gradient of float64"


def test_a_spike_that_changed_is_a_whole_spike_whatever_the_peak_of_the_gradient() -> None:
    where = case(spec=get_spec("sigmoid"))
    assert where.sweep.expected.peak < 0.5
    name = AGAIN
    first = ask(REPEATED.observe(where)[name])
    value = first.value.copy()
    value[7] = 1 - value[7]
    changed = Observation(value, first.gradient)
    assert failed(judge(REPEATED, where, instead={name: changed})).severity == 1.0


def test_a_nan_in_place_of_a_number_is_rejected() -> None:
    first = ask(REQUESTS[AGAIN])
    gradient = first.gradient.copy()
    gradient[SMALL - 1] = np.nan
    outcome = failed(judge(REPEATED, case(), instead={AGAIN: Observation(first.value, gradient)}))
    assert outcome.measured == f"gradient[{SMALL - 1}] = nan"
    assert outcome.severity == np.inf
