from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from handmade import Function, case, failed, finite, passed, rounded, slayer, step

from surrogate_core.drivers.base import Observation
from surrogate_core.drivers.tally import MAGNITUDES, Span, Tally, tally
from surrogate_core.properties.outcome import Outcome
from surrogate_core.properties.patterns import COMPANY, PARTS, PATTERNS, STRIDE
from surrogate_core.spec import FORMATS

SPAN = Span(0, MAGNITUDES, 1 << 15)


def values(patterns: np.ndarray) -> np.ndarray:
    return patterns.reshape(-1).view(np.float32)


def answers(x: np.ndarray, forward: Function, derivative: Function) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64)
        return rounded(forward(wide), x.dtype), rounded(derivative(wide), x.dtype)


def verdict(
    forward: Function = step,
    derivative: Function | None = None,
    *,
    right: Callable[[int], bool] = lambda size: False,
    span: Span = SPAN,
) -> Outcome:
    """The judgement of an implementation on paper, at a few thousand patterns.

    What is looked at closer may be right there: ``right`` tells, by the number of inputs.
    """
    where, derivative = case(profile="standard"), derivative or slayer()
    patterns = span.patterns()
    counted = tally(
        where.spec, where.parameters, FORMATS["float32"], patterns, *answers(values(patterns), forward, derivative)
    )
    seen: dict[str, Observation] = {}
    for what, request in PATTERNS.closer(where, span, counted).items():
        functions = (step, slayer()) if right(request.x.size) else (forward, derivative)
        seen[what] = Observation(*answers(request.x, *functions))
    return PATTERNS.judge(where, span, counted, seen)


def test_spans_are_of_float32_alone_and_none_in_quick() -> None:
    assert PATTERNS.spans(case("float16", profile="thorough")) == ()
    assert PATTERNS.spans(case(profile="quick")) == ()


def test_standard_sees_every_2048th_pattern_from_one_that_the_seed_chooses() -> None:
    (span,) = PATTERNS.spans(case(profile="standard", seed=5))
    assert (span.start, span.stride) == (5, STRIDE)
    assert span.size == 1 << 21


def test_thorough_sees_all_patterns_once_in_parts_that_can_be_resumed() -> None:
    parts = PATTERNS.spans(case(profile="thorough"))
    assert len(parts) == PARTS
    assert sum(part.size for part in parts) == 1 << 32
    assert all(a.stop == b.start for a, b in itertools.pairwise(parts))
    assert len({str(part) for part in parts}) == PARTS


def test_a_right_surrogate_passes_with_its_accuracy() -> None:
    outcome = passed(verdict())
    assert outcome.figures["inputs"] == SPAN.size
    assert outcome.figures["max_ulp"] <= 0.5 + 2**-20
    assert outcome.figures["flushed"] == 0
    assert outcome.figures["subnormal_output"] == "kept"
    assert Tally.from_dict(outcome.figures["tally"]).size == SPAN.size
    assert outcome.remarks == ()


def test_flushing_is_a_figure_and_a_remark() -> None:
    outcome = passed(verdict(lambda x: step(np.where(np.abs(x) < 2.0**-126, 0.0, x))))
    magnitudes = SPAN.patterns()[0]
    assert outcome.figures["flushed"] == int(((magnitudes > 0) & (magnitudes < 1 << 23)).sum()) > 0
    assert "taken for zero at" in outcome.remarks[0]
    flushed = passed(verdict(derivative=lambda x: np.where(slayer()(x) < 2.0**-126, 0.0, slayer()(x))))
    assert flushed.figures["subnormal_output"] == "flushed"


WRONG: dict[str, tuple[Function, Function | None, str, str]] = {
    "spike in a window": (lambda x: np.where(np.abs(x + 2.5) < 0.01, 1.0, step(x)), None, "x = -2.5", "exactly 0"),
    "gradient in a window": (step, lambda x: np.where(np.abs(x - 1.5) < 0.01, 0.3, slayer()(x)), "x = 1.5", "0.3499"),
    "gradient everywhere": (step, lambda x: 0.9 * slayer()(x), "x = 0", "1 ±"),
    "gradient at NaN": (step, lambda x: np.where(np.isnan(x), 0.0, slayer()(x)), "x = nan", "NaN"),
    "spike at NaN": (lambda x: np.where(np.isnan(x), 1.0, step(x)), None, "x = nan", "exactly 0"),
    "gradient at infinity": (step, lambda x: slayer()(finite(x)), "x = inf", "0 ± 0"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_answer_is_told_at_the_simplest_input_of_the_sweep_that_shows_it(what: str) -> None:
    forward, derivative, given, allowed = WRONG[what]
    outcome = failed(verdict(forward, derivative))
    assert outcome.given.startswith(f"{given} (")
    assert outcome.allowed.startswith(allowed)
    assert outcome.witness is not None


@pytest.mark.parametrize("what", ["spike in a window", "gradient in a window"])
def test_what_the_sweep_does_not_show_is_told_at_one_pattern(what: str) -> None:
    forward, derivative, _, _ = WRONG[what]
    outcome = failed(verdict(forward, derivative, right=lambda size: size > 64))
    assert outcome.witness is not None
    assert outcome.witness.request.x.shape == (1,)


def test_a_part_tells_what_is_wrong_in_that_part_alone() -> None:
    one = 0x3F80_0000
    outcome = failed(verdict(derivative=lambda x: 0.9 * slayer()(x), span=Span(one, one + (1 << 23), 1 << 12)))
    assert outcome.given == "x = 1 (0x3f800000)"
    assert outcome.severity == pytest.approx(0.1 * slayer()(np.ones(1))[0], rel=1e-6)


def test_the_severity_is_that_of_the_worst_error_wherever_it_is() -> None:
    # Next to nothing near 0, a fifth of the peak in a window; whether the sweep shows it or not.
    def off(x: np.ndarray) -> np.ndarray:
        return slayer()(x) * (1 + 2.0**-20) + np.where(np.abs(x - 3) < 0.01, 0.2, 0.0)

    for right in (lambda size: False, lambda size: size > 64):
        assert failed(verdict(derivative=off, right=right)).severity == pytest.approx(0.2, rel=1e-3)


def test_a_worse_error_that_the_sweep_alone_shows_counts() -> None:
    beside_zero = Span(5, MAGNITUDES, 1 << 15)
    halved_at_zero = verdict(derivative=lambda x: slayer()(x) * np.where(x == 0, 0.5, 1 + 2.0**-20), span=beside_zero)
    assert failed(halved_at_zero).severity == 0.5


def test_a_small_error_of_a_spike_hides_no_large_one_of_a_gradient() -> None:
    outcome = failed(verdict(lambda x: step(x) * (1 + 2.0**-23), lambda x: 0.6 * slayer()(x)))
    assert outcome.allowed == "exactly 1"
    assert outcome.severity == pytest.approx(0.4, rel=1e-6)


def test_an_error_that_is_small_everywhere_is_a_weakness_and_one_that_is_not_is_a_defect() -> None:
    def lost(x: np.ndarray) -> np.ndarray:
        return np.where(np.abs(x) > 30, slayer()(x) * 1.5, slayer()(x))

    assert failed(verdict(derivative=lost)).kind == "weakness"
    large = failed(verdict(derivative=lambda x: np.where(np.abs(x - 3) < 0.01, 0.5, lost(x))))
    assert large.kind == "defect"


def test_what_is_wrong_among_many_only_says_so_and_has_no_script() -> None:
    outcome = failed(verdict(derivative=lambda x: 0.9 * slayer()(x), right=lambda size: True))
    assert outcome.measured.startswith("something else among very many inputs")
    assert outcome.witness is None
    assert outcome.severity == pytest.approx(0.1, rel=1e-6)


def test_what_is_wrong_in_a_vectorised_loop_alone_is_seen_among_equal_inputs() -> None:
    def off(x: np.ndarray) -> np.ndarray:
        return (1 - 2.0**-21) * slayer()(x)

    outcome = failed(verdict(derivative=off, right=lambda size: size != COMPANY))
    assert outcome.witness is not None
    assert outcome.witness.request.x.size == COMPANY
    assert outcome.severity is not None
    assert outcome.severity < 2.0**-20
