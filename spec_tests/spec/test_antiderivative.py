from __future__ import annotations

import pickle
import time
from typing import Any

import mpmath
import pytest
import sympy
from branched import ALPHA, ASYMMETRIC, BOXCAR, HALF_EDGED, LEAKY, ONE_SIDED, QUADRATIC, SIGNED, SMOOTH, TRIANGLE, alpha
from sympy import Abs, Interval, Piecewise, Rational, Symbol, atan, cos, erf, exp, log, oo, pi, sech, sin, sqrt, tanh

from surrogate_core.spec import Parameter, Spec, antiderivative, get_spec, x

SLAYER = get_spec("slayer")
q = Symbol("q", positive=True)


def declare(gradient: Any, *at: Any) -> Spec:
    exponent = Parameter(q, 2.5, Interval.open(1, oo), (1.5, 4))
    parameters = [p for p in (ALPHA, exponent) if p.symbol in sympy.sympify(gradient).free_symbols]
    return Spec("any", "Any", "nowhere", gradient, parameters, breakpoints=at)


def found(gradient: Any, *at: Any) -> Any:
    return declare(gradient, *at).antiderivative


def same(one: Any, other: Any) -> bool:
    """Whether two expressions agree to 30 digits on both sides of the threshold, for two parameter sets."""
    values = [{alpha: Rational(7, 10), q: Rational(5, 2)}, {alpha: 3, q: 2}]
    at = [{x: Rational(k, 7), **v} for k in (-40, -9, -2, 1, 3, 11, 50) for v in values]
    return all(abs(sympy.N(one.subs(p) - other.subs(p), 30)) < Rational(1, 10**25) for p in at)


@pytest.mark.parametrize(
    ("gradient", "smooth"),
    [
        (SLAYER.gradient, sympy.sign(x) * (1 - exp(-alpha * Abs(x))) / alpha),
        (1 / (1 + alpha * Abs(x)) ** 2, x / (1 + alpha * Abs(x))),
        (1 / (1 + alpha * Abs(x)), sympy.sign(x) * log(1 + alpha * Abs(x)) / alpha),
        (alpha / 2 / (1 + (pi / 2 * alpha * x) ** 2), atan(pi / 2 * alpha * x) / pi),
        (alpha * exp(-alpha * x) / (1 + exp(-alpha * x)) ** 2, 1 / (1 + exp(-alpha * x)) - Rational(1, 2)),
        (1 - tanh(alpha * x) ** 2, tanh(alpha * x) / alpha),
        (sech(alpha * x) ** 2, tanh(alpha * x) / alpha),
        (alpha * exp(-((alpha * x) ** 2)) / sqrt(pi), erf(alpha * x) / 2),
        (exp(-((x - alpha) ** 2)), sqrt(pi) / 2 * (erf(x - alpha) + erf(alpha))),
        ((1 + Abs(x)) ** (-q), sympy.sign(x) * (1 - (1 + Abs(x)) ** (1 - q)) / (q - 1)),
        (cos(3 * x) + 2 * cos(x), sin(3 * x) / 3 + 2 * sin(x)),
        (sympy.Integer(1), x),
    ],
    ids=str,
)
def test_the_antiderivative_of_a_known_family_is_the_known_one(gradient: Any, smooth: Any) -> None:
    assert same(found(gradient), smooth)


@pytest.mark.parametrize(
    ("spec", "smooth"),
    [
        (BOXCAR, sympy.Min(Rational(1, 2), sympy.Max(-Rational(1, 2), alpha * x))),
        (HALF_EDGED, sympy.Min(Rational(1, 2), sympy.Max(-Rational(1, 2), alpha * x))),
        (ASYMMETRIC, sympy.Min(2 * alpha, sympy.Max(-alpha, x))),
        (ONE_SIDED, sympy.Heaviside(x) * (1 - exp(-alpha * x)) / alpha),
        (SIGNED, (1 - exp(-alpha * Abs(x))) / alpha),
        (SMOOTH, sympy.sign(x) * (1 - sympy.Max(0, 1 - alpha * Abs(x)) ** 3) / (3 * alpha)),
        (TRIANGLE, sympy.sign(x) * (1 - sympy.Max(0, 1 - alpha * Abs(x)) ** 2) / (2 * alpha)),
        (QUADRATIC, sympy.sign(x) * (1 - sympy.Max(0, 1 - alpha * Abs(x)) ** 2) / 2),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_branches_are_glued_so_that_the_whole_is_continuous(spec: Spec, smooth: Any) -> None:
    assert same(spec.antiderivative, smooth)


def test_a_leak_is_integrated_on_either_side_of_its_window() -> None:
    leak, edge = Rational(1, 10), 1 / (2 * alpha)
    smooth = LEAKY.replace(gradient=LEAKY.gradient.subs(0.1, leak)).antiderivative
    assert smooth is not None
    assert same(smooth, Piecewise((x, Abs(x) < edge), (sympy.sign(x) * (edge + leak * (Abs(x) - edge)), True)))


@pytest.mark.parametrize("gradient", [exp(-(x**4)), sin(exp(x)) * tanh(x**2), 1 / (exp(x) + x**2)], ids=str)
def test_where_none_is_found_there_is_none(gradient: Any) -> None:
    assert found(gradient) is None


def test_a_search_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(antiderivative, "PATIENCE", 0.2)

    def endless(*_: Any) -> None:
        while True:
            sympy.expand(x + 3)

    monkeypatch.setattr(antiderivative, "manualintegrate", endless)
    start = time.monotonic()
    assert found(exp(-(x**4))) is None
    assert time.monotonic() - start < 5
    # Nothing of it stays behind.
    assert found(cos(x) * exp(-Abs(x)) + 1 / (1 + Abs(x))) is None
    monkeypatch.undo()
    assert same(found(cos(5 * x)), sin(5 * x) / 5)


def test_an_antiderivative_with_another_derivative_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(antiderivative, "manualintegrate", lambda formula, x: sympy.erf(x))
    assert found(exp(-(x**2))) is None
    # Off by far less than float64 would show.
    nearly = sqrt(pi) / 2 * (1 + Rational(1, 10**30))
    monkeypatch.setattr(antiderivative, "manualintegrate", lambda formula, x: sympy.erf(x) * nearly)
    assert found(exp(-(x**2))) is None
    monkeypatch.setattr(antiderivative, "manualintegrate", lambda formula, x: sympy.erf(x) * sqrt(pi) / 2)
    assert found(exp(-(x**2))) is not None


def test_decimals_are_the_binary_numbers_that_they_are_everywhere_else() -> None:
    smooth = found(Piecewise((1, Abs(x) < 0.3), (0.1, True)), -0.3, 0.3)
    assert smooth is not None
    assert not smooth.atoms(sympy.Float)


def test_a_spec_looks_for_its_antiderivative_when_it_is_asked_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    genuine = antiderivative.antiderivative
    monkeypatch.setattr(antiderivative, "antiderivative", lambda *a: calls.append(1) or genuine(*a))
    spec = declare(SLAYER.gradient)
    assert not calls
    assert spec.antiderivative is spec.antiderivative
    assert len(calls) == 1
    there = pickle.loads(pickle.dumps(spec))
    assert there == spec
    assert there.antiderivative == spec.antiderivative
    assert spec.replace(title="Other").title == "Other"


def test_the_antiderivative_differentiates_to_the_formula_at_every_parameter() -> None:
    with mpmath.workdps(40):
        smooth = sympy.lambdify((x, alpha), SLAYER.antiderivative, "mpmath")
        for rate in (0.1, 0.7, 10.0):
            for point in (-3.0, -0.01, 0.2, 5.0):
                slope = mpmath.diff(lambda v, r=rate: smooth(v, mpmath.mpf(r)), mpmath.mpf(point))
                assert abs(slope - mpmath.exp(-mpmath.mpf(rate) * abs(mpmath.mpf(point)))) < 1e-15
