from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from handmade import DTYPES, SLAYER, ask, bound, case, failed, judge, passed, rounded, slayer, step
from sympy import exp

from surrogate_core.drivers.base import Observation, Unsupported
from surrogate_core.properties import Statement
from surrogate_core.properties.chain import AFFINE, RECURRENT
from surrogate_core.spec import x

G = slayer()
RATES = [1e-3, 0.1, 0.7, 10.0, 1e3]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", RATES)
def test_the_layers_potentials_are_exact_in_any_order_of_their_sums(dtype: str, alpha: float) -> None:
    request = bound(AFFINE, case(dtype, alpha))[0]["layer"]
    w, b, v = (a.astype(np.float64) for a in (*request.weights, request.x))
    terms = np.abs(w) @ np.abs(v) + np.abs(b)
    # All partial sums are multiples of one unit, and the largest of them has few enough bits.
    unit = np.abs(v).min() / 4
    assert (np.concatenate([np.outer(w, v).ravel(), b]) / unit % 1 == 0).all()
    assert terms.max() / unit <= 2**7
    assert request.x.dtype == request.weights[0].dtype == case(dtype).format.dtype


def test_the_layers_potentials_lie_on_both_sides_of_the_threshold_and_on_it() -> None:
    request = bound(AFFINE, case())[0]["layer"]
    z = request.weights[0] @ request.x + request.weights[1]
    assert (z == 0).any()
    assert z.min() < 0 < z.max()
    assert np.exp(-0.7 * np.abs(z)).min() > 0.1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", RATES)
@pytest.mark.parametrize("judged", [AFFINE, RECURRENT], ids=lambda p: p.id)
def test_the_chain_rule_in_the_declared_gradient_is_accepted(judged: Statement, dtype: str, alpha: float) -> None:
    passed(judge(judged, case(dtype, alpha)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("judged", [AFFINE, RECURRENT], ids=lambda p: p.id)
def test_a_gradient_anywhere_within_its_bound_is_accepted(judged: Statement, dtype: str) -> None:
    unit = case(dtype).format.unit_roundoff
    for sign in (1, -1):
        passed(judge(judged, case(dtype), derivative=lambda z, s=sign: G(z) * (1 + s * 3.5 * unit)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("judged", [AFFINE, RECURRENT], ids=lambda p: p.id)
def test_a_gradient_some_bounds_off_is_rejected(judged: Statement, dtype: str) -> None:
    # The weights and sums enlarge what is allowed, but not much.
    off = 1 + 24 * case(dtype).format.unit_roundoff
    if dtype == "float16":
        off = 1 + 64 * case(dtype).format.unit_roundoff  # whose smallest normal number is not far below
    outcome = failed(judge(judged, case(dtype), derivative=lambda z: G(z) * off))
    assert outcome.severity is not None
    assert outcome.severity < 1
    assert outcome.witness is not None


DEFECTS: list[tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = [
    ("the cotangent's sign is dropped", lambda c, z: np.abs(c) * G(z)),
    ("the cotangent is clipped", lambda c, z: np.clip(c, -1, 1) * G(z)),
    ("the cotangent is ignored", lambda c, z: G(z)),
    ("the peak has a hole", lambda c, z: c * np.where(z == 0, 0.0, G(z))),
    ("a NaN at one potential", lambda c, z: c * np.where(z == z.max(), np.nan, G(z))),
]


@pytest.mark.parametrize(("name", "pulled"), DEFECTS, ids=[name for name, _ in DEFECTS])
def test_a_layer_rejects_a_backward_pass_with_a_defect(
    name: str, pulled: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> None:
    request = bound(AFFINE, case())[0]["layer"]
    assert request.direction is not None
    w, b, v, c = (a.astype(np.float64) for a in (*request.weights, request.x, request.direction))
    arriving = pulled(c, w @ v + b)
    gradient = np.concatenate([np.outer(arriving, v).ravel(), arriving, w.T @ arriving])
    answer = Observation(rounded(step(w @ v + b), request.x.dtype), rounded(gradient, request.x.dtype))
    outcome = failed(judge(AFFINE, case(), instead={"layer": answer}))
    assert outcome.given.startswith("the gradient of W[")
    assert " through spike(W x + b), where W x + b = " in outcome.given


@pytest.mark.parametrize(("at", "named"), [(7, "W[1, 2]"), (26, "b[1]"), (34, "x[4]")])
def test_a_layer_names_the_gradient_that_is_wrong(at: int, named: str) -> None:
    answer = ask(bound(AFFINE, case())[0]["layer"])
    wrong = answer.gradient.copy()
    wrong[at] += 1
    outcome = failed(judge(AFFINE, case(), instead={"layer": Observation(answer.value, wrong)}))
    assert outcome.given.startswith(f"the gradient of {named} through")
    assert outcome.figures["wrong"] == 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", RATES)
def test_the_recurrences_potentials_are_exact_and_some_steps_fire(dtype: str, alpha: float) -> None:
    where = case(dtype, alpha)
    request, u = bound(RECURRENT, where)[0]["scan"], np.zeros(3)
    spikes = []
    for current in request.x.astype(np.float64):
        decayed = 0.5 * u
        u = decayed + current
        assert (u != 0).all()
        spikes.append(step(u))
        for value in (decayed, u, u - spikes[-1]):
            np.testing.assert_array_equal(rounded(value, where.format.dtype).astype(np.float64), value)
        u = u - spikes[-1]
    assert (np.sum(spikes, 0) > 0).all()
    assert (np.sum(spikes, 0) < len(spikes)).all()


def test_the_recurrence_has_the_scale_of_the_gradient_where_the_format_has_the_bits() -> None:
    def nearest(dtype: str, alpha: float) -> float:
        return float(np.abs(bound(RECURRENT, case(dtype, alpha))[0]["scan"].x[0].astype(np.float64)).min())

    assert nearest("float64", 1e3) == pytest.approx(1e-3, rel=0.9)
    assert nearest("bfloat16", 1e3) > nearest("float32", 1e3)


def test_a_recurrence_without_exact_potentials_is_skipped() -> None:
    graded = case("bfloat16", spec=SLAYER.replace(forward=exp(x) / 3))
    assert RECURRENT.skip(graded) == "bfloat16 holds none of the potentials of its recurrence exactly"
    assert RECURRENT.observe(graded) == {}
    assert RECURRENT.skip(case("bfloat16")) is None


def test_a_recurrence_tells_the_first_spike_that_is_wrong() -> None:
    outcome = failed(judge(RECURRENT, case(), forward=lambda u: np.zeros_like(u)))
    assert outcome.given.startswith("step 1 of 4, neuron 1, where u = ")
    assert outcome.measured == "spike 0"
    assert outcome.allowed == "1 ± 0"


def test_a_recurrence_rejects_a_gradient_that_forgets_the_reset_or_the_past() -> None:
    request = bound(RECURRENT, case())[0]["scan"]
    answer = ask(request)
    assert request.direction is not None
    u = np.zeros(3)
    local = []
    for current in request.x:
        u = 0.5 * u + current
        local.append(G(u))
        u = u - step(u)
    direction = request.direction.astype(np.float64)
    # As if every step stood alone, and as if the reset were not differentiated.
    alone = direction * np.array(local)
    detached, later = np.zeros(direction.shape), np.zeros(3)
    for t in reversed(range(4)):
        detached[t] = later + direction[t] * local[t]
        later = 0.5 * detached[t]
    for wrong in (alone, detached):
        outcome = failed(
            judge(RECURRENT, case(), instead={"scan": Observation(answer.value, wrong.astype(np.float32))})
        )
        assert outcome.given.startswith("step 3 of 4")
        assert outcome.measured.startswith("gradient of the current ")


@pytest.mark.parametrize(("judged", "name"), [(AFFINE, "layer"), (RECURRENT, "scan")])
def test_the_chain_raises_what_the_implementation_lacks(judged: Statement, name: str) -> None:
    with pytest.raises(Unsupported, match="batching"):
        judge(judged, case(), instead={name: Unsupported("batching")})
