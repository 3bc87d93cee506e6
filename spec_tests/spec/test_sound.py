"""What no spec can hold is refused when it is made: what was given, what was expected, what to do."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from sympy import Abs, Interval, Piecewise, Symbol, exp, oo, sqrt

from surrogate_core.errors import BadInput
from surrogate_core.spec import Area, Parameter, Peak, Spec, model, x

a = Symbol("a", positive=True)
FORMULA = exp(-a * Abs(x))
POSITIVE: Any = Interval.open(0, oo)
NAN, INF = float("nan"), float("inf")


def parameter(**changes: Any) -> Parameter:
    return Parameter(**{"symbol": a, "default": 1.0, "domain": POSITIVE, "typical": (0.1, 10), **changes})


def spec(**changes: Any) -> Spec:
    return Spec(
        **{"name": "mine", "title": "", "source": "", "gradient": FORMULA, "parameters": [parameter()], **changes}
    )


def refused(make: Any, **changes: Any) -> str:
    with pytest.raises(BadInput) as caught:
        make(**changes)
    return caught.value.given


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"default": NAN}, "a=nan"),
        ({"default": INF}, "a=inf"),
        ({"default": "1"}, "the default '1'"),
        ({"typical": (1, INF)}, "a=inf"),
        ({"typical": (NAN, 1)}, "a=nan"),
        ({"typical": (10, 1)}, "the typical range (10, 1)"),
        ({"typical": (1,)}, "the typical range (1,)"),
        ({"typical": None}, "the typical range None"),
        ({"domain": Interval(3, 1)}, "the domain EmptySet"),
        ({"domain": Interval(oo, oo)}, "the domain EmptySet"),
        ({"domain": Interval(0, a)}, "the domain Interval(0, a)"),
        ({"domain": sympy.FiniteSet(1, 2)}, "the domain {1, 2}"),
        ({"domain": (0, 1)}, "the domain (0, 1)"),
        ({"symbol": "a"}, "the symbol 'a'"),
        ({"symbol": Symbol("<script>")}, "the symbol '<script>'"),
        ({"symbol": Symbol("a" * 1_000_000)}, "the symbol 'aaa"),
    ],
)
def test_a_parameter_without_a_sound_value_or_domain_is_refused(changes: dict[str, Any], said: str) -> None:
    assert said in refused(parameter, **changes)


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        (sympy.I * FORMULA, "is complex"),
        (sqrt(1 - a * Abs(x)), "is complex"),
        (sympy.log(Abs(x)), "at x=0.0"),
        (sympy.nan, "is NaN"),
        (oo, "is infinite"),
        (sympy.zoo, "is no number"),
        (a / x, "jumps at x=0.0"),
        (1 / Abs(x - 1), "jumps at x=1.0"),
        (Piecewise((1, x < -1), (2, x > 1)), "is without a value at x=0.0"),
        (Piecewise((a, x < 0), (sympy.nan, True)), "1.0 on the left, nan there, nan on the right"),
        (sympy.Function("f")(x), "f(x) is not defined"),
        (sympy.DiracDelta(x), "DiracDelta has no value at 0"),
        (sympy.besselj(x, 2), "cannot be differentiated by x"),
        (x > 0, "which is a StrictGreaterThan"),
        (sympy.Matrix([x]), "which is a"),
        ((x, a), "which is a Tuple"),
        (None, "which is a NoneType"),
        ("exp(", "which sympy cannot read"),
        (print, "which sympy cannot read"),
    ],
)
def test_a_formula_that_is_no_real_finite_number_everywhere_is_refused(formula: Any, said: str) -> None:
    assert said in refused(spec, gradient=formula)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "the name ''"),
        ({"name": "a\nb"}, "the name 'a\\nb'"),
        ({"name": "\x1b[2J"}, "the name '\\x1b[2J'"),
        ({"name": "x" * 1_000_000}, "the name 'xxx"),
        ({"at_threshold": NAN}, "at_threshold=nan"),
        ({"at_threshold": "x"}, "at_threshold='x'"),
        ({"forward": sqrt(x)}, "the forward formula sqrt(x) is complex"),
        ({"forward": Piecewise((1, x > 1))}, "is without a value"),
        ({"claims": None}, "claims=None"),
        ({"claims": ["even"]}, "the claim 'even'"),
        ({"claims": [Peak(oo)]}, "+inf is no finite real number"),
        ({"claims": [Area(sympy.nan)]}, "nan is no finite real number"),
        ({"parameters": 5}, "parameters=5"),
        ({"parameters": [a]}, "parameters=[a]"),
        ({"parameters": [parameter(), parameter()]}, "the parameter a twice"),
        ({"breakpoints": [sympy.nan]}, "the breakpoints nan"),
    ],
)
def test_a_spec_with_a_field_that_means_nothing_is_refused(changes: dict[str, Any], said: str) -> None:
    assert said in refused(spec, **changes)


def test_a_formula_that_grows_beyond_every_format_is_one_all_the_same() -> None:
    assert spec(gradient=exp(a * Abs(x))).gradient == exp(a * Abs(x))


def test_a_formula_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "PATIENCE", 0.2)
    assert "took more than 0.2 s to verify" in refused(spec, gradient=exp(exp(a * x**2)))
