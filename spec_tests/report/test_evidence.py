from __future__ import annotations

from typing import Any

from surrogate_core.engine.result import Result
from surrogate_core.properties.outcome import Failed, Outcome, Passed
from surrogate_core.report.evidence import proved, sampled


def part(number: int, inputs: int, rate: float = 1.0, outcome: Outcome | None = None) -> Result:
    figures: dict[str, Any] = {"inputs": inputs, "tally": {}}
    where = (("alpha", rate),)
    return Result("it", "pointwise.patterns", "float32", "cpu:0", where, outcome or Passed(figures), part=str(number))


WHOLE = [part(n, 1 << 30) for n in range(4)]


def test_parts_that_add_up_to_every_pattern_are_a_proof() -> None:
    (sentence,) = proved(WHOLE)
    assert sentence == "pointwise.patterns: every bit pattern of float32 (4,294,967,296), for 1 parameter setting"
    assert sampled(WHOLE) == ""


def test_one_part_short_of_all_is_no_proof() -> None:
    assert proved(WHOLE[:3]) == ()
    assert proved([*WHOLE[:3], part(3, 1 << 30, outcome=Failed("x", "0", "1"))]) == ()
    assert sampled(WHOLE[:3]) == "float32 at 3,221,225,472 bit patterns, for each parameter setting"


def test_parts_of_different_settings_do_not_add_up() -> None:
    assert proved([*WHOLE[:3], part(3, 1 << 30, rate=2.0)]) == ()
    twice = [*WHOLE, *(part(n, 1 << 30, rate=2.0) for n in range(4))]
    assert proved(twice)[0].endswith("for 2 parameter settings")


def test_a_strided_look_is_sampled() -> None:
    assert sampled([part(0, 1 << 21)]) == "float32 at 2,097,152 bit patterns, for each parameter setting"


def test_what_was_sampled_at_one_setting_alone_is_not_told_of_the_others() -> None:
    def swept(rate: float) -> Result:
        found = Passed({"inputs": 65_536, "exhaustive": False})
        return Result("it", "gradient.oracle", "float32", "cpu:0", (("alpha", rate),), found)

    assert sampled([swept(1.0), swept(2.0), part(0, 1 << 21)]) == (
        "float32 at 65,536 inputs, for each parameter setting; "
        "float32 at 2,097,152 bit patterns, for 1 of 2 parameter settings"
    )
