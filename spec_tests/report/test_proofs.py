from __future__ import annotations

from dataclasses import replace

import numpy as np
from handmade import SLAYER
from report.stored import BREAKS, result

from surrogate_core.drivers.tally import Span, Tally, tally
from surrogate_core.engine import Result
from surrogate_core.properties.outcome import Passed
from surrogate_core.report.proofs import patterns, subnormals
from surrogate_core.spec import FORMATS

ALPHA = (("alpha", 1.0),)


def counted(start: int, stop: int, off: float = 0.0) -> Tally:
    """What is counted of the formula, rounded, give or take a share of it."""
    bits = Span(start, stop, 1 << 16).patterns()
    x = bits.view(np.float32).astype(np.float64)
    with np.errstate(all="ignore"):
        gradients = (np.exp(-np.abs(x)) * (1 + off)).astype(np.float32)
    return tally(SLAYER, ALPHA, FORMATS["float32"], bits, (x >= 0).astype(np.float32), gradients)


def part(found: Tally) -> Result:
    return result(Passed({"inputs": found.size, "tally": found.to_dict()}), prop="pointwise.patterns")


def test_the_parts_of_a_proof_are_one_line() -> None:
    near, far = counted(0x3F000000, 0x3F800000), counted(0x3F800000, 0x40000000, off=6e-7)
    (line,) = patterns([part(near), part(far)]).lines
    whole = near + far
    assert line.cells[0] == f"{whole.size:,}"
    assert whole.max_ulp_at is not None
    assert line.cells[2].endswith(f"(0x{whole.max_ulp_at:08x})")
    assert line.cells[3] == f"{100 * whole.correctly_rounded / whole.normal:.3g} %"
    assert line.cells[4] == f"{100 * whole.faithful / whole.normal:.3g} %"
    shares = dict(zip(patterns([]).columns, line.cells, strict=True))
    assert whole.out_of_bound > 0
    assert shares["Out of bound"] == f"{100 * whole.out_of_bound / whole.normal:.3g} %"
    assert shares["Within the bound"] == f"{100 - 100 * whole.out_of_bound / whole.normal:.3g} %"
    (good,) = patterns([part(near)]).lines
    assert good.cells[5:7] == ("100 %", "0 %")
    assert good.cells[-1] == "correctly rounded"


def test_of_a_file_that_does_not_hold_them_the_shares_are_not_told() -> None:
    found = counted(0x3F000000, 0x3F800000, off=3e-7)
    before = {name: value for name, value in found.to_dict().items() if name != "out_of_bound"}
    stored = result(Passed({"inputs": found.size, "tally": before}), prop="pointwise.patterns")
    assert patterns([stored]).lines[0].cells[5:7] == ("–", "–")


def test_what_is_no_proof_has_no_line() -> None:
    assert patterns([result(Passed({"inputs": 3}), prop="gradient.oracle")]).lines == ()


def test_what_becomes_of_subnormal_numbers_stands_once_for_all_parameters_alike() -> None:
    def both(alpha: float, taken: str) -> list[Result]:
        return [
            result(Passed({"subnormal_input": taken}), prop="forward.step", alpha=alpha),
            result(Passed({"subnormal_output": "flushed"}), prop="gradient.oracle", alpha=alpha),
        ]

    untold = "cannot be told: the step does not change at 0"
    (line,) = subnormals([result(replace(BREAKS, figures={"subnormal_input": untold}), prop="forward.step")]).lines
    assert line.cells == (untold, "–", "1 parameter setting")
    assert (line.state.glyph, line.state.word) == ("·", "not judged here")
    found = subnormals([*both(1.0, "kept"), *both(2.0, "kept"), *both(3.0, "flushed")])
    assert [line.cells for line in found.lines] == [
        ("kept", "flushed", "2 parameter settings"),
        ("flushed", "flushed", "1 parameter setting"),
    ]
