from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from handmade import ALPHA, ROUNDED, SLAYER, ask, case

from surrogate_core.drivers import BrokenContract, Observation, Request, Transform, Unsupported
from surrogate_core.drivers.tally import Span, Tally
from surrogate_core.engine.bench import Bench
from surrogate_core.engine.plan import Implementation, Unit
from surrogate_core.libraries.target import resolve
from surrogate_core.properties import Property, get_property
from surrogate_core.properties.outcome import Passed
from surrogate_core.slayer import SlayerGrad

Spike = Callable[[Any], Any]
X = np.array([-2.0, -0.5, 0.0, 3.0], np.float32)
JIT = (Transform("jit"),)
OTHER = (("alpha", 2.0),)


def bench(factory: Any = SlayerGrad, **where: Any) -> Bench:
    return Bench(Implementation(resolve(factory, "jax"), "jax", SLAYER), case(**where))


class Counting:
    """A factory that keeps what it was asked to make, and spike functions that count their calls."""

    def __init__(self) -> None:
        self.made: list[float] = []
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, alpha: float) -> Spike:
        self.made.append(alpha)
        right = SlayerGrad(alpha)

        def spike(x: jax.Array) -> jax.Array:
            self.calls.append(x.shape)
            return right(x)

        return spike


def observation(answer: Any) -> Observation:
    assert isinstance(answer, Observation), answer
    return answer


def gradient(at: Bench, request: Request) -> np.ndarray:
    return observation(at.observe(request)).gradient


# ---- answers and instances -----------------------------------------------------------------------


def test_a_request_is_evaluated_once_and_its_answer_recalled() -> None:
    counting = Counting()
    on = bench(counting)
    first = on.observe(Request("value", X))
    assert on.observe(Request("value", X.copy())) is first
    assert counting.calls == [(4,)]
    on.observe(Request("value", X, turn=1))
    assert counting.calls == [(4,), (4,)]


def test_what_was_answered_is_known() -> None:
    on, requests = bench(), [Request("value", X), Request("value", 2 * X)]
    on.observe(requests[0])
    assert on.known(requests[:1])
    assert not on.known(requests)
    assert on.known([])


def test_instances_live_apart_and_each_is_made_once() -> None:
    counting = Counting()
    on = bench(counting)
    for parameters, instance in ((None, ""), (None, "a"), (OTHER, "a"), (OTHER, "b"), (None, "a"), (OTHER, "a")):
        on.observe(Request("value", X, parameters=parameters, instance=instance))
    assert counting.made == [ALPHA, ALPHA, 2.0, 2.0]
    assert len({id(on.spike(p, i)) for p in (on.case.parameters, OTHER) for i in ("a", "b")}) == 4


def test_an_instance_keeps_its_state_between_turns_and_shares_it_with_nobody() -> None:
    def make(alpha: float) -> Spike:
        calls = 0

        def spike(x: jax.Array) -> jax.Array:
            nonlocal calls
            calls += 1
            return jnp.full_like(x, calls)

        return spike

    on = bench(make)
    turns = [Request("value", X, instance=who, turn=turn) for turn in range(3) for who in ("a", "b")]
    assert [float(observation(on.observe(r)).value[0]) for r in turns] == [1, 1, 2, 2, 3, 3]


def test_other_parameters_are_those_of_the_request() -> None:
    on = bench()
    own, other = Request("vjp", X), Request("vjp", X, parameters=OTHER)
    np.testing.assert_allclose(gradient(on, own), ask(own).gradient, rtol=ROUNDED)
    np.testing.assert_allclose(gradient(on, other), np.exp(-2.0 * np.abs(X.astype(np.float64))), rtol=ROUNDED)


def test_a_forgotten_instance_is_made_anew_and_the_others_stay() -> None:
    counting = Counting()
    on = bench(counting)
    for instance in ("", "a", "b"):
        on.observe(Request("value", X, instance=instance))
    kept, gone = on.spike(on.case.parameters, "b"), on.spike(on.case.parameters, "a")
    on.forget(["a", "never made"])
    assert on.spike(on.case.parameters, "b") is kept
    assert on.spike(on.case.parameters, "a") is not gone
    assert len(counting.made) == 4
    # Its answers stay known: what was observed is a fact.
    assert on.known([Request("value", X, instance="a")])


# ---- one program for many requests ---------------------------------------------------------------


def staged(count: int, **more: Any) -> list[Request]:
    return [Request("vjp", (k + 1) * X, outer=JIT, **more) for k in range(count)]


def test_requests_of_one_program_are_answered_together_and_those_alike_are_traced_once() -> None:
    counting = Counting()
    on, requests = bench(counting), staged(3)
    before = on.driver.compilations()
    on.observe_together(requests)
    assert on.known(requests)
    assert on.driver.compilations() == before + 1
    calls = len(counting.calls)
    for request in requests:
        np.testing.assert_allclose(gradient(on, request), ask(request).gradient, rtol=ROUNDED)
    assert len(counting.calls) == calls == 1


def test_what_is_known_or_of_another_instance_is_left_out() -> None:
    on, requests = bench(), staged(3)
    asked: list[Request] = []

    def together(function: Any, wanted: Sequence[Request], device: str) -> list[Any]:
        asked.extend(wanted)
        return []

    on.observe(requests[0])
    others = [
        Request("vjp", X, outer=JIT, instance="a"),
        Request("vjp", X, outer=JIT, parameters=OTHER),
        Request("vjp", X.reshape(2, 2, 1), outer=JIT, threads=2),
    ]
    on.driver = _with(on.driver, together)
    on.observe_together([*requests, *others, requests[1]])
    assert [r.key for r in asked] == [r.key for r in requests[1:]]


def _with(driver: Any, together: Any) -> Any:
    class Driver:
        observe_together = staticmethod(together)

        def __getattr__(self, name: str) -> Any:
            return getattr(driver, name)

    return Driver()


def test_a_program_that_cannot_be_made_leaves_every_request_to_be_asked_alone() -> None:
    def make(alpha: float) -> Spike:
        def spike(x: jax.Array) -> jax.Array:
            if x.shape == (2, 2):
                raise ValueError("no matrices")
            return SlayerGrad(alpha)(x)

        return spike

    on, requests = bench(make), [*staged(2), Request("vjp", X.reshape(2, 2), outer=JIT)]
    on.observe_together(requests)
    assert not on.known(requests[2:])
    for request in requests[:2]:
        np.testing.assert_allclose(gradient(on, request), ask(request).gradient, rtol=ROUNDED)
    told = on.observe(requests[2])
    assert isinstance(told, ValueError)
    assert str(told) == "no matrices"


@pytest.mark.parametrize("raised", [RuntimeError("no answer after all"), SystemExit(0)])
def test_what_a_program_did_not_answer_after_all_is_asked_alone(raised: BaseException) -> None:
    def failing() -> Observation:
        raise raised

    on, requests = bench(), staged(2)
    on.driver = _with(on.driver, lambda function, wanted, device: [(r, failing) for r in wanted])
    on.observe_together(requests)
    assert on.known(requests)
    for request in requests:
        np.testing.assert_allclose(gradient(on, request), ask(request).gradient, rtol=ROUNDED)


def test_an_answer_that_is_waited_for_is_forgotten_like_any_other() -> None:
    on, requests = bench(), staged(2)
    on.observe_together(requests)
    on.forget_answers()
    assert not on.known(requests[:1])


@pytest.mark.parametrize("raised", [RuntimeError("the factory"), SystemExit(0)])
def test_a_factory_that_raises_is_told_when_it_is_asked_alone(raised: BaseException) -> None:
    def make(alpha: float) -> Spike:
        raise raised

    on, requests = bench(make), staged(2)
    on.observe_together(requests)
    answer = on.observe(requests[0])
    assert isinstance(answer, RuntimeError)
    assert ("sys.exit(0)" in str(answer)) == isinstance(raised, SystemExit)


def test_a_missing_rule_does_not_spoil_the_program_of_the_rest() -> None:
    def make(alpha: float) -> Spike:
        @jax.custom_vjp
        def spike(x: jax.Array) -> jax.Array:
            return (x >= 0).astype(x.dtype)

        spike.defvjp(lambda x: (spike(x), x), lambda x, c: (c * jnp.exp(-alpha * jnp.abs(x)),))
        return spike

    on, forward = bench(make), [Request("jvp", k * X, outer=JIT) for k in (1, 2)]
    reverse = staged(2)
    on.observe_together([*reverse, *forward])
    assert on.known(reverse)
    assert not on.known(forward)
    assert isinstance(on.observe(forward[0]), Unsupported)


def unwanted(where: Any) -> dict[str, Request]:
    raise AssertionError("what is skipped is not asked for")


def test_what_the_properties_of_a_case_need_is_answered_before() -> None:
    seen: list[Request] = []

    def observe(where: Any) -> dict[str, Request]:
        requests = staged(2)
        seen.extend(requests)
        return dict(zip("ab", requests, strict=True))

    judged = Property("toy.one", "Toys are sound.", observe, lambda where, answers: Passed())
    skipped = Property("toy.two", "Toys rest.", unwanted, lambda where, answers: Passed(), skip=lambda where: "no")
    on = bench()
    on.prepare([judged, skipped])
    assert len(seen) == 2
    assert on.known(seen)


# ---- threads -------------------------------------------------------------------------------------

ROWS = np.linspace(-2, 2, 8 * 3 * 5, dtype=np.float32).reshape(8, 3, 5)


def test_threads_evaluate_the_rows_of_their_own_part() -> None:
    counting = Counting()
    request = Request("vjp", ROWS, direction=1 + ROWS, threads=8)
    on = bench(counting)
    answer = observation(on.observe(request))
    expected = ask(request)
    np.testing.assert_array_equal(answer.value, expected.value, strict=True)
    np.testing.assert_allclose(answer.gradient, expected.gradient, rtol=ROUNDED)
    assert counting.calls == [(5,)] * 24
    assert counting.made == [ALPHA]
    assert on.observe(request) is answer


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_threads_are_each_within_the_scope_of_the_dtype(dtype: str) -> None:
    on = bench(dtype=dtype)
    answer = observation(on.observe(Request("vjp", ROWS.astype(on.case.format.dtype), threads=8)))
    assert answer.value.dtype == answer.gradient.dtype == on.case.format.dtype


def test_what_a_thread_raises_is_the_answer() -> None:
    def make(alpha: float) -> Spike:
        def spike(x: jax.Array) -> jax.Array:
            if float(x[0]) == ROWS[3, 1, 0]:
                raise ValueError("my own mistake")
            return SlayerGrad(alpha)(x)

        return spike

    answer = bench(make).observe(Request("value", ROWS, threads=8))
    assert isinstance(answer, ValueError)
    assert str(answer) == "my own mistake"


def test_an_input_kept_in_the_instance_for_the_backward_pass_is_seen_in_threads_alone() -> None:
    def make(alpha: float) -> Spike:
        kept: dict[str, Any] = {}

        @jax.custom_vjp
        def spike(x: jax.Array) -> jax.Array:
            return (x >= 0).astype(x.dtype)

        def forward(x: jax.Array) -> tuple[jax.Array, None]:
            kept["x"] = x
            return (x >= 0).astype(x.dtype), None

        spike.defvjp(forward, lambda _, c: (c * jnp.exp(-alpha * jnp.abs(kept["x"])),))
        return spike

    on = bench(make)
    for row in ROWS[:, 0]:
        alone = Request("vjp", row)
        np.testing.assert_allclose(gradient(on, alone), ask(alone).gradient, rtol=ROUNDED)
    request = Request("vjp", ROWS, threads=8)
    assert (np.abs(gradient(on, request) - ask(request).gradient) > 0.01).any()


# ---- the rest ------------------------------------------------------------------------------------


def test_it_serves_one_implementation_in_one_case() -> None:
    on = bench()
    assert on.serves(Unit(on.implementation, "gradient.peak", on.case))
    assert not on.serves(Unit(on.implementation, "gradient.peak", case("float16")))
    assert not on.serves(Unit(Implementation(resolve(Counting(), "jax"), "jax", SLAYER), "gradient.peak", on.case))


def test_what_cannot_be_called_breaks_the_contract() -> None:
    answer = bench(lambda alpha: None).observe(Request("value", X))
    assert isinstance(answer, BrokenContract)
    assert str(answer) == "the factory returned None; expected a spike function"


def test_every_property_of_a_case_is_prepared_without_an_exception() -> None:
    on = bench(profile="standard")
    judged = [get_property(name) for name in ("transform.vmap", "transform.modes", "state.copies")]
    on.prepare([j for j in judged if isinstance(j, Property)])
    asked = [named for j in judged if isinstance(j, Property) for named in j.observe(on.case).items()]
    assert all(on.known([request]) for name, request in asked if not name.endswith(", eager"))


@pytest.mark.parametrize("raised", [ValueError("no current"), SystemExit(0)], ids=["an exception", "sys.exit"])
def test_what_ends_a_count_of_patterns_is_an_answer_too(raised: BaseException) -> None:
    def failing(alpha: float) -> Spike:
        def spike(x: jax.Array) -> jax.Array:
            raise raised

        return spike

    answer = bench(failing).tally(Span(0, 1000))
    assert isinstance(answer, Exception)
    assert ("sys.exit(0)" in str(answer)) == isinstance(raised, SystemExit)


def test_patterns_are_counted_by_the_instance_under_test() -> None:
    counted = bench().tally(Span(0x3F80_0000, 0x3F80_1000))
    assert isinstance(counted, Tally)
    assert counted.size == 2 * 0x1000
    assert counted.gradients.count == counted.spikes.count == 0
