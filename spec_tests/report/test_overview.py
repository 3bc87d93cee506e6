from __future__ import annotations

from report.stored import passing, result, run

from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Kind, Outcome
from surrogate_core.report.overview import Noted, noted, sentence


def broken(severity: float | None, kind: Kind = "defect") -> Failed:
    return Failed("x = 1", "2", "1", severity, kind=kind)


def found(*outcomes: tuple[str, str, Outcome], dtype: str = "float32") -> tuple[Noted, ...]:
    return noted(run([result(o, name, prop, dtype=dtype) for name, prop, o in outcomes]))


def test_the_worst_comes_first_whatever_the_order_of_the_run() -> None:
    rows = found(
        ("a", "p1", broken(1e-9, "weakness")),
        ("a", "p2", broken(None, "difference")),
        ("b", "p3", broken(0.1)),
        ("b", "p4", broken(float("inf"))),
        ("c", "p5", broken(0.5)),
    )
    assert [f.properties[0] for f in rows] == ["p4", "p5", "p3", "p1", "p2"]


def test_a_defect_without_a_size_stands_before_those_with_a_finite_one() -> None:
    rows = found(("a", "p1", broken(100.0)), ("a", "p2", broken(None)), ("b", "p3", Errored("ValueError: no")))
    assert [f.properties[0] for f in rows] == ["p2", "p3", "p1"]


def test_a_property_broken_in_several_cases_is_one_finding_of_its_worst_kind_and_size() -> None:
    cases = [
        result(broken(1e-9, "weakness"), "a", "p", dtype="float16"),
        result(broken(0.25), "a", "p"),
        result(broken(0.5), "a", "p", dtype="float64"),
    ]
    (finding,) = noted(run(cases))
    assert (finding.kind, finding.severity, finding.cases, finding.told.dtype) == ("defect", 0.5, 3, "float32")


def test_what_is_told_of_a_finding_is_of_its_kind() -> None:
    # In float32 little is lost, of the curve; what makes a defect of it is another format, or another look at it.
    tail = result(broken(1e-9, "weakness"), "a", "gradient.oracle")
    narrow = result(broken(0.25), "a", "gradient.oracle", dtype="float16")
    area = result(broken(0.5), "a", "gradient.area")
    for cases, told in (([tail, narrow], narrow), ([tail, area], area), ([tail, area, narrow], narrow)):
        (finding,) = noted(run(cases))
        assert (finding.kind, finding.told) == ("defect", told)


def test_what_is_told_is_what_is_not_known_yet() -> None:
    known = result(ExpectedFailure(broken(0.5), "because"), "a", "p")
    fresh = result(broken(1e-9, "weakness"), "a", "p", dtype="float64")
    (finding,) = noted(run([known, fresh]))
    assert finding.told == fresh


def test_one_exception_met_by_several_properties_is_one_finding() -> None:
    (finding,) = found(("a", "p1", Errored("ValueError: no")), ("a", "p2", Errored("ValueError: no")))
    assert finding.properties == ("p1", "p2")
    assert finding.outcome == Errored("ValueError: no")


def test_what_only_sees_a_wrong_curve_in_another_way_is_told_with_it() -> None:
    cases = [("a", name, broken(0.1)) for name in ("gradient.area", "gradient.oracle", "chain.affine", "transform.jit")]
    curve, jit = found(*cases)
    assert curve.properties == ("gradient.oracle", "gradient.area", "chain.affine")
    assert (curve.told.property_id, curve.cases) == ("gradient.oracle", 3)
    assert jit.properties == ("transform.jit",)
    # Where the curve itself is right, each speaks for itself.
    assert [f.properties for f in found(*cases[2:])] == [("chain.affine",), ("transform.jit",)]


def test_other_looks_at_a_wrong_curve_are_told_with_it_unless_they_are_graver_or_less_grave() -> None:
    for name in ("gradient.smooth", "gradient.nonfinite", "transform.modes"):
        (one,) = found(("a", "gradient.oracle", broken(0.1)), ("a", name, broken(0.1)))
        assert one.properties == ("gradient.oracle", name)
    weak = ("a", "gradient.oracle", broken(1e-9, "weakness"))
    grave = found(weak, ("a", "gradient.nonfinite", broken(float("inf"))))
    assert [f.properties for f in grave] == [("gradient.nonfinite",), ("gradient.oracle",)]
    alike = found(weak, ("a", "gradient.nonfinite", broken(1e-9, "weakness")))
    assert [f.properties for f in alike] == [("gradient.oracle", "gradient.nonfinite")]
    policy = found(("a", "gradient.oracle", broken(0.1)), ("a", "gradient.nonfinite", broken(None, "difference")))
    assert [f.properties for f in policy] == [("gradient.oracle",), ("gradient.nonfinite",)]
    # A curve that loses digits is not symmetric, exactly as that is judged.
    assert len(found(weak, ("a", "gradient.symmetry", broken(1e-9)))) == 1


def test_a_wrong_limit_that_is_met_again_among_all_bit_patterns_is_one_finding() -> None:
    def at(given: str, **counts: int) -> Failed:
        return Failed(given, "nan", "0", float("inf"), counts)

    limit, counted = ("a", "gradient.nonfinite", at("x = -inf")), {"wrong_spikes": 0, "wrong_gradients": 0}
    (one,) = found(("a", "pointwise.patterns", at("x = -inf", **counted)), limit)
    assert (one.properties, one.cases) == (("gradient.nonfinite", "pointwise.patterns"), 2)
    for other in (at("x = inf", **counted), at("x = -inf", **(counted | {"wrong_gradients": 1}))):
        assert len(found(("a", "pointwise.patterns", other), limit)) == 2
    for elsewhere in (("b", "gradient.nonfinite", at("x = -inf")), ("a", "gradient.smooth", at("x = -inf"))):
        assert len(found(("a", "pointwise.patterns", at("x = -inf", **counted)), elsewhere)) == 2


def test_a_finding_is_known_only_where_each_of_its_cases_is() -> None:
    known = ExpectedFailure(broken(0.5), "It is documented so.")
    assert [f.reason for f in found(("a", "p", known), ("a", "q", known))] == ["It is documented so."] * 2
    half = noted(run([result(known, "a", "p"), result(broken(0.5), "a", "p", dtype="float16")]))
    assert [f.reason for f in half] == [""]


def test_the_sentence_counts_kinds_and_implementations() -> None:
    rows = found(("a", "p", broken(0.1)), ("b", "p", broken(0.1)), ("b", "q", broken(1e-9, "weakness")))
    assert sentence(rows) == "2 defects and 1 weakness in 2 implementations."
    known = found(("a", "p", ExpectedFailure(broken(0.5), "Known.")), ("a", "q", broken(0.5)))
    assert sentence(known) == "2 defects in 1 implementation; 1 known and explained."
    assert sentence(noted(run(passing()))) == "Nothing was found."
