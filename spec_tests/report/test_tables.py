from __future__ import annotations

from report.stored import oracle, result

from surrogate_core.properties.outcome import Failed, Passed
from surrogate_core.report.table import Table, bounds
from surrogate_core.report.tables import accuracy


def shares(table: Table) -> dict[str, str]:
    """The cells of the only line, by their columns."""
    (line,) = table.lines
    return dict(zip(table.columns, line.cells, strict=True))


def test_every_share_of_the_accuracy_is_told() -> None:
    found = shares(accuracy([result(Passed(oracle(1.0)), prop="gradient.oracle")]))
    assert (found["Correctly rounded"], found["Under 1 ulp"]) == ("93.9 %", "100 %")
    assert (found["Within the bound"], found["Out of bound"]) == ("100 %", "0 %")


def test_one_gradient_out_of_its_bound_is_no_whole() -> None:
    wrong = Failed("x = 1", "0", "0.37", 0.37, {**oracle(1.0), "normal": 100_000, "out_of_bound": 1})
    found = shares(accuracy([result(wrong, prop="gradient.oracle")]))
    assert (found["Within the bound"], found["Out of bound"]) == ("99.999 %", "0.001 %")
    assert found["Grade"] == "out of bound"


def test_without_a_count_there_is_no_share() -> None:
    assert bounds(0, 0) == bounds(12, None) == ("–", "–")
