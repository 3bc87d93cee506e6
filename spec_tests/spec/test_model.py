from __future__ import annotations

import pickle
from typing import Any

import pytest
from sympy import Abs, Interval, Symbol, exp, oo, sign

from surrogate_core.errors import BadInput
from surrogate_core.spec import Even, NonIncreasing, Parameter, Peak, Spec, get_spec, spec_names, x

SLAYER = get_spec("slayer")
alpha, beta = Symbol("alpha", positive=True), Symbol("beta", positive=True)


def parameter(symbol: Symbol = alpha, **changes: Any) -> Parameter:
    return Parameter(symbol, **{"default": 1.0, "domain": Interval.open(0, oo), "typical": (0.1, 10.0), **changes})


def two() -> Spec:
    return Spec("two", "Two", "nowhere", beta * exp(-alpha * Abs(x)), (parameter(), parameter(beta, default=2.0)))


def test_an_undeclared_symbol_is_an_error_that_names_it() -> None:
    with pytest.raises(BadInput, match=r"formula exp\(-beta\*Abs\(x\)\)\n.*parameters \(alpha\)\n.*declare beta"):
        Spec("odd", "Odd", "nowhere", exp(-beta * Abs(x)), (parameter(),))


def test_another_symbol_called_x_is_not_the_variable() -> None:
    with pytest.raises(BadInput, match=r"\(none\)\n.*declare x as Parameter, or use the real symbol x"):
        Spec("odd", "Odd", "nowhere", exp(-Abs(Symbol("x"))))


def test_an_undeclared_symbol_in_the_forward_formula_is_an_error_too() -> None:
    with pytest.raises(BadInput, match="declare beta"):
        SLAYER.replace(forward=sign(x) * beta)


def test_a_formula_may_be_a_number() -> None:
    one: Any = 1
    straight_through = Spec("ste", "Straight through", "nowhere", gradient=one, claims=[Even()])
    assert straight_through.gradient == 1
    assert straight_through.claims == (Even(),)
    assert straight_through.grid("standard") == ((),)


def test_replace_changes_one_thing_and_keeps_the_rest() -> None:
    variant = SLAYER.replace(at_threshold=0)
    assert (variant.at_threshold, variant.gradient, variant.claims) == (0, SLAYER.gradient, SLAYER.claims)
    assert SLAYER.at_threshold == 1
    assert variant != SLAYER
    assert variant.step.subs(x, 0) == 0
    assert SLAYER.step.subs(x, 0) == 1
    assert SLAYER.replace(at_threshold=0.5).step.subs(x, 0) == 0.5


def test_the_name_of_a_variant_says_what_varies() -> None:
    assert SLAYER.replace(at_threshold=0, at_nan=None).name == "slayer(at_threshold=0, at_nan=None)"
    assert SLAYER.replace(claims=()).name == "slayer(claims)"
    assert SLAYER.replace(name="strict", flushing_tolerated=False).name == "strict"


def test_replace_verifies_the_claims_anew() -> None:
    with pytest.raises(BadInput, match="the claimed peak is 1"):
        SLAYER.replace(gradient=2 * SLAYER.gradient)
    assert SLAYER.replace(gradient=2 * SLAYER.gradient, claims=(Peak(2), Even())).claim(Peak) == Peak(2)


def test_the_forward_formula_takes_the_place_of_the_step() -> None:
    ternary = SLAYER.replace(forward=sign(x))
    assert [ternary.step.subs(x, v) for v in (-2, 0, 3)] == [-1, 0, 1]


def test_breakpoints_are_expressions_in_the_parameters_and_numbers() -> None:
    spec = SLAYER.replace(breakpoints=[0, 1.5, 1 / alpha])
    assert spec.breakpoints == (0, 1.5, 1 / alpha)
    assert SLAYER.breakpoints == ()
    assert hash(spec) != hash(SLAYER)
    assert pickle.loads(pickle.dumps(spec)) == spec


@pytest.mark.parametrize("name", ["second_order", "parameter_gradient"])
def test_what_a_spec_declares_of_further_derivatives_is_one_of_two_words(name: str) -> None:
    assert getattr(SLAYER, name) is None
    for word in ("zero", "formula"):
        assert getattr(SLAYER.replace(**{name: word}), name) == word
    with pytest.raises(BadInput, match=rf"{name}='one' in spec 'slayer\({name}=one\)'\n.*'formula', 'zero', or None"):
        SLAYER.replace(**{name: "one"})


def test_what_a_spec_promises_of_a_smooth_function_is_all_of_it_nothing_or_its_pieces() -> None:
    assert SLAYER.smooth is True
    for promised in (False, "piecewise"):
        assert SLAYER.replace(smooth=promised).smooth == promised
    with pytest.raises(BadInput, match=r"smooth='pieces' in spec .*\n.*True, False or 'piecewise'"):
        SLAYER.replace(smooth="pieces")


def test_symbols_are_x_and_the_parameters_in_their_order() -> None:
    assert two().symbols == (x, alpha, beta)


def test_a_claim_is_found_by_its_kind() -> None:
    assert SLAYER.claim(Peak) == Peak(value=1, at=0)
    assert SLAYER.replace(claims=(Even(),)).claim(NonIncreasing) is None


def test_a_spec_is_hashable_and_survives_a_trip_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(SLAYER)) == SLAYER
    assert hash(pickle.loads(pickle.dumps(SLAYER))) == hash(SLAYER)


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_a_value_outside_the_domain_is_refused(value: float) -> None:
    with pytest.raises(BadInput, match=r"parameter alpha=.*\n.*finite value in \(0, oo\)\n.*between 0\.1 and 10"):
        SLAYER.grid("quick", {"alpha": (1.0, value)})


def test_a_closed_end_of_a_domain_belongs_to_it() -> None:
    closed = parameter(domain=Interval(0, 2), typical=(0.1, 2.0))
    assert closed.check(0) == 0.0
    assert closed.check(2) == 2.0
    with pytest.raises(BadInput, match=r"parameter alpha=3\n.*in \[0, 2\]"):
        closed.check(3)


def test_an_unknown_parameter_names_its_near_misses() -> None:
    with pytest.raises(BadInput, match=r"parameter 'alhpa' for spec 'slayer'\n.*one of alpha\n.*did you mean alpha"):
        SLAYER.grid("quick", {"alhpa": (1.0,)})
    with pytest.raises(BadInput, match="none: this spec has no parameters"):
        Spec("plain", "Plain", "nowhere", exp(-Abs(x))).grid("quick", {"alpha": (1.0,)})


def test_a_parameter_with_no_value_is_refused() -> None:
    with pytest.raises(BadInput, match="parameter 'alpha' with no value"):
        SLAYER.grid("quick", {"alpha": ()})


def test_samples_hold_the_default_and_a_value_that_is_no_power_of_two() -> None:
    quick, standard = parameter().samples("quick"), parameter().samples("standard")
    assert quick[0] == 1.0
    assert quick == standard[: len(quick)]
    assert {0.1, 10.0} <= set(standard)
    assert any(float(v).hex().partition("p")[0] != "0x1.0000000000000" for v in quick)


def test_samples_of_a_range_that_begins_at_zero_lie_within_it() -> None:
    assert all(0 <= v <= 4 for v in parameter(domain=Interval(0, oo), typical=(0.0, 4.0)).samples("standard"))


@pytest.mark.parametrize(
    ("changes", "drawn"),
    [
        ({}, (0.1 / 1024, 10240.0)),
        ({"domain": Interval(0.05, 100)}, (0.05, 100.0)),
        ({"domain": Interval.open(0.05, 100)}, (0.05 + 0.05 / 1024, 100 - 90 / 1024)),
        ({"domain": Interval(1, oo), "typical": (1.0, 3.0)}, (1.0, 3072.0)),
        ({"domain": Interval.Lopen(1, 8), "default": 2.0, "typical": (1.5, 3.0)}, (1 + 0.5 / 1024, 8.0)),
        ({"domain": Interval(0, 4), "typical": (0.0, 4.0)}, (0.0, 4.0)),
        ({"domain": Interval(-oo, oo), "typical": (-2.0, 3.0)}, (-2.0, 3.0)),
    ],
)
def test_a_search_draws_far_beyond_what_is_typical_and_within_the_domain(
    changes: dict[str, Any], drawn: tuple[float, float]
) -> None:
    declared = parameter(**changes)
    assert declared.search_range() == pytest.approx(drawn, rel=1e-12)
    for end in declared.search_range():
        assert declared.check(end) == end


def test_special_values_are_those_in_the_domain_and_the_ends_of_what_is_drawn_each_once() -> None:
    assert parameter().special_values() == (1.0, 2.0, 0.5, 0.1, 10.0, 0.1 * 2.0**-10, 10.0 * 2.0**10)
    bounded = parameter(domain=Interval.open(0.5, 3), default=1.5, typical=(0.7, 2.0))
    assert bounded.special_values() == (1.5, 1.0, 2.0, 0.7, *bounded.search_range())


def test_the_grid_varies_one_parameter_at_a_time() -> None:
    grid = two().grid("quick")
    assert grid[0] == (("alpha", 1.0), ("beta", 2.0))
    assert all(dict(p)["alpha"] == 1.0 or dict(p)["beta"] == 2.0 for p in grid)
    assert len(grid) == len(set(grid)) == 3


def test_chosen_values_are_the_grid_and_given_twice_count_once() -> None:
    assert SLAYER.grid("thorough", {"alpha": (2.0, 3.0, 2.0)}) == ((("alpha", 2.0),), (("alpha", 3.0),))
    assert {dict(p)["beta"] for p in two().grid("quick", {"beta": (5,)})} == {5.0}


def test_the_catalogue_knows_slayer_and_suggests_it() -> None:
    assert "slayer" in spec_names()
    assert list(spec_names()) == sorted(spec_names())
    assert all(get_spec(name).name == name for name in spec_names())
    with pytest.raises(BadInput, match=r"spec 'slayr'\n.*\n.*did you mean slayer"):
        get_spec("slayr")


@pytest.mark.parametrize("changes", [{"default": -1.0}, {"typical": (0.0, 10.0)}])
def test_a_default_or_typical_value_outside_the_domain_is_refused(changes: dict[str, Any]) -> None:
    given: dict[str, Any] = {"default": 1.0, "domain": Interval.open(0, oo), "typical": (0.1, 10)}
    with pytest.raises(BadInput, match=r"expected: a finite value in \(0, oo\)"):
        Parameter(Symbol("alpha", positive=True), **{**given, **changes})
