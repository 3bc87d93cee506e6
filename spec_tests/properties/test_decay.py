from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from handmade import ALPHA, DTYPES, SLAYER, case, failed, judge, passed, slayer

from surrogate_core.drivers.base import Unsupported
from surrogate_core.properties.decay import DECAY, FEWEST
from surrogate_core.properties.outcome import Skipped
from surrogate_core.spec import Even, LogLinearDecay, get_spec

G = slayer()
Derivative = Callable[[np.ndarray], Any]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", [0.1, ALPHA, 10.0])
def test_decay_measures_the_declared_slope_on_both_sides(dtype: str, alpha: float) -> None:
    where = case(dtype, alpha)
    figures = passed(judge(DECAY, where)).figures
    assert figures["claimed_slope"] == -alpha
    for side in ("left", "right"):
        fit = figures[side]
        assert abs(fit["slope"] + alpha) <= fit["allowed_slope_error"]
        assert abs(fit["curvature"]) <= fit["allowed_curvature"]
        assert fit["slope"] == pytest.approx(-alpha, rel=8 * where.format.unit_roundoff)
        low, high = fit["interval"]
        assert low <= fit["slope"] <= high
        assert low < high or dtype == "float64"  # whose interval is narrower than one ulp of the slope
        assert fit["largest_residual"] < max(2 * where.format.unit_roundoff, 1e-12)  # the logarithms round too
        assert fit["rungs"] >= FEWEST
        assert len(fit["points"]["distance"]) == len(fit["points"]["log"])
        assert np.sign(fit["largest_residual_at"]) == (1 if side == "right" else -1)


def test_decay_reports_the_interval_of_an_ordinary_fit() -> None:
    fit = passed(judge(DECAY, case("float16"))).figures["right"]
    distance, log = (np.array(fit["points"][k]) for k in ("distance", "log"))
    slope, _ = np.polyfit(distance, log, 1)
    assert fit["slope"] == pytest.approx(slope, rel=1e-4)
    assert fit["interval"][1] - fit["interval"][0] < 2e-3


@pytest.mark.parametrize(
    ("dtype", "wrong", "measured"),
    [
        ("float32", lambda x: np.exp(-ALPHA * (1 + 1e-5) * np.abs(x)), "slope of log g' -0.70000"),
        ("float64", lambda x: np.exp(-ALPHA * (1 + 1e-12) * np.abs(x)), "slope of log g' -0.7000000000007"),
        ("float32", lambda x: np.exp2(-ALPHA * 1.4427 * np.abs(x)), "slope of log g' -0.70000"),
        ("float16", lambda x: np.exp(-ALPHA * 1.02 * np.abs(x)), "slope of log g' -0.71"),
        ("float32", lambda x: np.exp(-0.5 * np.abs(x)), "slope of log g' -0.5 (slope -0.5, 95 % interval -0.5 to"),
        ("float32", lambda x: np.ones_like(x), "slope of log g' 0"),
        ("float32", lambda x: G(x) * np.exp(1e-6 * x**2), "slope of log g' -0.6"),
    ],
)
def test_decay_rejects_another_slope(dtype: str, wrong: Derivative, measured: str) -> None:
    outcome = failed(judge(DECAY, case(dtype), derivative=wrong))
    assert outcome.given.endswith("inputs on the right of the threshold")
    assert outcome.measured.startswith(measured)
    assert outcome.allowed.startswith("-0.7 ± ")
    assert outcome.figures["claimed_slope"] == -ALPHA
    measured_slope = float(outcome.measured.removeprefix("slope of log g' ").split()[0])
    assert abs(measured_slope + ALPHA) > float(outcome.allowed.removeprefix("-0.7 ± "))
    assert outcome.severity is None


def test_decay_rejects_a_parabola_whose_mean_slope_is_right() -> None:
    where = case("float32")
    distance = np.abs(where.sweep.exact[where.sweep.ladder(where.format, 1)])
    # Curvature with its least-squares line taken out again.
    line = np.polynomial.Polynomial.fit(distance, distance**2, 1).convert()

    def bent(x: np.ndarray) -> np.ndarray:
        return G(x) * np.exp(1e-8 * (x**2 - line(np.abs(x))))

    outcome = failed(judge(DECAY, where, derivative=bent))
    assert outcome.measured.startswith("curvature of log g' 1e-08 (slope -0.7")
    assert outcome.allowed.startswith("0 ± ")


def test_decay_looks_at_the_left_side_too() -> None:
    outcome = failed(judge(DECAY, case(), derivative=lambda x: np.exp(-ALPHA * np.where(x < 0, 1.1, 1) * np.abs(x))))
    assert outcome.given.endswith("inputs on the left of the threshold")
    assert outcome.measured.startswith("slope of log g' -0.7699")
    assert outcome.witness is not None
    assert outcome.witness.index is not None
    assert outcome.witness.request.x[outcome.witness.index] < 0


@pytest.mark.parametrize("instead", [0.0, -1e-3, np.nan, np.inf])
def test_decay_rejects_what_has_no_logarithm(instead: float) -> None:
    outcome = failed(judge(DECAY, case(), derivative=lambda x: np.where(np.abs(x) > 20, instead, G(x))))
    assert 20 < float(outcome.given.split()[2]) < 22
    assert outcome.allowed == "finite, greater than 0: the window is normal"
    assert outcome.severity is not None


def test_decay_is_not_fooled_by_a_scaled_gradient() -> None:
    # A factor leaves the slope alone: that is the oracle's and the peak's business.
    figures = passed(judge(DECAY, case(), derivative=lambda x: 2 * G(x))).figures
    assert figures["right"]["intercept"] == pytest.approx(np.log(2), rel=1e-6)


def test_too_few_inputs_are_skipped_and_say_so() -> None:
    outcome = judge(DECAY, case("float16", alpha=1e9))
    assert isinstance(outcome, Skipped)
    assert outcome.reason.startswith("only 0 inputs of float16 have a normal gradient on the right")


def test_decay_applies_where_it_is_claimed_and_takes_a_number_as_slope() -> None:
    assert DECAY.applies(SLAYER)
    assert not DECAY.applies(SLAYER.replace(claims=(Even(),)))
    alpha = SLAYER.parameters[0].symbol
    fixed = SLAYER.replace(gradient=SLAYER.gradient.subs(alpha, 2), claims=(LogLinearDecay(-2.0),))
    assert passed(judge(DECAY, case(spec=fixed), derivative=slayer(2.0))).figures["claimed_slope"] == -2.0


def test_decay_raises_what_the_implementation_lacks() -> None:
    with pytest.raises(Unsupported, match="differentiation"):
        judge(DECAY, case(), instead={"sweep": Unsupported("differentiation")})


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_exponential_that_is_flushed_before_it_is_scaled_ends_the_ladder_and_one_cut_earlier_does_not(
    dtype: str,
) -> None:
    where = case(dtype, 10.0, spec=get_spec("piecewise_exponential"))
    smallest = where.format.smallest_normal

    def cut(limit: float) -> Derivative:
        e = slayer(10.0)
        return lambda x: 5 * np.where(e(x) < limit, 0.0, e(x))

    assert passed(judge(DECAY, where, derivative=cut(smallest)))
    assert failed(judge(DECAY, where, derivative=cut(smallest**0.5))).measured.startswith("0 (0x")
