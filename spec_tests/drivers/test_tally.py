from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import pickle
from typing import Any

import numpy as np
import pytest
from handmade import ALPHA, SLAYER, slayer, step

from surrogate_core.drivers.tally import ULP_EDGES, Finding, Span, Tally, floor, spans, tally
from surrogate_core.spec import FORMATS

F32 = FORMATS["float32"]
AT = (("alpha", ALPHA),)
SIGN = 0x8000_0000


def bits(*values: float) -> np.ndarray:
    return np.array(values, np.float32).view(np.uint32)


def judged(patterns: np.ndarray, spikes: Any = None, gradients: Any = None, spec: Any = SLAYER) -> Tally:
    """The tally of right answers, or of what is given in their place."""
    with np.errstate(all="ignore"):
        x = patterns.view(np.float32).astype(np.float64)
        spikes = step(x) if spikes is None else np.asarray(spikes)
        gradients = slayer()(x).astype(np.float32) if gradients is None else np.asarray(gradients)
    return tally(spec, AT, F32, patterns, spikes, gradients)


def test_a_span_holds_each_magnitude_with_both_signs() -> None:
    span = Span(3, 10, 4)
    assert (span.count, span.size) == (2, 4)
    np.testing.assert_array_equal(span.patterns(), [[3, 7], [3 | SIGN, 7 | SIGN]])
    assert Span().size == 2**32
    inside = span.stands_for(np.array([0, 2 | SIGN, 9, 10, 10 | SIGN], np.uint32))
    assert inside.tolist() == [True, True, True, False, False]
    assert Span(4, 9).stands_for(np.array([3, 4, 8 | SIGN, 9], np.uint32)).tolist() == [False, True, True, False]
    assert pickle.loads(pickle.dumps(span)) == span


@pytest.mark.parametrize("stride", [1, 3, 7])
def test_the_pieces_of_a_span_are_the_span(stride: int) -> None:
    span = Span(5, 103, stride)
    pieces = list(span.cut(4))
    np.testing.assert_array_equal(np.concatenate([p.patterns() for p in pieces], axis=1), span.patterns())
    assert all(p.count == 4 for p in pieces[:-1])


@pytest.mark.parametrize("parts", [1, 3, 64])
def test_spans_cover_every_pattern_once(parts: int) -> None:
    found = spans(parts)
    assert len(found) == parts
    assert sum(s.size for s in found) == 2**32
    assert all(a.stop == b.start for a, b in itertools.pairwise(found))


@pytest.mark.parametrize("wrong", [(-1, 5, 1), (6, 5, 1), (0, 2**31 + 1, 1), (0, 5, 0)])
def test_a_span_of_no_patterns_of_float32_is_refused(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="expected 0 <= start <= stop <= 2"):
        Span(*wrong)


def test_right_answers_are_counted_and_nothing_is_found() -> None:
    found = judged(bits(0.0, 1.0, 2.0, 110.0, 125.0, 150.0, 1e30, np.inf, np.nan))
    assert (found.inputs, found.nonfinite, found.normal, found.size) == (7, 2, 4, 9)
    assert all(getattr(found, f.name) == Finding() for f in dataclasses.fields(Tally) if f.type == "Finding")
    # exp(-0.7 * 125) is halfway to the smallest normal number, exp(-0.7 * 150) rounds to zero.
    assert (found.zeroed, found.kept) == (0, 1)
    assert found.correctly_rounded == found.faithful == sum(found.ulp_counts) == 4
    assert 0 < found.max_ulp <= 0.5
    assert found.max_ulp_at in bits(1.0, 2.0, 110.0)


def test_a_wrong_spike_is_found_and_the_one_nearest_to_zero_is_named() -> None:
    found = judged(bits(1.0, 2.0, 3.0), spikes=[1.0, 0.0, 0.0])
    assert found.spikes == Finding(2, int(bits(2.0)[0]), worst=1.0)


def test_subnormal_input_taken_for_zero_is_counted_apart() -> None:
    tiny = np.array([1 | SIGN, 2 | SIGN], np.uint32)
    found = judged(tiny, spikes=[1.0, 1.0])
    assert (found.spikes.count, found.flushed) == (0, Finding(2, 1 | SIGN))
    strict = judged(tiny, spikes=[1.0, 1.0], spec=SLAYER.replace(flushing_tolerated=False))
    assert (strict.spikes.count, strict.flushed.count) == (2, 0)
    # Neither the step there nor the one at zero: no flushing explains that.
    assert judged(tiny, spikes=[2.0, 0.0]).spikes == Finding(1, 1 | SIGN, worst=2.0)


def test_a_gradient_out_of_bound_is_found() -> None:
    x = bits(0.5, 1.0, 2.0)
    right = slayer()(x.view(np.float32).astype(np.float64))
    found = judged(x, gradients=right * [1, 1 + 1e-5, 1 + 1e-5])
    assert (found.gradients.count, found.gradients.pattern) == (2, int(bits(1.0)[0]))
    assert found.gradients.worst == pytest.approx(1e-5 * right[1])
    assert found.out_of_bound == 2
    assert found.max_ulp == pytest.approx((1e-5 * right[1:] / F32.ulp(right[1:])).max())
    assert sum(found.ulp_counts[8:]) == 2


def test_a_gradient_that_is_nan_is_wrong_and_has_no_error_in_ulp() -> None:
    found = judged(bits(1.0), gradients=[np.nan])
    assert (found.gradients.count, found.normal, sum(found.ulp_counts), found.max_ulp_at) == (1, 1, 0, None)
    assert (found.gradients.worst, found.out_of_bound) == (np.inf, 1)


def test_the_largest_error_is_kept_wherever_the_nearest_pattern_is() -> None:
    x = bits(0.5, 1.0, 150.0)
    right = slayer()(x.view(np.float32).astype(np.float64))
    found = judged(x, spikes=[1.0, -2.0, 4.0], gradients=right + np.array([0.125, -0.25, 0.5]))
    # At 150 the gradient rounds to zero: what is out of bound there is so of no normal number.
    assert (found.gradients, found.out_of_bound) == (Finding(3, int(x[0]), worst=0.5), 2)
    assert found.spikes == Finding(2, int(x[1]), worst=3.0)


def test_what_is_wrong_beyond_the_finite_numbers_is_counted_apart() -> None:
    patterns = bits(-np.inf, np.inf, np.nan)
    found = judged(patterns, spikes=[1.0, 1.0, 0.0], gradients=[0.0, 1.0, 0.0])
    assert found.nonfinite_spikes == Finding(1, int(patterns[0]), worst=1.0)
    assert found.nonfinite_gradients == Finding(2, int(patterns[1]), worst=np.inf)
    assert found.spikes == found.gradients == Finding()


def test_nothing_is_promised_at_nan_without_at_nan() -> None:
    assert judged(bits(np.nan), spikes=[5.0], spec=SLAYER.replace(at_nan=None)).nonfinite_spikes.count == 0
    assert judged(bits(np.nan), spikes=[5.0]).nonfinite_spikes.count == 1


def test_subnormal_gradients_that_come_back_as_zero_are_counted() -> None:
    found = judged(bits(125.0, 130.0, 140.0), gradients=[0.0, -0.0, 1e-42])
    assert (found.zeroed, found.kept, found.gradients.count) == (2, 1, 0)


def test_the_histogram_has_the_edges_of_the_accuracy_figures() -> None:
    one = bits(0.0).repeat(5)
    ulp = 2.0**-23
    found = judged(one, gradients=1 + ulp * np.array([0.0, 0.5, 1.0, 1024.0, 2e6]))
    assert found.ulp_counts == (1, 1, 1, *(0,) * 9, 2)
    assert (found.correctly_rounded, found.faithful) == (2, 2)
    assert len(ULP_EDGES) == 1 + len(found.ulp_counts)


def test_the_flush_to_zero_threshold_is_that_of_all_inputs() -> None:
    high = dataclasses.replace(SLAYER, gradient=100 * SLAYER.gradient, claims=())
    assert floor(high, AT, F32) == 100 * F32.smallest_normal
    far = bits(125.0)
    assert tally(high, AT, F32, far, np.ones(1), np.zeros(1)).gradients.count == 0


def parts() -> list[Tally]:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(5):
        patterns = np.sort(rng.integers(0, 2**32, 200, dtype=np.uint32))
        with np.errstate(all="ignore"):
            x = patterns.view(np.float32).astype(np.float64) * 1.0
            gradients = slayer()(x) * (1 + 1e-6 * rng.standard_normal(200))
        found.append(judged(patterns, spikes=rng.integers(0, 2, 200), gradients=gradients))
    return found


def test_tallies_add_up_in_any_order() -> None:
    found = parts()
    one = functools.reduce(Tally.__add__, found)
    assert all(functools.reduce(Tally.__add__, order) == one for order in itertools.permutations(found))
    assert (found[0] + found[1]) + found[2] == found[0] + (found[1] + found[2])
    assert one + Tally() == one
    assert one.spikes.count > 100
    assert one.gradients.count > 1


def test_equal_errors_are_named_by_the_smaller_pattern() -> None:
    a, b = (Tally(max_ulp=2.0, max_ulp_at=at) for at in (9, 4))
    assert (a + b).max_ulp_at == (b + a).max_ulp_at == 4
    assert (Tally(max_ulp=0.0, max_ulp_at=3) + Tally()).max_ulp_at == 3
    # Of one magnitude the pattern without the sign is the nearer one.
    assert Finding(1, 5 | SIGN) + Finding(2, 5) == Finding(3, 5)
    assert Finding(1, 5) + Finding(2, 4 | SIGN) == Finding(3, 4 | SIGN)
    assert Finding(1, 5, 0.25) + Finding(2, 4, 0.125) == Finding(3, 4, 0.25)


def test_a_tally_survives_json_and_pickling() -> None:
    found = parts()[0]
    assert Tally.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert pickle.loads(pickle.dumps(found)) == found


def test_sixteen_bits_are_judged_likewise() -> None:
    fmt = FORMATS["float16"]
    patterns = np.arange(1 << 16, dtype=np.uint16)
    with np.errstate(all="ignore"):
        x = patterns.view(fmt.dtype).astype(np.float64)
        found = tally(SLAYER, AT, fmt, patterns, step(x), slayer()(x).astype(fmt.dtype))
    assert found.size == 1 << 16
    assert found.gradients == found.spikes == Finding()
    assert found.correctly_rounded == found.normal


def test_a_normal_gradient_that_was_flushed_on_the_way_has_no_error_in_ulp() -> None:
    # exp(-0.7 * |x|) is 1.000005 smallest normal numbers there, which rounding of the exponent does not tell from it.
    x = bits((126 * np.log(2) - np.log(1.000005)) / ALPHA)
    found = judged(x, gradients=[0.0])
    assert (found.gradients.count, found.zeroed, found.normal, found.max_ulp_at) == (0, 1, 0, None)
    assert judged(x).normal == 1
