from __future__ import annotations

import math

import numpy as np
import pytest
from handmade import ALPHA, ask, case, failed, judge, passed

from surrogate_core.properties.base import whole_sweep
from surrogate_core.properties.gradient import ORACLE
from surrogate_core.properties.portrait import WINDOW, portrait


def test_a_portrait_holds_peak_area_and_what_becomes_of_the_threshold_and_of_nan() -> None:
    where = case("float32")
    found = portrait(where, ask(whole_sweep(where)))
    assert (found["spike_at_zero"], found["spike_at_nan"]) == (1.0, 0.0)
    assert found["gradient_at_nan"] is None
    assert (found["at_zero"], found["peak"], found["peak_at"]) == (1.0, 1.0, 0.0)
    x = np.sort(where.sweep.exact[np.abs(where.sweep.exact) <= WINDOW])
    # Between two points the trapezoidal rule errs by h^3/12 times the largest curvature there.
    curvature = ALPHA**2 * np.exp(-ALPHA * np.minimum(np.abs(x[1:]), np.abs(x[:-1])))
    error = float((np.diff(x) ** 3 / 12 * curvature).sum())
    assert error < 0.01
    assert found["area"] == pytest.approx(2 / ALPHA, abs=error + 5e-6)


def test_the_peak_is_looked_for_where_the_gradient_is_a_number() -> None:
    def astray(x: np.ndarray) -> np.ndarray:
        return np.where(x > 50, np.nan, 3 * np.exp(-ALPHA * np.abs(x - 1)))

    where = case("float32")
    found = portrait(where, ask(whole_sweep(where), derivative=astray))
    assert (found["peak"], found["peak_at"]) == (3.0, 1.0)
    assert found["at_zero"] == pytest.approx(3 * math.exp(-ALPHA), abs=5e-6)  # six digits
    assert found["area"] is None


def test_the_portrait_is_kept_whatever_comes_of_the_judgement_and_in_float32_alone() -> None:
    where = case("float32")
    assert passed(judge(ORACLE, where)).figures["portrait"]["peak"] == 1.0
    doubled = failed(judge(ORACLE, where, derivative=lambda x: 2 * np.exp(-ALPHA * np.abs(x))))
    assert doubled.figures["portrait"]["peak"] == 2.0
    assert "portrait" not in passed(judge(ORACLE, case("float16"))).figures
