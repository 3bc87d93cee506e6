from __future__ import annotations

import itertools

import numpy as np
import pytest
from handmade import Function, case, failed, finite, passed, rounded, slayer, step

from surrogate_core.drivers.base import Observation
from surrogate_core.drivers.tally import MAGNITUDES, Span, Tally, tally
from surrogate_core.properties.outcome import Outcome
from surrogate_core.properties.patterns import PARTS, PATTERNS, STRIDE
from surrogate_core.spec import FORMATS

SPAN = Span(0, MAGNITUDES, 1 << 15)


def values(patterns: np.ndarray) -> np.ndarray:
    return patterns.reshape(-1).view(np.float32)


def answers(x: np.ndarray, forward: Function, derivative: Function) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64)
        return rounded(forward(wide), x.dtype), rounded(derivative(wide), x.dtype)


def verdict(forward: Function = step, derivative: Function | None = None, alone: bool = False) -> Outcome:
    """The judgement of an implementation on paper, at a few thousand patterns."""
    where, derivative = case(profile="standard"), derivative or slayer()
    patterns = SPAN.patterns()
    counted = tally(
        where.spec, where.parameters, FORMATS["float32"], patterns, *answers(values(patterns), forward, derivative)
    )
    requests = PATTERNS.closer(where, counted)
    # What is looked at closer may be right when it is alone.
    functions = (step, slayer()) if alone else (forward, derivative)
    seen = {what: Observation(*answers(request.x, *functions)) for what, request in requests.items()}
    return PATTERNS.judge(where, counted, seen)


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


@pytest.mark.parametrize(
    ("forward", "derivative", "allowed"),
    [
        (lambda x: np.where(np.abs(x + 2.5) < 0.01, 1.0, step(x)), None, "exactly 0"),
        (step, lambda x: np.where(np.abs(x - 1.5) < 0.01, 0.3, slayer()(x)), "0.35"),
        (step, lambda x: np.where(np.isnan(x), 0.0, slayer()(x)), "nan"),
        (lambda x: np.where(np.isnan(x), 1.0, step(x)), None, "exactly 0"),
        (step, lambda x: slayer()(finite(x)), "0 ± 0"),
    ],
    ids=["spike in a window", "gradient in a window", "gradient at NaN", "spike at NaN", "gradient at infinity"],
)
def test_a_wrong_answer_anywhere_is_told_at_one_pattern(
    forward: Function, derivative: Function | None, allowed: str
) -> None:
    outcome = failed(verdict(forward, derivative))
    assert outcome.allowed.startswith(allowed)
    assert outcome.witness is not None
    assert outcome.witness.request.x.shape == (1,)


def test_what_is_wrong_among_many_only_says_so_and_has_no_script() -> None:
    outcome = failed(verdict(derivative=lambda x: 0.9 * slayer()(x), alone=True))
    assert outcome.measured.startswith("something else among very many inputs")
    assert outcome.witness is None
    assert outcome.severity is None


def test_what_is_wrong_in_a_vectorised_loop_alone_is_seen_among_equal_inputs() -> None:
    def off(x: np.ndarray) -> np.ndarray:
        return (1 - 2.0**-21) * slayer()(x)

    where, patterns = case(profile="standard"), SPAN.patterns()
    counted = tally(where.spec, where.parameters, FORMATS["float32"], patterns, *answers(values(patterns), step, off))
    seen = {
        what: Observation(*answers(request.x, step, slayer() if request.x.size == 1 else off))
        for what, request in PATTERNS.closer(where, counted).items()
    }
    outcome = failed(PATTERNS.judge(where, counted, seen))
    assert outcome.witness is not None
    assert outcome.witness.request.x.size > 1
    assert outcome.severity is not None
    assert outcome.severity < 2.0**-20
