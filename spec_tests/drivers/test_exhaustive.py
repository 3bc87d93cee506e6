"""The fast way to a tally gives the numbers of its definition, in NumPy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from handmade import SLAYER
from sympy import Abs, Heaviside, Interval, Max, Rational, Symbol, oo, tanh

from surrogate_core.drivers import exhaustive, get_driver
from surrogate_core.drivers import jax as jax_driver
from surrogate_core.drivers.exhaustive import GIVEN, judge, judge_fused
from surrogate_core.drivers.programs import WIDEST
from surrogate_core.drivers.tally import MAGNITUDES, Finding, NoOracle, Span, Tally, collect, spans, tally
from surrogate_core.slayer import SlayerGrad
from surrogate_core.spec import FORMATS, Parameter, Spec, x

ALPHA = 1.72
PARAMETERS = (("alpha", ALPHA),)
NORMAL, INFINITY = 1 << 23, 0x7F80_0000

PLACES = {
    "around zero and the subnormals": Span(0, 3000),
    "the largest subnormals and smallest normals": Span(NORMAL - 3000, NORMAL + 70_000),
    "around one": Span(0x3F80_0000 - 5000, 0x3F80_0000 + 150_000),
    "where the gradient vanishes": Span(0x4248_0000, 0x4258_0000, 7),
    "infinity and NaN": Span(INFINITY - 3000, INFINITY + 3000),
    "everywhere": Span(5, MAGNITUDES, 60_013),
}


def surrogate(rate: Callable[[Any], Any], step: Callable[[Any], Any] | None = None) -> Callable[[Any], Any]:
    fire = step or (lambda v: (v >= 0).astype(v.dtype))

    @jax.custom_jvp
    def spike(v: Any) -> Any:
        return fire(v)

    spike.defjvp(lambda primals, tangents: (fire(*primals), rate(*primals) * tangents[0]))
    return spike


def slayer(v: Any, rate: float = ALPHA) -> Any:
    return jnp.exp(-rate * jnp.abs(v))


def at_pattern(bits: int) -> Callable[[Any], Any]:
    return lambda v: jax.lax.bitcast_convert_type(v, jnp.uint32) == jnp.uint32(bits)


SURROGATES: dict[str, Callable[[Any], Any]] = {
    "the reference": SlayerGrad(ALPHA),
    "the plain formula, which XLA flushes": surrogate(slayer),
    "a slope off by 1e-5": surrogate(lambda v: slayer(v, ALPHA * (1 + 1e-5))),
    "one wrong bit pattern": surrogate(lambda v: jnp.where(at_pattern(0x3F80_0123)(v), 0.5, slayer(v))),
    "one wrong spike": surrogate(slayer, lambda v: jnp.where(at_pattern(0xBF80_0123)(v), 1.0, v >= 0).astype(v.dtype)),
    "NaN on the left": surrogate(lambda v: jnp.where(v < -0.99, jnp.nan, slayer(v))),
    "an asymmetric ulp": surrogate(lambda v: slayer(v) * jnp.where(v < 0, 1 - 2.0**-24, 1)),
    "negative where it vanishes": surrogate(lambda v: jnp.where(jnp.abs(v) > 52, -1e-30, slayer(v))),
    "fires at NaN": surrogate(slayer, lambda v: (~(v < 0)).astype(v.dtype)),
}


@functools.cache
def defined(name: str, span: Span) -> Tally:
    """The tally of a surrogate in JAX, by its definition."""
    patterns = span.patterns()
    value, pull = jax.vjp(SURROGATES[name], jax.device_put(patterns.reshape(-1).view(np.float32)))
    return tally(SLAYER, PARAMETERS, FORMATS["float32"], patterns, value, pull(jnp.ones_like(value))[0])


def fast(name: str, span: Span) -> Tally:
    """The tally by XLA, of the same answers."""

    def answers(piece: Span) -> tuple[np.ndarray, np.ndarray]:
        patterns = piece.patterns()
        value, pull = jax.vjp(SURROGATES[name], jax.device_put(patterns.reshape(-1).view(np.float32)))
        return tuple(np.asarray(a).reshape(patterns.shape) for a in (value, pull(jnp.ones_like(value))[0]))  # pyright: ignore[reportReturnType] -- two of them

    return judge(answers, SLAYER, PARAMETERS, span)


def by_driver(framework: str, function: Callable[[Any], Any], span: Span) -> Tally:
    return get_driver(framework).tally(function, SLAYER, PARAMETERS, span, "cpu:0")


@pytest.mark.parametrize("name", ["the reference", "one wrong bit pattern", "NaN on the left"])
def test_few_patterns_are_judged_by_the_definition(name: str) -> None:
    for place in ("around one", "infinity and NaN", "everywhere"):
        assert by_driver("jax", SURROGATES[name], PLACES[place]) == defined(name, PLACES[place])


def rounded(one: Tally, other: Tally) -> Tally:
    """``one`` with the largest errors of the other, where they are those but for the last digits of float64."""
    findings: dict[str, Any] = {
        f.name: replace(mine, worst=theirs.worst)
        for f in fields(Tally)
        if isinstance(mine := getattr(one, f.name), Finding)
        if mine.worst == pytest.approx((theirs := getattr(other, f.name)).worst, rel=1e-12, abs=1e-15)
    }
    return replace(one, **findings)


def assert_the_same(found: Tally, wanted: Tally, span: Span) -> None:
    # Each reference is within one ulp of float64 of the formula, so the errors differ by 2^-27 ulp of float32.
    assert abs(found.max_ulp - wanted.max_ulp) <= 2.0**-27
    # Where that ulp decides whether the formula is below 1, it decides how large an ulp of float32 is.
    with np.errstate(invalid="ignore"):
        distance = ALPHA * np.abs(span.patterns().view(np.float32).astype(np.float64))
    undecided = int(((distance > 0) & (distance < 2.0**-51)).sum())
    assert abs(found.correctly_rounded - wanted.correctly_rounded) <= undecided
    same = replace(rounded(found, wanted), max_ulp=wanted.max_ulp, correctly_rounded=wanted.correctly_rounded)
    assert same == wanted


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", SURROGATES)
def test_answers_are_judged_as_the_definition_does(name: str, place: str) -> None:
    assert_the_same(fast(name, PLACES[place]), defined(name, PLACES[place]), PLACES[place])


@pytest.mark.parametrize("place", ["around one"])
@pytest.mark.parametrize("name", ["the reference", "one wrong bit pattern", "NaN on the left"])
def test_in_one_program_they_are_judged_alike(name: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax_driver, "FEW", 0)
    found, wanted = by_driver("jax", SURROGATES[name], PLACES[place]), defined(name, PLACES[place])
    # Compiled as a whole, a gradient may round otherwise; what is counted is the same.
    counts = ("inputs", "nonfinite", "spikes", "flushed", "gradients", "normal", "zeroed", "kept")
    assert {c: getattr(found, c) for c in counts} == {c: getattr(wanted, c) for c in counts}
    assert sum(found.ulp_counts) == sum(wanted.ulp_counts)


def test_pytorch_is_judged_by_the_same_program(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="torch is missing: pip install 'surrogate_core[torch]'")

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, v: Any) -> Any:
            ctx.save_for_backward(v)
            return (v >= 0).to(v.dtype)

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            return gradients[0] * torch.exp(-ALPHA * ctx.saved_tensors[0].abs())

    span = PLACES["everywhere"]
    few = by_driver("torch", Spike.apply, span)
    monkeypatch.setattr("surrogate_core.drivers.torch.FEW", 0)
    found = by_driver("torch", Spike.apply, span)
    v = torch.from_numpy(span.patterns().reshape(-1).view(np.float32)).requires_grad_()
    spikes = Spike.apply(v)
    (gradients,) = torch.autograd.grad(spikes.sum(), v)
    answers = spikes.detach().numpy(), gradients.numpy()
    wanted = tally(SLAYER, PARAMETERS, FORMATS["float32"], span.patterns(), *answers)
    assert few == wanted
    assert_the_same(found, wanted, span)
    assert found.flushed.count == 0


@pytest.mark.parametrize("judging", ["torch.judge_few", "exhaustive.judge"])
def test_answers_stay_as_they_were_when_the_implementation_writes_to_its_memory(
    judging: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="torch is missing: pip install 'surrogate_core[torch]'")
    from drivers.torch_made import in_one_buffer

    def judged(answers: Any, spec: Spec, parameters: Any, span: Span) -> Tally:
        found = answers(Span(0, 8))
        before = [a.copy() for a in found]
        answers(Span(NORMAL, NORMAL + 8))
        assert all(map(np.array_equal, found, before))
        return Tally(inputs=16)

    monkeypatch.setattr("surrogate_core.drivers.torch.FEW", 0 if judging == "exhaustive.judge" else 1 << 22)
    monkeypatch.setattr(f"surrogate_core.drivers.{judging}", judged)
    assert by_driver("torch", in_one_buffer("spikes", "gradient"), PLACES["everywhere"]).inputs == 16


def test_the_largest_error_and_every_count_add_up_in_any_order() -> None:
    parts = [
        fast("a slope off by 1e-5", span) for span in (Span(0x3F00_0000, 0x3F01_0000), Span(0x3F80_0000, 0x3F81_0000))
    ]
    empty = Tally()
    assert parts[0] + parts[1] == parts[1] + parts[0]
    assert (parts[0] + parts[1]) + empty == parts[0] + (parts[1] + empty)
    assert (parts[0] + parts[1]).max_ulp == max(p.max_ulp for p in parts)
    assert Tally.from_dict(parts[0].to_dict()) == parts[0]
    assert (parts[0] + parts[1]).gradients.worst == max(p.gradients.worst for p in parts) > 0


@pytest.mark.parametrize("count", [1, 3, 64])
def test_spans_cover_every_pattern_once(count: int) -> None:
    parts = spans(count)
    assert parts[0].start == 0
    assert parts[-1].stop == MAGNITUDES
    assert sum(part.size for part in parts) == 1 << 32


def test_a_span_outside_the_patterns_is_refused() -> None:
    for wrong in ((-1, 5, 1), (5, 4, 1), (0, MAGNITUDES + 1, 1), (0, 5, 0)):
        with pytest.raises(ValueError, match="expected 0 <= start"):
            Span(*wrong)


def test_a_formula_that_float64_loses_is_refused_with_the_reason() -> None:
    lossy = Spec("lossy", "Lossy", "made up", 1 - tanh(x) ** 2)
    with pytest.raises(NoOracle, match="cancellation"):
        judge_fused(lambda v: (v, v), lossy, (), Span(0, 100), jax.devices("cpu")[0])


Answer = Callable[[np.ndarray], tuple[Any, Any]]
"""float64 inputs -> spikes and gradients."""


def judged(answer: Answer, span: Span, spec: Spec = SLAYER) -> tuple[Tally, Tally]:
    """Handmade answers, rounded once to float32: their tally, and the one by its definition."""

    def answers(piece: Span) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(all="ignore"):
            spikes, gradients = answer(piece.patterns().view(np.float32).astype(np.float64) * 1.0)
            return np.asarray(spikes, np.float32), np.asarray(gradients, np.float32)

    wanted = tally(spec, PARAMETERS, FORMATS["float32"], span.patterns(), *answers(span))
    return judge(answers, spec, PARAMETERS, span), wanted


def wrong(found: Tally) -> int:
    return found.spikes.count + found.gradients.count + found.nonfinite_spikes.count + found.nonfinite_gradients.count


@pytest.fixture
def inspected(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many magnitudes each inspection looked at."""
    counts: list[int] = []
    inspect = exhaustive.Programs.inspected

    def counted(self: Any, piece: Span, *rest: Any) -> Tally:
        counts.append(piece.count)
        return inspect(self, piece, *rest)

    monkeypatch.setattr(exhaustive.Programs, "inspected", counted)
    return counts


LATER = Span(0x3F80_0000, 0x3F80_0000 + GIVEN)


@pytest.mark.parametrize("rounding", [1.0, 1 - 2.0**-23], ids=["right", "off by two roundings"])
def test_what_is_next_to_a_kink_is_left_out_and_all_else_is_right(rounding: float) -> None:
    alpha = Symbol("alpha", positive=True)
    rate = Parameter(alpha, 1.0, Interval.open(0, oo), (0.1, 10))
    triangle = Spec("triangle", "Triangle", "made up", Max(0, 1 - alpha * Abs(x)), [rate])
    kink = int(np.float32(1 / ALPHA).view(np.uint32))
    span = Span(kink - GIVEN - 99, kink + GIVEN + 99)

    def answer(v: np.ndarray) -> tuple[Any, Any]:
        return v >= 0, np.maximum(0, 1 - ALPHA * rounding * np.abs(v))

    found, wanted = judged(answer, span, triangle)
    # What is left of 1 - alpha*|x| has the rounding errors of 1, so the largest error in ulp has not many digits.
    assert replace(found, max_ulp=wanted.max_ulp) == wanted
    assert wrong(found) == 0
    # 4 roundoffs of 0.58 are 2.3 of its ulp: 4 or 5 numbers on both sides, of either sign.
    assert found.near_breakpoint in (8, 10)


def test_a_threshold_that_float32_does_not_hold_is_judged_exactly() -> None:
    one: Any = 1
    late = SLAYER.replace(forward=Heaviside(x - Rational(1, 10), one))
    # 0.1 lies between two numbers of float32, of which the upper one rounds to it.
    nearest = np.float32(0.1)
    span = Span(int(nearest.view(np.uint32)) - 5, int(nearest.view(np.uint32)) - 5 + GIVEN)
    for threshold, number in ((0.1, 0), (float(nearest) * (1 + 1e-9), 1)):
        found, wanted = judged(lambda v, t=threshold: (v >= t, np.exp(-ALPHA * np.abs(v))), span, late)
        assert_the_same(found, wanted, span)
        assert wrong(found) == found.spikes.count == number


def test_only_what_needs_it_is_inspected(inspected: list[int]) -> None:
    # Of what is right the lane with the largest error, of what is wrong everything.
    for rate, least, most in ((ALPHA, 1, 64), (ALPHA * (1 + 1e-5), LATER.count, LATER.count)):
        inspected.clear()
        judged(lambda v, rate=rate: (v >= 0, np.exp(-rate * np.abs(v))), LATER)
        assert least <= sum(inspected) <= most


def test_how_far_off_answers_are_is_evaluated_only_where_some_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated: list[int] = []

    def counted(patterns: np.ndarray, marks: np.ndarray, ulps: np.ndarray, errors: Callable[[], Any]) -> Tally:
        return collect(patterns, marks, ulps, lambda: (evaluated.append(patterns.size), errors())[1])

    monkeypatch.setattr("surrogate_core.drivers.programs.collect", counted)
    span = PLACES["infinity and NaN"]
    fast("the reference", span)
    assert evaluated == []
    fast("fires at NaN", span)
    assert evaluated


def test_of_equal_errors_the_first_one_is_looked_for(inspected: list[int]) -> None:
    tiny = Span(1 << 28, (1 << 28) + GIVEN)
    found, wanted = judged(lambda v: (v >= 0, np.ones_like(v)), tiny)
    assert (found, found.max_ulp, found.max_ulp_at) == (wanted, 0.0, tiny.start)
    assert sum(inspected) < GIVEN


def test_gradients_that_are_right_and_not_mirrored_need_no_inspection(inspected: list[int]) -> None:
    def lopsided(v: np.ndarray) -> tuple[Any, Any]:
        return v >= 0, np.exp(-ALPHA * np.abs(v)) * np.where(v < 0, 1 + 2.0**-23, 1)

    found, wanted = judged(lopsided, LATER)
    assert_the_same(found, wanted, LATER)
    assert wrong(found) == 0
    assert sum(inspected) <= 64


def silent(piece: Span) -> tuple[np.ndarray, np.ndarray]:
    nothing = np.zeros((2, piece.count), np.float32)
    return nothing, nothing


def test_progress_is_told_of_every_pattern() -> None:
    for span in (PLACES["infinity and NaN"], Span(LATER.start, LATER.start + (1 << 20), 3)):
        told: list[int] = []
        judge(silent, SLAYER, PARAMETERS, span, told.append)
        assert sum(told) == span.size


def test_further_spans_compile_nothing() -> None:
    driver, function = get_driver("jax"), SURROGATES["the reference"]
    driver.tally(function, SLAYER, PARAMETERS, Span(0x3F80_0000, 0x3FC0_0000), "cpu:0")
    before = driver.compilations()
    driver.tally(function, SLAYER, PARAMETERS, Span(0x3FC0_0000, 0x4000_0000), "cpu:0")
    assert driver.compilations() == before


@pytest.mark.parametrize(
    "function",
    [SlayerGrad(ALPHA), surrogate(lambda v: jnp.exp(-ALPHA * jnp.abs(v))), surrogate(lambda v: 1 - jnp.tanh(v) ** 2)],
    ids=["SlayerGrad", "exp", "tanh"],
)
def test_wide_vectors_answer_as_those_that_users_get_bit_for_bit(function: Callable[[Any], Any]) -> None:
    def answers(v: Any) -> tuple[Any, Any]:
        value, pull = jax.vjp(function, v)
        return value, pull(jnp.ones_like(value))[0]

    points = Span(5, MAGNITUDES, 8191).patterns().view(np.float32).reshape(-1)
    lowered = jax.jit(answers).lower(points)
    widest = lowered.compile(compiler_options=WIDEST["cpu"])
    for wide, plain in zip(widest(points), lowered.compile()(points), strict=True):
        np.testing.assert_array_equal(np.asarray(wide).view(np.uint32), np.asarray(plain).view(np.uint32))
