from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from surrogate_core.drivers import survey
from surrogate_core.drivers.survey import CLASSES, FLAGGED, FOLD, HALF, VANISHED


def test_counters_of_four_bits_become_totals_by_class() -> None:
    # Errors in ulp by lane; the last two are flagged, and expected to round to zero.
    lanes = np.array([[0.3, 3.0, 2047.0, 0.5], [0.5, 3.5, FLAGGED, -(2.0**13)]])
    many = np.tile(lanes, 2 * FOLD)
    with jax.enable_x64(True):
        bytes_ = sum(survey._bytes(sum(survey._counted(jnp.asarray(lane))[None] for lane in many)) for _ in range(60))
        found = np.asarray(survey._totals(bytes_))
    expected = np.zeros(CLASSES, int)
    expected[[0, 3, 12, HALF, VANISHED]] = [1, 2, 1, 2, 1]
    np.testing.assert_array_equal(found, expected * 2 * FOLD * 60)


def test_subnormal_numbers_are_told_by_their_bits() -> None:
    bits = np.array([0, 1 << 31, 1, (1 << 31) + 1, (1 << 23) - 1, 1 << 23, 0x7F80_0000, 0xFFFF_FFFF], np.uint32)
    found = np.asarray(jax.jit(survey._subnormal)(bits))
    np.testing.assert_array_equal(found, [False, False, True, True, True, False, False, False])
