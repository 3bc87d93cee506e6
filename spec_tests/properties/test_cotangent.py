from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from handmade import DTYPES, case, failed, judge, passed, rounded, slayer, step

from surrogate_core.drivers.base import Observation, Request, Unsupported
from surrogate_core.properties.base import wide
from surrogate_core.properties.cotangent import COTANGENT

G = slayer()
NAMES = ("zero", "mixed", "NaN in one place")
Backward = Callable[[np.ndarray, np.ndarray], np.ndarray]


def pulled(name: str, backward: Backward, dtype: str = "float32") -> Observation:
    """The answer to one request of a backward pass (cotangent, g') -> gradient."""
    request: Request = COTANGENT.observe(case(dtype))[name]
    x, direction = (rounded(a, np.dtype(np.float64)) for a in (request.x, request.direction))
    with np.errstate(all="ignore"):
        return Observation(rounded(step(x), request.x.dtype), rounded(backward(direction, G(x)), request.x.dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_cotangent_accepts_a_product_rounded_once(dtype: str) -> None:
    assert passed(judge(COTANGENT, case(dtype))).figures["cotangents"] == list(NAMES)


@pytest.mark.parametrize("dtype", DTYPES)
def test_cotangent_accepts_a_product_of_roundings(dtype: str) -> None:
    kind = case(dtype).format.dtype

    def twice(cotangent: np.ndarray, slope: np.ndarray) -> np.ndarray:
        return cotangent * rounded(slope, kind).astype(np.float64)

    passed(judge(COTANGENT, case(dtype), instead={name: pulled(name, twice, dtype) for name in NAMES}))


@pytest.mark.parametrize(
    ("backward", "caught"),
    [
        (lambda c, g: np.abs(c) * g, "mixed"),
        (lambda c, g: np.maximum(c, 0) * g, "mixed"),
        (lambda c, g: np.clip(c, -1e6, 1e6) * g, "mixed"),
        (lambda c, g: np.where(np.abs(c) < 1e-12, 0, c) * g, "mixed"),
        (lambda c, g: np.resize(np.nanmean(c), c.shape) * g, "mixed"),
        (lambda c, g: np.roll(c, 1) * g, "mixed"),
        (lambda c, g: np.nan_to_num(c) * g, "NaN in one place"),
        (lambda c, g: c * g + np.where(c == 0, g, 0), "zero"),
        (lambda c, g: np.sign(c) * c * c * g, "mixed"),
    ],
)
def test_cotangent_rejects_a_backward_pass_that_is_not_linear(backward: Backward, caught: str) -> None:
    outcome = failed(judge(COTANGENT, case(), instead={name: pulled(name, backward) for name in NAMES}))
    assert outcome.figures["cotangents"] == caught
    assert outcome.figures["wrong"] > 0
    assert f"(cotangents: {caught})" in outcome.allowed
    assert outcome.allowed.startswith("NaN, as a cotangent of NaN times" if "NaN" in caught else "cotangent ")
    assert "± nan" not in outcome.allowed
    assert outcome.witness is not None
    assert outcome.witness.request.direction is not None


def test_cotangent_shows_the_simplest_input_with_a_cotangent_of_one() -> None:
    doubled = pulled("mixed", lambda c, g: np.where(g < 0.5, 2, 1) * c * g)
    outcome = failed(judge(COTANGENT, case(), instead={"mixed": doubled}))
    assert outcome.witness is not None
    assert float(outcome.witness.request.x[outcome.witness.index]).is_integer()
    assert outcome.allowed.startswith(("cotangent 1 times", "cotangent -1 times"))
    assert outcome.severity is not None
    assert 0.4 < outcome.severity <= 0.5


def test_a_zero_cotangent_gives_exactly_zero() -> None:
    leaked = pulled("zero", lambda c, g: c * g + 1e-40)
    outcome = failed(judge(COTANGENT, case(), instead={"zero": leaked}))
    assert outcome.allowed.startswith("cotangent 0 times")
    assert outcome.allowed.endswith("± 0")


def test_a_nan_stays_in_its_place() -> None:
    spread = pulled("NaN in one place", lambda c, g: np.where(np.roll(np.isnan(c), 1), np.nan, c) * g)
    assert failed(judge(COTANGENT, case(), instead={"NaN in one place": spread})).measured.startswith("nan")


def test_a_gradient_that_is_wrong_but_linear_is_not_this_propertys_business() -> None:
    passed(judge(COTANGENT, case(), derivative=lambda x: 3 * G(x)))
    passed(judge(COTANGENT, case(), derivative=lambda x: np.where(x == 0, np.nan, G(x))))


def test_cotangent_raises_what_the_implementation_lacks() -> None:
    with pytest.raises(Unsupported, match="batching"):
        judge(COTANGENT, case(), instead={"mixed": Unsupported("batching")})


def test_the_poisoned_input_has_an_ordinary_gradient() -> None:
    for dtype in DTYPES:
        where = case(dtype)
        direction = COTANGENT.observe(where)["NaN in one place"].direction
        assert direction is not None
        (place,) = np.flatnonzero(np.isnan(direction))
        assert where.format.smallest_normal < where.sweep.expected.gradient[place] < 1


def test_cotangent_takes_narrow_spikes_as_they_are() -> None:
    """Spikes of float32 carry no cotangent of 2^511 back; that they are narrow is another property's news."""
    where = case("float64")

    def narrow(name: str, backward: Backward) -> Observation:
        request = COTANGENT.observe(where)[name]
        with np.errstate(all="ignore"):
            carried = np.asarray(request.direction).astype(np.float32).astype(np.float64)
            answer = backward(carried, G(request.x))
        return Observation(step(request.x).astype(np.float32), answer)

    passed(judge(COTANGENT, where, instead={name: narrow(name, lambda c, g: c * g) for name in NAMES}))
    wrong = {name: narrow(name, lambda c, g: np.abs(c) * g) for name in NAMES}
    assert failed(judge(COTANGENT, where, instead=wrong)).figures["cotangents"] == "mixed"


def test_cotangent_is_judged_by_the_gradient_that_is_there() -> None:
    """A gradient of another size than promised is rounded by its own size; it is linear all the same."""
    where = case("float16")

    def off(name: str, factor: float) -> Observation:
        request = COTANGENT.observe(where)[name]
        x = wide(request.x)
        cotangent = np.ones(x.shape) if request.direction is None else wide(request.direction)
        with np.errstate(all="ignore"):
            slope = rounded(1 / (1 + np.abs(x)) ** 2, where.format.dtype).astype(np.float64)
            answer = cotangent * np.where(cotangent == 1, 1.0, factor) * slope
        return Observation(rounded(step(x), request.x.dtype), rounded(answer, request.x.dtype))

    names = ("ones", *NAMES)
    passed(judge(COTANGENT, where, instead={name: off(name, 1 + 2.0**-10) for name in names}))
    failed(judge(COTANGENT, where, instead={name: off(name, 1.02) for name in names}))
