from __future__ import annotations

from dataclasses import replace

import pytest
from deviating import BROKEN, RAISED, result

from surrogate_core.engine.deviations import difference
from surrogate_core.engine.deviations.same import pinned, raised
from surrogate_core.engine.result import Result
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Passed

PINNED = pinned(result(BROKEN), "standard")


def told(found: Result, profile: str = "standard") -> str:
    return difference(PINNED, found, profile)


def test_a_failure_is_the_same_as_itself_whatever_else_is_told_of_it() -> None:
    again = replace(BROKEN, severity=0.5, figures={"wrong": 3}, script="import jax\n", allowed="about 0.37")
    assert told(result(again)) == ""
    assert told(result(ExpectedFailure(again, "it is known"))) == ""


@pytest.mark.parametrize(
    ("measured", "same"),
    [
        ("0.40656969 (0x3ed029e7)", True),  # one ulp, as another exponential rounds
        ("0.4065 (0x3ed029e7)", True),
        ("0.41 (0x3ed029e7)", False),
        ("0.0387 (0x3d1e83e4)", False),
        ("nan (0x7fc00000)", False),
        ("-0.40656966 (0xbed029e6)", False),
        ("spike 0.40656966 (0x3ed029e6)", False),
    ],
)
def test_measured_is_the_same_up_to_rounding(measured: str, same: bool) -> None:
    assert (told(result(replace(BROKEN, measured=measured))) == "") is same


def test_half_the_digits_are_those_of_the_format() -> None:
    half = pinned(result(BROKEN, dtype="float16"), "standard")
    near = replace(BROKEN, measured="0.41 (0x368f)")
    assert difference(half, result(near, dtype="float16"), "standard") == ""
    wide = pinned(result(BROKEN, dtype="float64"), "standard")
    assert difference(wide, result(near, dtype="float64"), "standard")


def test_what_a_cancellation_leaves_is_the_same_as_nothing() -> None:
    some = pinned(result(replace(BROKEN, measured="5.96e-08 (0x33800000)")), "standard")
    assert difference(some, result(replace(BROKEN, measured="0 (0x00000000)")), "standard") == ""
    assert difference(some, result(replace(BROKEN, measured="1e-05 (0x3727c5ac)")), "standard")


def test_a_counterexample_is_known_by_its_bits_however_many_digits_tell_it() -> None:
    nine = replace(BROKEN, given="x = 0.7 (0x3fe6666666666669)")
    all_of_it = replace(BROKEN, given="x = 0.7000000000000003 (0x3fe6666666666669)")
    other = replace(BROKEN, given="x = 0.7 (0x3fe6666666666666)")
    pin = pinned(result(nine, dtype="float64"), "standard")
    assert difference(pin, result(all_of_it, dtype="float64"), "standard") == ""
    assert "the counterexample is" in difference(pin, result(other, dtype="float64"), "standard")


def test_another_counterexample_is_another_failure_in_the_profile_that_pinned_it() -> None:
    elsewhere = result(replace(BROKEN, given="x = 0.5 (0x3f000000)"))
    assert "the counterexample is x = 0.5 (0x3f000000), not x = -1" in told(elsewhere)
    assert told(elsewhere, "quick") == ""  # which looks at other inputs


def test_nan_is_the_same_as_nan() -> None:
    nan = replace(BROKEN, measured="nan (0x7fc00000)")
    assert difference(pinned(result(nan), "quick"), result(replace(nan, measured="nan (0xffc00000)")), "quick") == ""


def test_of_a_search_only_the_words_count() -> None:
    found = Failed("call 2 of 3 calls to 1 instance: vjp at x = 1 (0x3f800000)", "spike 0 (0x00000000)", "exactly 1")
    pin = pinned(result(found, "state.instances"), "standard")
    assert pin.given == ""
    shrunk = replace(found, given="call 1 of 1 call", measured="spike 3 (0x40400000)")
    assert difference(pin, result(shrunk, "state.instances"), "standard") == ""
    other = replace(found, measured="0.4 (0x3ecccccd)")
    assert "it measured 0.4" in difference(pin, result(other, "state.instances"), "standard")


def test_an_exception_is_the_same_where_its_type_and_its_message_are() -> None:
    pin = pinned(result(RAISED), "standard")
    assert pin.raised == "TypeError: no rule for float16"
    assert difference(pin, result(RAISED), "standard") == ""
    assert difference(pin, result(Errored("TypeError: another")), "standard")
    assert difference(replace(pin, raised="TypeError"), result(Errored("TypeError: another")), "standard") == ""
    assert difference(replace(pin, raised="TypeError: * for *16"), result(RAISED), "standard") == ""
    assert difference(replace(pin, raised="ValueError"), result(RAISED), "standard")


def test_a_failure_and_an_error_differ() -> None:
    assert "it raised TypeError" in told(result(RAISED))
    assert "did not raise TypeError" in difference(pinned(result(RAISED), "quick"), result(BROKEN), "quick")


def test_a_pinned_message_leaves_out_what_changes_from_run_to_run() -> None:
    message = "RuntimeError: <f at 0x7f3a9c0012f0> in /home/me/mine.py of 1048576 bytes\nand more"
    assert raised(Errored(message)) == "RuntimeError: <f at *> in * of * bytes"
    assert difference(pinned(result(Errored(message)), "quick"), result(Errored(message)), "quick") == ""
    long = Errored(f"ValueError: {'long ' * 100}")
    assert len(raised(long)) <= 121
    assert difference(pinned(result(long), "quick"), result(long), "quick") == ""


def test_what_passes_has_no_pin() -> None:
    with pytest.raises(ValueError, match="does not fail"):
        pinned(result(Passed()), "quick")
    with pytest.raises(ValueError, match="does not fail"):
        told(result(Passed()))


def test_what_a_pin_leaves_out_is_not_compared() -> None:
    loose = replace(PINNED, given="", measured="")
    assert difference(loose, result(Failed("x = 9 (0x41100000)", "7 (0x40e00000)", "0")), "standard") == ""
