from __future__ import annotations

from typing import Any

import pytest
from branched import ALPHA, SPECS, alpha
from sympy import (
    Abs,
    Eq,
    Expr,
    Heaviside,
    Max,
    Mod,
    Piecewise,
    Symbol,
    atan,
    cos,
    exp,
    floor,
    frac,
    log,
    sign,
    sin,
    sqrt,
    tan,
)

from surrogate_core.errors import BadInput
from surrogate_core.spec import Spec, get_spec, x
from surrogate_core.spec.sides import breakpoints

SLAYER = get_spec("slayer")
AT = (("alpha", 0.7),)


def declare(gradient: Any, *at: Any) -> Spec:
    return Spec("odd", "Odd", "nowhere", gradient, (ALPHA,), breakpoints=at)


@pytest.mark.parametrize(
    ("gradient", "place"),
    [
        (Heaviside(x - alpha), r"jumps at x=1\.0: 0\.0 on the left, 0\.5 there, 1\.0 on the right"),
        (Heaviside(x - alpha) * exp(-x), r"jumps at x=1\.0: 0\.0 on the left, 0\.18393972 there, 0\.36787944 on"),
        (Piecewise((alpha, Abs(x) < 1 / (2 * alpha)), (0, True)), r"jumps at x=-0\.5: 0\.0 on the left"),
        (Piecewise((1, x < sqrt(alpha) / 3), (0.99, True)), r"jumps at x=0\.33333333: 1\.0 on the left, 0\.99 on the"),
        (sign(x) * exp(-alpha * Abs(x)), r"jumps at x=0\.0: -1\.0 on the left, 0\.0 there, 1\.0 on the right"),
        (Abs(x) / x, r"jumps at x=0\.0: -1\.0 on the left, nan there, 1\.0 on the right"),
        (1 / (x - alpha) ** 2, r"jumps at x=1\.0"),
        (1 / (x - sqrt(alpha) / 3) ** 2, r"jumps at x=0\.33333333: 6\.0"),
        (atan(1 / (x - 3)), r"jumps at x=3\.0: -1\.5707963 on the left"),
        (floor(x / 3), r"jumps at x=0\.0: -1\.0 on the left, 0\.0 there, 0\.0 on the right"),
        (frac(x / 4 + 1 / 2), r"jumps at x=-2\.0: 1\.0 on the left"),
        (Mod(x + alpha, 4), r"jumps at x=-1\.0: 4\.0 on the left"),
        (tan(x), r"jumps at x=-1\.5707963"),
        (log(Abs(x)) ** -1, r"jumps at x=-1\.0"),
        (exp(-Abs(x)) + Piecewise((1, Eq(x, 2)), (0, True)), r"jumps at x=2\.0: 0\.13533528 on the left, 1\.1353353"),
        (sign(Max(0, x - 2)), r"jumps at x=2\.0: 0\.0 on the left, 0\.0 there, 1\.0 on the right"),
    ],
)
def test_a_jump_that_is_not_declared_is_an_error_that_names_the_place(gradient: Any, place: str) -> None:
    with pytest.raises(BadInput, match=rf"for alpha=1 the formula .* {place}") as caught:
        declare(gradient)
    assert "Spec.breakpoints" in caught.value.expected


def test_a_jump_declared_elsewhere_is_not_declared() -> None:
    with pytest.raises(BadInput, match=r"for alpha=1\.72 .* jumps at x=1\.72"):
        declare(Heaviside(x - alpha), 1)
    with pytest.raises(BadInput, match=r"jumps at x=0\.5: 1\.0 on the left"):
        declare(Piecewise((alpha, Abs(x) < 1 / (2 * alpha)), (0, True)), -1 / (2 * alpha))


@pytest.mark.parametrize(
    ("gradient", "at"),
    [
        (Heaviside(x - alpha), (alpha,)),
        (Heaviside(x - alpha), (alpha, -alpha)),
        (sign(x), (0,)),
        (Piecewise((1, Abs(x) < 0.1), (0, True)), (-0.1, 0.1)),
        (1 / (x - alpha), (alpha,)),
        (Piecewise((1, x**2 < 2), (0, True)), (-sqrt(2), sqrt(2))),
        (SLAYER.gradient, ()),
        (SLAYER.gradient, (0, 1.5, alpha)),
        (Max(0, 1 - alpha * Abs(x)), ()),
        (Max(0, 1 - alpha * Abs(x)) ** 2, ()),
        (sqrt(Max(0, 1 - x**2)), ()),
        (Piecewise((alpha - alpha**2 * Abs(x), Abs(x) < 1 / alpha), (0, True)), ()),
        (Piecewise(((1 + cos(x)) / 2, Abs(x) < 3.2), ((1 + cos(3.2)) / 2, True)), ()),
        (Abs(sin(x)), ()),
        (Piecewise((1, alpha < 2), (2, True)), ()),
        (1 / (1 + alpha * Abs(x)) ** 2, ()),
    ],
)
def test_declared_jumps_and_kinks_need_nothing_more(gradient: Any, at: tuple[Any, ...]) -> None:
    assert len(declare(gradient, *at).breakpoints) == len(at)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        (x, r"a breakpoint at x, which uses x\n.*\(alpha\)\n.*not x itself"),
        (Symbol("beta"), r"a breakpoint at beta, which uses beta"),
        (sqrt(1 - alpha), r"a finite real number for each, also for alpha=1\.72"),
        (1 / (alpha - 1), r"a finite real number for each, also for alpha=1"),
    ],
)
def test_a_breakpoint_is_a_place_in_x(at: Expr, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        declare(SLAYER.gradient, at)


def test_kinks_are_found_with_how_far_the_parameters_move_them() -> None:
    triangle = declare(Max(0, 1 - alpha * Abs(x)))
    found = sorted(breakpoints(triangle, AT), key=lambda b: b.at)
    assert [float(b.at) for b in found] == [-1 / 0.7, 1 / 0.7]
    # alpha * d(1/alpha)/dalpha = -1/alpha
    assert [b.sensitivity for b in found] == pytest.approx([1 / 0.7, 1 / 0.7])
    assert abs(found[1].at * 0.7 - 1) < 2.0**-500


def test_a_declared_breakpoint_knows_how_far_the_parameters_move_it() -> None:
    (found,) = breakpoints(declare(Heaviside(x - alpha**2), alpha**2), AT)
    assert (float(found.at), found.sensitivity) == (0.7 * 0.7, pytest.approx(2 * 0.49))
    (fixed,) = breakpoints(declare(Heaviside(x - 3), 3), AT)
    assert (float(fixed.at), fixed.sensitivity) == (3.0, 0.0)


def test_a_kink_is_not_found_twice_where_it_is_declared() -> None:
    declared = declare(Max(0, 1 - alpha * Abs(x)), -1 / alpha, 1 / alpha)
    assert len(breakpoints(declared, AT)) == 2


def test_a_kink_at_the_threshold_itself_is_none_that_rounding_moves() -> None:
    assert breakpoints(SLAYER, AT) == ()
    assert [float(b.at) for b in breakpoints(SLAYER.replace(breakpoints=(0,)), AT)] == [0.0]


@pytest.mark.parametrize("rate", [1e-30, 1e-6, 1e6, 1e30])
@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.name)
def test_breakpoints_are_found_for_every_parameter(spec: Spec, rate: float) -> None:
    at = (("alpha", rate),)
    typical, there = (sorted(float(b.at) for b in breakpoints(spec, p)) for p in (AT, at))
    scale = 0.7 / rate if spec.name != "asymmetric window" else rate / 0.7
    assert there == pytest.approx([place * scale for place in typical], rel=1e-12)
