from __future__ import annotations

from typing import Any

from report.stored import BREAKS, passing, result, run

from surrogate_core.engine import Result, Run
from surrogate_core.properties.outcome import ExpectedFailure, Failed, Passed, Skipped
from surrogate_core.report.families import COLUMNS, families

FACE: dict[str, float | None] = {
    "spike_at_zero": 1.0,
    "spike_at_nan": 0.0,
    "gradient_at_nan": None,
    "at_zero": 1.0,
    "peak": 1.0,
    "peak_at": 0.0,
    "area": 2.0,
}


def member(name: str, second: str = "formula", lost: tuple[str, ...] = (), **face: float | None) -> list[Result]:
    """An implementation that breaks its promise, and has its portrait taken all the same."""
    figures: dict[str, Any] = {"portrait": FACE | face}
    broken = Failed("x = 0", "2", "1", 1.0, figures)
    return [
        result(broken, name, "gradient.oracle"),
        result(Passed({"found": second}), name, "gradient.second"),
        *(result(BREAKS if d in lost else Passed(), name, "forward.dtype", dtype=d) for d in ("float16", "float32")),
    ]


def row(results: list[Result], name: str) -> dict[str, tuple[str, bool]]:
    (family,) = families(run(results))
    (found,) = (m for m in family.members if m.name == name)
    return {column: (t.text, t.differs) for column, t in zip(COLUMNS, found.traits, strict=True)}


def test_what_most_of_a_family_have_is_no_difference_and_what_one_has_alone_is() -> None:
    three = [*member("a"), *member("b"), *member("c", spike_at_zero=0.0, peak=2.0, peak_at=1.0)]
    assert row(three, "a") == row(three, "b")
    assert not any(differs for _, differs in row(three, "a").values())
    odd = row(three, "c")
    assert odd["At the threshold"] == ("silent (>)", True)
    assert odd["Peak"] == ("2 at 1", True)
    assert odd["g′(0)"] == ("1", False)
    (family,) = families(run(three))
    assert family.sentence == "They differ in: “At the threshold” and “Peak”."


def test_second_derivative_nan_and_dtype_are_compared_too() -> None:
    three = [*member("a"), *member("b"), *member("c", second="zero", lost=("float16",), gradient_at_nan=0.0)]
    odd = row(three, "c")
    assert odd["Second derivative"] == ("0", True)
    assert odd["At NaN"] == ("spike 0, gradient 0", True)
    assert odd["Dtype"] == ("lost for float16", True)
    assert row(three, "a")["Dtype"] == ("that of the input", False)


def test_figures_that_agree_in_three_digits_are_equal() -> None:
    (family,) = families(run([*member("a"), *member("b", area=2.001)]))
    assert family.sentence == "They agree in all of it."


def test_a_known_failure_is_compared_like_any_other() -> None:
    (known,) = (r for r in member("b", peak=2.0) if r.property_id == "gradient.oracle")
    assert isinstance(known.outcome, Failed)
    explained = result(ExpectedFailure(known.outcome, "it is documented so"), "b", "gradient.oracle")
    assert row([*member("a"), explained], "b")["Peak"][0] == "2"


def test_what_was_not_measured_is_neither_shown_nor_a_difference() -> None:
    blank = [result(Skipped("no reason"), "b", "gradient.oracle")]
    found = row([*member("a"), *blank], "b")
    assert set(found.values()) == {("–", False)}


def of(*libraries: str, results: list[Result], **specs: dict[str, str]) -> Run:
    """A run of ``a``, ``b`` and so on, of these libraries, all of one name; each declares the spec of its name."""
    found = run(results)
    entries = [
        {**e, "library": library, "family": "Q", "spec": e["name"] if specs else "slayer"}
        for e, library in zip(found.header["implementations"], libraries, strict=True)
    ]
    return run(results, implementations=entries, specs=specs or found.header["specs"])


def test_a_class_and_its_function_share_a_line_and_are_no_family_alone() -> None:
    assert families(of("lib", "lib", results=[*member("a"), *member("b")])) == ()
    three = of("lib", "lib", "other", results=[*member("a"), *member("b"), *member("c")])
    (family,) = families(three)
    assert [(m.name, m.others) for m in family.members] == [("a", ("b",)), ("c", ())]
    assert (family.title, family.size) == ("Q", 3)
    # Where they are not alike, that is what is told.
    (family,) = families(of("lib", "lib", results=[*member("a"), *member("b", peak=3.0)]))
    assert family.sentence == "They differ in: “Peak”."


def test_who_declares_another_formula_under_the_same_name_says_so() -> None:
    def spec(gradient: str) -> dict[str, str]:
        return {"title": "", "gradient": gradient, "forward": "Heaviside(x, 1)"}

    same, odd = spec("exp(-x)"), spec("x + 1")
    (family,) = families(of("l", "m", "n", results=[*member("a"), *member("b"), *member("c")], a=same, b=same, c=odd))
    assert [m.apart for m in family.members] == [False, False, True]
    assert "<math>" in family.members[2].declared
    assert family.sentence == "They declare different formulas. They agree in all of it."
    (family,) = families(of("l", "m", results=[*member("a"), *member("b")], a=same, b=same))
    assert not any(m.declared for m in family.members)


def test_where_no_answer_is_that_of_most_all_are_marked() -> None:
    two = [*member("a"), *member("b", peak=2.0)]
    assert row(two, "a")["Peak"] == ("1", True)
    assert row(two, "b")["Peak"] == ("2", True)


def test_what_was_not_measured_of_several_is_no_agreement() -> None:
    blank = [result(Skipped("no reason"), name, "gradient.oracle") for name in ("a", "b")]
    (family,) = families(run(blank))
    assert family.sentence == "Nothing was measured that could be compared."
    (family,) = families(run([*member("a"), *member("b"), blank[0], result(Skipped("no"), "c", "gradient.oracle")]))
    assert family.sentence == "They agree in all that was measured of several."


def test_a_peak_among_the_subnormal_numbers_is_just_beside_0_whatever_is_flushed() -> None:
    two = [*member("a", peak_at=1.4e-45), *member("b", peak_at=1.17549e-38)]
    assert row(two, "a")["Peak"] == row(two, "b")["Peak"] == ("1 just above 0", False)


def test_the_value_at_0_is_none_at_the_threshold_of_a_step_elsewhere() -> None:
    shifted = {"title": "", "gradient": "1", "forward": "Piecewise((1, x >= 1), (0, True))"}
    usual = {**shifted, "forward": "Heaviside(x, 1)"}
    results = [*member("a"), *member("b", spike_at_zero=0.0)]
    (family,) = families(of("l", "m", results=results, a=usual, b=shifted))
    assert [m.traits[1].text for m in family.members] == ["fires (≥)", "–"]


def test_what_the_catalogue_does_not_know_stands_with_those_that_declare_the_same() -> None:
    found = run([*member("lib.a"), *member("mine.py:make")])
    first, second = found.header["implementations"]
    named = {**first, "family": "Slayer", "library": "lib", "spec": "slayer(alpha=2.0)"}
    (family,) = families(run([*member("lib.a"), *member("mine.py:make")], implementations=[named, second]))
    assert [m.name for m in family.members] == ["lib.a", "mine.py:make"]


def test_a_family_of_one_is_left_out_and_a_family_is_what_the_catalogue_calls_one() -> None:
    assert families(run(passing())) == ()
    two = run([*member("a"), *member("b")])
    apart = [{**e, "spec": f"slayer({e['name']})"} for e in two.header["implementations"]]
    assert families(run([*member("a"), *member("b")], implementations=apart)) == ()
    together = [{**e, "family": "slayer"} for e in apart]
    (family,) = families(run([*member("a"), *member("b")], implementations=together))
    assert family.title == "SLAYER exponential"
