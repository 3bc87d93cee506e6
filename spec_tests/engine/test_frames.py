from __future__ import annotations

import resource
from collections.abc import Callable

import pytest

from surrogate_core.engine.frames import in_one_piece
from surrogate_core.engine.isolation import available

pytestmark = pytest.mark.skipif(not available(), reason="workers, and a thread's own page faults, are Linux's alone")

DEPTH, CALLS = 400, 100
"""Frames, some of which end a piece, and calls from each of them."""


def plainly(function: Callable[[], None]) -> None:
    function()


def pages_made(call: Callable[[Callable[[], None]], None]) -> int:
    """Page faults of this thread while calls are made at every depth."""

    def leaf() -> None:
        pass

    def deep(left: int) -> None:
        for _ in range(CALLS):
            leaf()
        if left:
            deep(left - 1)

    def all_depths() -> None:
        deep(DEPTH)

    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    call(all_depths)
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def test_without_it_every_call_at_the_end_of_a_piece_makes_a_page() -> None:
    assert pages_made(plainly) >= CALLS


def test_in_one_piece_no_page_is_made_twice() -> None:
    assert pages_made(in_one_piece) < CALLS


def test_what_is_raised_within_is_raised() -> None:
    def fail() -> None:
        raise KeyError("within")

    with pytest.raises(KeyError, match="within"):
        in_one_piece(fail)


def test_a_recursion_without_end_is_an_error_as_it_is_elsewhere() -> None:
    def endless() -> None:
        endless()

    with pytest.raises(RecursionError):
        in_one_piece(endless)
