from __future__ import annotations

import threading

import numpy as np
import pytest
from handmade import case

from surrogate_core.drivers import few
from surrogate_core.drivers.few import KEPT, PIECE, judge_few
from surrogate_core.drivers.tally import MAGNITUDES, Span, Tally
from surrogate_core.properties.patterns import PATTERNS
from surrogate_core.spec import get_spec
from surrogate_core.spec.model import Parameters

SPEC = get_spec("slayer")
RATE = (("alpha", 1.0),)
SPAN = Span(0, MAGNITUDES, MAGNITUDES // (2 * PIECE))
"""Of two pieces."""


@pytest.fixture(autouse=True)
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many patterns each call of the definition was given."""
    sizes: list[int] = []

    def counted(spec, parameters, fmt, patterns, spikes, gradients) -> Tally:
        sizes.append(patterns.size)
        return tally(spec, parameters, fmt, patterns, spikes, gradients)

    tally = few.tally
    monkeypatch.setattr(few, "tally", counted)
    monkeypatch.setattr(few, "_kept", {})
    return sizes


def answers(span: Span) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(invalid="ignore"):
        x = span.patterns().view(np.float32).astype(np.float64) * 1.0
    return (x >= 0).astype(np.float32), np.exp(-np.abs(x)).astype(np.float32)


def but(bits: int, place: int):
    """Right answers, but for these bits of the gradient at one place of the second piece."""

    def wrong(span: Span) -> tuple[np.ndarray, np.ndarray]:
        spikes, gradients = answers(span)
        if span.start > SPAN.start:
            gradients.view(np.uint32)[0, place] ^= bits
        return spikes, gradients

    return wrong


def test_two_that_answer_alike_are_judged_once_and_with_the_same_result(judged: list[int]) -> None:
    first = judge_few(answers, SPEC, RATE, SPAN)
    assert sum(judged) == SPAN.size
    assert judge_few(answers, SPEC, RATE, SPAN) == first
    assert sum(judged) == SPAN.size


def test_a_span_of_no_patterns_counts_none() -> None:
    assert judge_few(answers, SPEC, RATE, Span(5, 5)) == Tally()


def test_one_bit_that_differs_is_judged_anew_with_its_piece_alone(judged: list[int]) -> None:
    right = judge_few(answers, SPEC, RATE, SPAN)
    judged.clear()
    wrong = judge_few(but(1 << 22, 7), SPEC, RATE, SPAN)
    assert sum(judged) == 2 * PIECE
    assert (right.gradients.count, wrong.gradients.count) == (0, 1)
    assert judge_few(answers, SPEC, RATE, SPAN) == right


def test_zeros_of_another_sign_are_other_answers(judged: list[int]) -> None:
    judge_few(answers, SPEC, RATE, SPAN)
    judged.clear()
    far = PIECE // 2
    assert answers([*SPAN.cut(PIECE)][1])[1][0, far] == 0
    judge_few(but(1 << 31, far), SPEC, RATE, SPAN)
    assert sum(judged) == 2 * PIECE


@pytest.mark.parametrize(
    ("spec", "parameters", "span"),
    [
        ("slayer", (("alpha", 2.0),), SPAN),
        ("arctan", (("alpha", 1.0),), SPAN),
        ("slayer", RATE, Span(1, MAGNITUDES, SPAN.stride)),
    ],
)
def test_what_is_promised_and_where_are_told_apart(
    spec: str, parameters: Parameters, span: Span, judged: list[int]
) -> None:
    judge_few(answers, SPEC, RATE, SPAN)
    judged.clear()

    def constant(piece: Span) -> tuple[np.ndarray, np.ndarray]:
        return answers(Span(piece.start - span.start, piece.stop, piece.stride))

    judge_few(constant, get_spec(spec), parameters, span)
    assert sum(judged) == span.size


def test_no_more_is_kept_than_two_implementations_of_standard_need(monkeypatch: pytest.MonkeyPatch) -> None:
    (standard,) = PATTERNS.spans(case(profile="standard"))
    assert 2 * len([*standard.cut(PIECE)]) == KEPT
    monkeypatch.setattr(few, "KEPT", 3)
    for start in range(3):
        judge_few(answers, SPEC, RATE, Span(start, MAGNITUDES, SPAN.stride))
    assert len(few._kept) == 3  # pyright: ignore[reportPrivateUsage]  # what is kept is no answer of anybody


def test_what_was_needed_last_is_kept(judged: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few, "KEPT", 4)
    judge_few(answers, SPEC, RATE, SPAN)
    judged.clear()
    others = [Span(start, MAGNITUDES, SPAN.stride) for start in (1, 2, 3)]
    for other in others:
        judge_few(answers, SPEC, RATE, other)
        judge_few(answers, SPEC, RATE, SPAN)
    assert sum(judged) == sum(other.size for other in others)


def test_who_flushes_subnormals_in_a_call_is_judged_by_somebody_who_does_not() -> None:
    torch = pytest.importorskip("torch", reason="pip install 'surrogate_core[torch]'")
    right = judge_few(answers, SPEC, RATE, SPAN)
    assert right.kept
    known = {piece: answers(piece) for piece in SPAN.cut(PIECE)}

    def flushing(span: Span) -> tuple[np.ndarray, np.ndarray]:
        assert torch.set_flush_denormal(True)
        return known[span]

    few._kept.clear()  # pyright: ignore[reportPrivateUsage]  # as in another process
    try:
        told = judge_few(flushing, SPEC, RATE, SPAN)
    finally:
        torch.set_flush_denormal(False)
    assert told == right


def test_a_thread_that_cannot_be_started_leaves_none_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    start, started = threading.Thread.start, list[threading.Thread]()

    def refused(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        judge_few(answers, SPEC, RATE, SPAN)
    assert [thread.is_alive() for thread in started] == [False]


def test_no_more_threads_are_started_than_there_are_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1000)
    found: list[int] = []

    def counting(span: Span) -> tuple[np.ndarray, np.ndarray]:
        found.append(threading.active_count())
        return answers(span)

    before = threading.active_count()
    judge_few(counting, SPEC, RATE, SPAN)
    assert max(found) == before + len([*SPAN.cut(PIECE)])
