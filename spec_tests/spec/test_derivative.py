from __future__ import annotations

import numpy as np
import pytest
from sympy import Abs, Expr, Interval, Max, Piecewise, Symbol, cosh, erf, exp, oo, sqrt, tanh

from surrogate_core.spec import FORMATS, Parameter, Spec, x
from surrogate_core.spec.derivative import slope

a = Symbol("a", positive=True)
POINTS = np.concatenate([s * np.array([1 / 16, 1 / 8, 0.375, 1.0, 2.75, 6.0]) for s in (1, -1)])
SINGLE, DOUBLE = FORMATS["float32"], FORMATS["float64"]


def spec(gradient: Expr) -> Spec:
    return Spec("other", "Other", "nowhere", gradient, (Parameter(a, 1.5, Interval.open(0, oo), (0.5, 2)),))


A = (("a", 1.5),)


def test_the_derivative_of_an_exponential_is_exact_to_float64() -> None:
    found = slope(spec(exp(-a * Abs(x))), A, DOUBLE, POINTS)
    g = np.exp(-1.5 * np.abs(POINTS))
    np.testing.assert_allclose(found.value, -1.5 * np.sign(POINTS) * g, rtol=1e-15)
    by_rate = slope(spec(exp(-a * Abs(x))), A, DOUBLE, POINTS, "a")
    np.testing.assert_allclose(by_rate.value, -np.abs(POINTS) * g, rtol=1e-15)
    assert found.smooth.all()
    assert by_rate.smooth.all()


def test_the_bound_of_one_path_counts_its_factors() -> None:
    # |x|, times a, exp: three factors on one path; then 2*|x d'| + 2*|a d'| for d = -a*sign(x)*g'.
    found = slope(spec(exp(-a * Abs(x))), A, SINGLE, np.array([2.0]))
    d = 1.5 * np.exp(-3.0)
    moved = 2 * 3.0 * d + 2 * abs(d - 3.0 * d)
    assert found.bound[0] == pytest.approx(2.0**-24 * ((5 * 3 + 1) * d + moved))


FORMULAS: list[Expr] = [
    exp(-a * Abs(x)),
    a * exp(-a * x) / (1 + exp(-a * x)) ** 2,
    1 / (1 + (a * x) ** 2),
    1 / (1 + a * Abs(x)) ** 2,
    exp(-((a * x) ** 2)),
    a * (1 - tanh(a * Abs(x) / 4) ** 2),
    1 / cosh(a * x) ** 2,
    1 / sqrt(1 + a * x**2),
    1 - erf(a * Abs(x)),
    Piecewise((1 - Abs(x) / a, Abs(x) < a), (0, True)),
    Max(0, 1 - a * Abs(x)),
]


@pytest.mark.parametrize("gradient", FORMULAS, ids=str)
@pytest.mark.parametrize("by", ["x", "a"])
def test_differentiating_the_formula_as_it_is_written_stays_within_the_bound(gradient: Expr, by: str) -> None:
    jax = pytest.importorskip("jax")
    from sympy import lambdify

    fmt = SINGLE
    found = slope(spec(gradient), A, fmt, POINTS, by)
    numpy = jax.numpy
    function = lambdify((x, a), gradient, [{"erf": jax.scipy.special.erf}, "jax"])
    points, rate = numpy.asarray(POINTS, "float32"), numpy.float32(1.5)
    computed = jax.vmap(jax.grad(function, argnums="xa".index(by)), in_axes=(0, None))(points, rate)
    error = np.abs(np.asarray(computed, np.float64) - found.value)
    assert (error <= found.bound + fmt.smallest_normal)[found.smooth].all()
    assert found.smooth.sum() >= 8


def test_paths_that_cancel_are_counted_before_they_do() -> None:
    # Near the flat top of a sigmoid's derivative the second derivative is small, its terms are not.
    flat = slope(spec(a * exp(-a * x) / (1 + exp(-a * x)) ** 2), A, SINGLE, np.array([2.0**-10]))
    assert abs(flat.value[0]) < 0.002
    assert flat.bound[0] > 2.0**-24


def test_a_kink_and_a_jump_and_the_threshold_are_not_smooth() -> None:
    triangle = spec(Max(0, 1 - a * Abs(x)))
    found = slope(triangle, (("a", 2.0),), SINGLE, np.array([0.0, 0.25, 0.5, -0.5, 0.75]))
    assert found.smooth.tolist() == [False, True, False, False, True]
    np.testing.assert_array_equal(found.value[[1, 4]], [-2.0, 0.0])
