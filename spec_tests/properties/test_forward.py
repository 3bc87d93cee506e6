from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from handmade import DTYPES, SLAYER, ask, case, failed, judge, passed, rounded, step

from surrogate_core.drivers.base import Observation, Unsupported
from surrogate_core.properties.base import Case
from surrogate_core.properties.forward import DTYPE, STEP

Forward = Callable[[np.ndarray], Any]


def flushing(where: Case) -> Forward:
    """The step on a platform that takes subnormal numbers for zero."""
    return lambda x: np.where((np.abs(x) < where.format.smallest_normal) | (x >= 0), 1.0, 0.0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_step_accepts_the_declared_step(dtype: str) -> None:
    where = case(dtype)
    outcome = passed(judge(STEP, where))
    covered = {"inputs": where.sweep.x.size, "exhaustive": where.sweep.exhaustive}
    levels = outcome.figures["levels"]
    assert outcome.figures == covered | {"flushed": 0, "subnormal_input": "kept", "levels": levels}
    assert levels["measured"] == levels["declared"]


def test_what_becomes_of_subnormal_input_is_seen_where_the_step_is_silent_at_zero_too() -> None:
    where = case(spec=SLAYER.replace(at_threshold=0))
    kept = passed(judge(STEP, where, lambda x: np.where(x > 0, 1.0, 0.0)))
    flushed = passed(judge(STEP, where, lambda x: np.where(x >= where.format.smallest_normal, 1.0, 0.0)))
    assert (kept.figures["subnormal_input"], flushed.figures["subnormal_input"]) == ("kept", "flushed")


def test_step_keeps_its_stretches_down_to_the_last_number_on_either_side_of_the_threshold() -> None:
    where = case("float16")
    largest, smallest = where.format.largest, float(f"{where.format.smallest_subnormal:.9g}")
    declared = [[-largest, -smallest, 0.0], [-0.0, largest, 1.0]]
    late = failed(judge(STEP, where, lambda x: np.where(x > 0, 1.0, 0.0)))
    assert late.figures["levels"] == {
        "declared": declared,
        "measured": [[-largest, 0.0, 0.0], [smallest, largest, 1.0]],
    }
    assert [np.signbit(row[0]) for row in late.figures["levels"]["declared"]] == [True, True]
    graded = where.spec.replace(forward=sympy.tanh(where.spec.symbols[0]))
    assert "levels" not in failed(judge(STEP, case("float16", spec=graded), np.tanh)).figures  # not rounded as declared


def test_step_accepts_infinity_for_a_count_that_the_format_does_not_hold() -> None:
    where = case("float16", spec=SLAYER.replace(forward=2**16 * SLAYER.step))
    passed(judge(STEP, where, lambda x: np.where(x >= 0, np.inf, 0.0)))
    failed(judge(STEP, where, lambda x: np.where(x >= 0, 65504.0, 0.0)))


@pytest.mark.parametrize(
    ("forward", "given", "measured", "allowed", "severity"),
    [
        (lambda x: np.where(x > 0, 1.0, 0.0), "x = 0 (0x00000000)", "0 (0x00000000)", "exactly 1", 1.0),
        (lambda x: np.where(~np.signbit(x), step(x), 0.0), "x = -0 (0x80000000)", "0 (0x00000000)", "exactly 1", 1.0),
        (lambda x: (np.sign(x) + 1) / 2, "x = 0 (0x00000000)", "0.5 (0x3f000000)", "exactly 1", np.inf),
        (lambda x: np.where(x < 0, 0.0, 1.0), "x = nan (0x7f800001)", "1 (0x3f800000)", "exactly 0", 1.0),
        (lambda x: step(x) * 1.0000002, "x = 0 (0x00000000)", "1.00000024 (0x3f800002)", "exactly 1", 2.384e-7),
        (lambda x: step(-x), "x = 1 (0x3f800000)", "0 (0x00000000)", "exactly 1", 1.0),
        (lambda x: np.where(x >= 0.5, 1.0, 0.0), "x = 0 (0x00000000)", "0 (0x00000000)", "exactly 1", 1.0),
        (lambda x: np.where(np.isinf(x), np.nan, step(x)), "x = inf (0x7f800000)", "nan", "exactly 1", np.inf),
    ],
)
def test_step_rejects_another_forward_at_its_simplest_input(
    forward: Forward, given: str, measured: str, allowed: str, severity: float
) -> None:
    outcome = failed(judge(STEP, case(), forward))
    assert outcome.given == given
    assert outcome.measured.startswith(measured)
    assert outcome.allowed == allowed
    assert outcome.severity == pytest.approx(severity, rel=1e-3)
    assert 0 < outcome.figures["wrong"] <= outcome.figures["inputs"]


def test_step_judges_the_spikes_under_vjp_too() -> None:
    where = case()
    under = ask(STEP.observe(where)["under vjp"], lambda x: np.where(x > 0, 1.0, 0.0))
    outcome = failed(judge(STEP, where, instead={"under vjp": under}))
    assert outcome.witness is not None
    assert outcome.witness.request.operation == "vjp"


@pytest.mark.parametrize("dtype", DTYPES)
def test_step_tolerates_flushed_subnormals_with_a_remark(dtype: str) -> None:
    where = case(dtype)
    outcome = passed(judge(STEP, where, flushing(where)))
    (remark,) = outcome.remarks
    assert remark.startswith(f"{dtype}: subnormal input is taken for zero, by the platform or the code, so that x = -")
    assert outcome.figures["flushed"] > 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_step_does_not_tolerate_flushing_that_the_spec_does_not(dtype: str) -> None:
    where = case(dtype, spec=SLAYER.replace(flushing_tolerated=False))
    outcome = failed(judge(STEP, where, flushing(where)))
    number = float(outcome.given.split()[2])
    assert -where.format.smallest_normal < number < 0
    assert outcome.allowed == "exactly 0; here subnormal input is taken for zero, which the spec does not tolerate"
    assert outcome.figures["wrong"] == outcome.figures["flushed"] > 0
    assert outcome.figures["subnormal_input"] == "flushed"


@pytest.mark.parametrize("tolerated", [True, False])
@pytest.mark.parametrize("flushes", [True, False])
def test_a_wrong_normal_number_hides_not_what_becomes_of_subnormal_input(tolerated: bool, flushes: bool) -> None:
    where = case(spec=SLAYER.replace(flushing_tolerated=tolerated))
    underneath = flushing(where) if flushes else step
    outcome = failed(judge(STEP, where, lambda x: np.where(x == -1, 1.0, underneath(x))))
    assert outcome.allowed == "exactly 0"
    assert outcome.given.startswith("x = -1 (")
    assert outcome.figures["subnormal_input"] == ("flushed" if flushes else "kept")
    flushed = outcome.figures["flushed"]
    assert (flushed > 0, outcome.figures["wrong"]) == (flushes, 1 if tolerated else 1 + flushed)


def test_step_tolerates_flushing_to_what_the_implementation_gives_at_zero_alone() -> None:
    where = case()
    half = failed(judge(STEP, where, lambda x: np.where((x < 0) & (x > -1e-39), 0.5, step(x))))
    assert half.measured.startswith("0.5")


def test_step_does_not_call_a_normal_number_flushed() -> None:
    outcome = failed(judge(STEP, case(), lambda x: np.where(x > -1.5e-38, 1.0, 0.0)))
    assert -1.5e-38 < float(outcome.given.split()[2]) <= -1.17549435e-38


def test_step_follows_the_variant_that_is_declared() -> None:
    strict = case(spec=SLAYER.replace(at_threshold=0))
    passed(judge(STEP, strict, lambda x: np.where(x > 0, 1.0, 0.0)))
    assert failed(judge(STEP, strict)).allowed == "exactly 0"


def test_step_asks_nothing_at_nan_where_nothing_is_promised() -> None:
    where = case(spec=SLAYER.replace(at_nan=None))
    for at_nan in (0.0, 1.0, np.nan):
        outcome = passed(judge(STEP, where, lambda x, v=at_nan: np.where(np.isnan(x), v, step(x))))
        assert outcome.figures["inputs"] == where.sweep.x.size - np.isnan(where.sweep.exact).sum()


def test_step_raises_what_the_implementation_lacks() -> None:
    with pytest.raises(Unsupported, match="no batch"):
        judge(STEP, case(), instead={"alone": Unsupported("no batch")})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("what", ["spikes", "gradient"])
def test_dtype_rejects_any_other_format(dtype: str, what: str) -> None:
    where = case(dtype)
    right = ask(DTYPE.observe(where)["sweep"])
    for other in set(DTYPES) - {dtype}:
        wrong = rounded(right.value, case(other).format.dtype)
        pair = (wrong, right.derivative) if what == "spikes" else (right.value, wrong)
        outcome = failed(judge(DTYPE, where, instead={"sweep": Observation(*pair)}))
        assert (outcome.given, outcome.measured) == (f"x of dtype {dtype}", f"{what} of dtype {other}")
        assert outcome.allowed == f"{what} of dtype {dtype}"
        assert outcome.severity is None


def test_dtype_rejects_booleans_and_integers() -> None:
    right = ask(DTYPE.observe(case())["sweep"])
    for kind in (np.bool_, np.int32):
        outcome = failed(judge(DTYPE, case(), instead={"sweep": Observation(right.value.astype(kind), right.gradient)}))
        assert outcome.measured == f"spikes of dtype {np.dtype(kind).name}"
