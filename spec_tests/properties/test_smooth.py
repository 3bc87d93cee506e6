from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from handmade import ALPHA, DTYPES, SLAYER, ask, bound, case, failed, judge, passed, slayer, step

from surrogate_core.drivers.base import Observation, Unsupported
from surrogate_core.properties import Case
from surrogate_core.properties.outcome import Outcome, Skipped
from surrogate_core.properties.smooth import SMOOTH
from surrogate_core.spec import get_spec

S = slayer().smooth
Function = Callable[[np.ndarray], np.ndarray]


def offered(function: Function, dtype: str = "float64") -> dict[str, Observation]:
    x = bound(SMOOTH, case())[0]["smooth"].x
    return {"smooth": Observation(function(x.astype(dtype)).astype(dtype))}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", [0.1, 0.7, 10.0])
def test_the_antiderivative_is_accepted(dtype: str, alpha: float) -> None:
    assert passed(judge(SMOOTH, case(dtype, alpha))).figures["dtype"] == "float64"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "function",
    [S, lambda x: S(x) + 0.5 / ALPHA, lambda x: np.sign(x) * (1 - np.exp(-x.dtype.type(ALPHA) * np.abs(x))) / ALPHA],
    ids=["expm1", "shifted", "cancelling"],
)
def test_an_offset_and_roundings_are_accepted(function: Function, dtype: str) -> None:
    passed(judge(SMOOTH, case(), instead=offered(function, dtype)))


WRONG: list[tuple[str, Function, str]] = [
    ("another scale", lambda x: 2 * S(x), "float64"),
    ("another scale in float32", lambda x: 1.01 * S(x), "float32"),
    ("a slope off by 1e-6", lambda x: slayer(ALPHA * (1 + 1e-6)).smooth(x) * (1 + 1e-6), "float64"),
    ("the step itself", lambda x: np.where(x >= 0, 1.0, 0.0), "float64"),
    ("the gradient itself", slayer(), "float64"),
    ("a jump at the threshold", lambda x: S(x) + 1e-6 * (x > 0), "float64"),
    ("falling", lambda x: -S(x), "float64"),
    ("a NaN at the threshold", lambda x: np.where(np.abs(x) < 1e-3, np.nan, S(x)), "float64"),
]


@pytest.mark.parametrize(("name", "function", "dtype"), WRONG, ids=[name for name, *_ in WRONG])
def test_a_function_with_another_derivative_is_rejected(name: str, function: Function, dtype: str) -> None:
    outcome = failed(judge(SMOOTH, case(), instead=offered(function, dtype)))
    assert outcome.allowed.startswith("the pseudo-derivative ")
    assert outcome.witness is not None
    low, high = np.sort(outcome.witness.request.x)
    assert high - low == 2 * outcome.figures["step"]
    assert f"x = {(low + high) / 2:.9g}" in outcome.given


@pytest.mark.parametrize("jump", [1e-3, 1e-6])
def test_a_jump_is_as_bad_as_it_is_high_whatever_the_step(jump: float) -> None:
    outcome = failed(judge(SMOOTH, case(), instead=offered(lambda x: S(x) + jump * (x > 0))))
    assert outcome.figures["jump"] == pytest.approx(jump, rel=1e-2)
    assert outcome.measured.endswith(f", across a jump of {outcome.figures['jump']:.3g}")
    # The peak is 1, and so is the width, a power of two.
    assert outcome.severity == pytest.approx(jump, rel=1e-2)


def test_a_slope_that_is_off_is_as_bad_as_it_is_off_and_no_jump() -> None:
    outcome = failed(judge(SMOOTH, case(), instead=offered(lambda x: 1.5 * S(x))))
    assert outcome.figures["jump"] == 0
    assert outcome.severity == pytest.approx(0.5, rel=1e-6)


def test_a_slope_that_is_off_beside_a_jump_is_told_with_it() -> None:
    outcome = failed(judge(SMOOTH, case(), instead=offered(lambda x: 1.5 * S(x) + 1e-3 * (x > 0))))
    assert outcome.severity == pytest.approx(0.501, rel=1e-2)


def test_a_difference_across_the_kink_allows_what_the_gradient_changes_over_a_step() -> None:
    # The peak of exp(-alpha*|x|) is a kink: the mean over a step is below it by half of alpha*h.
    outcome = passed(judge(SMOOTH, case(), instead=offered(S, "float32")))
    assert outcome.figures["worst"] > 0
    assert outcome.figures["step"] == 2.0**-12


@pytest.mark.parametrize("why", ["none is offered", "not implemented"])
def test_where_none_is_offered_nothing_is_judged(why: str) -> None:
    outcome = judge(SMOOTH, case(), instead={"smooth": Unsupported(why)})
    assert outcome == Skipped("the implementation offers no smooth function of its own")


def test_a_spec_may_promise_nothing_of_it() -> None:
    assert SMOOTH.applies(SLAYER)
    assert not SMOOTH.applies(SLAYER.replace(smooth=False))


# ---- a smooth function that is printed with a jump ------------------------------------------------

CONNECTED = get_spec("s2nn")
PIECEWISE = CONNECTED.replace(smooth="piecewise")


def s2nn(right: Function, left: Function = lambda x: 1 / (1 + np.exp(-4 * x))) -> Function:
    """A function of two branches, the left one S2NN's, which is 1/2 at the threshold."""

    def branched(x: np.ndarray) -> np.ndarray:
        return np.where(x < 0, left(x), right(np.maximum(x, 0)))

    return branched


def judged(function: Function, spec: object = PIECEWISE, dtype: str = "float64") -> Outcome:
    where: Case = replace(case(), spec=spec, parameters=(("alpha", 4.0), ("beta", 1.0)))
    x = bound(SMOOTH, where)[0]["smooth"].x
    return judge(SMOOTH, where, instead={"smooth": Observation(function(x.astype(dtype)).astype(dtype))})


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_jump_of_the_printed_function_is_accepted_where_it_is_printed(dtype: str) -> None:
    printed = s2nn(lambda x: np.log(x + 1) + 1)
    across = passed(judged(printed, dtype=dtype))
    connected = passed(judged(s2nn(lambda x: np.log(x + 1) + 0.5), CONNECTED, dtype))
    assert across.figures["inputs"] == connected.figures["inputs"] - 1  # the threshold alone is left out
    assert failed(judged(printed, CONNECTED, dtype)).figures["jump"] == pytest.approx(0.5, rel=1e-2)


def test_a_printed_jump_excuses_no_nan() -> None:
    outcome = failed(judged(s2nn(lambda x: np.where(x < 1e-3, np.nan, np.log(x + 1) + 1))))
    assert outcome.figures["wrong"] == 1
    assert outcome.given.startswith("x = 0:")


@pytest.mark.parametrize(
    ("function", "side"),
    [
        (s2nn(lambda x: np.log(x + 1 + 1e-5) + 1), 1),
        (s2nn(lambda x: np.log(x + 1) + 1, lambda x: 1 / (1 + np.exp(-4.0001 * x))), -1),
        (s2nn(lambda x: np.log(x + 1) + 1 + 1e-5 * (x > 0.25)), 1),
    ],
    ids=["a slope above the threshold", "a slope below it", "a jump elsewhere"],
)
def test_beside_a_printed_jump_the_slope_is_judged_as_ever(function: Function, side: int) -> None:
    outcome = failed(judged(function))
    assert outcome.witness is not None
    assert np.all(np.sign(outcome.witness.request.x) == side)


def test_a_printed_jump_may_be_where_its_parameter_is_rounded_to() -> None:
    spec = get_spec("boxcar").replace(smooth="piecewise")
    # It jumps at 9/8 + 2^-25, further from 9/8 than the step; of a width held in float32, which is 9/4, at 9/8.
    where = replace(case(), spec=spec, parameters=(("width", 9 / 4 + 2.0**-24), ("height", 0.5)))
    x = bound(SMOOTH, where)[0]["smooth"].x
    jumping = {"smooth": Observation(np.where(np.abs(x) <= 9 / 8, x / 2, 3 * np.sign(x)))}
    outcome = passed(judge(SMOOTH, where, derivative=step, instead=jumping))
    assert (outcome.figures["step"], outcome.figures["inputs"]) == (2.0**-26, x.size // 4 - 2)


def test_it_is_asked_for_in_float64_whatever_the_case() -> None:
    assert {bound(SMOOTH, case(dtype))[0]["smooth"].x.dtype.name for dtype in DTYPES} == {"float64"}
    assert ask(bound(SMOOTH, case("float16"))[0]["smooth"]).value.dtype == np.float64
