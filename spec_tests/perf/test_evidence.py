from __future__ import annotations

from perf.handmade import measured

from surrogate_core.perf.evidence import changes


def test_equal_counts_say_nothing() -> None:
    assert changes(measured(1.0), measured(2.0)) == ()


def test_what_a_program_does_more_often_is_named() -> None:
    old = measured(1.0, {"traced exp": 1.0, "traced abs": 1.0, "compiled bytes": 8192.0})
    new = measured(1.0, {"traced exp": 2.0, "traced log": 3.0, "compiled bytes": 12288.0})
    assert changes(old, new) == (
        "abs evaluated never, was once",
        "exp evaluated twice, was once",
        "log evaluated 3 times, was never",
        "compiled: 12,288 bytes moved, was 8,192",
    )


def test_a_retrace_is_named() -> None:
    assert changes(measured(1.0), measured(1.0, again=1)) == ("programs compiled by a further call: 1, was 0",)
