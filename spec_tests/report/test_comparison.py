from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest
from report.crowd import crowd
from report.stored import BREAKS, Document, decay, oracle, passing, result, run
from rich.console import Console

from surrogate_core.engine import Run
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Passed, Skipped
from surrogate_core.report.changes import show, to_html, to_markdown
from surrogate_core.report.comparison import Comparison, compare

HOSTILE = "`x` | <script>alert(1)</script> @someone [a](http://evil.example)\n\n# no heading \u202e\x1b[2J"


def of(outcome: Any, **changes: Any) -> Run:
    return run([result(outcome)], **changes)


def kinds(found: Comparison) -> dict[str, int]:
    """How many changes there are of each kind."""
    counted = {
        k: len(getattr(found, k)) for k in ("failing", "passing", "otherwise", "appeared", "vanished", "figures")
    }
    return {k: n for k, n in counted.items() if n}


def told(found: Comparison) -> str:
    out = io.StringIO()
    show(found, Console(file=out, width=200, color_system=None))
    return out.getvalue()


def test_a_run_compared_with_itself_has_not_changed() -> None:
    one = run([*passing(), result(BREAKS, prop="transform.jit")])
    found = compare(one, one)
    assert kinds(found) == {}
    assert found.circumstances == ()
    assert (found.exit_code, found.answer) == (0, "Nothing newly fails.")


@pytest.mark.parametrize(
    ("before", "after", "kind", "code"),
    [
        (Passed(), BREAKS, "failing", 1),
        (Passed(), Errored("no"), "failing", 1),
        (Skipped("few"), BREAKS, "failing", 1),
        (ExpectedFailure(BREAKS, "known"), BREAKS, "failing", 1),
        (BREAKS, Passed(), "passing", 0),
        (Errored("no"), Passed(), "passing", 0),
        (BREAKS, Errored("no"), "otherwise", 0),
        (BREAKS, ExpectedFailure(BREAKS, "known"), "otherwise", 0),
    ],
)
def test_what_became_of_a_result_has_its_place_and_its_exit_code(before: Any, after: Any, kind: str, code: int) -> None:
    found = compare(of(before), of(after))
    changed = {k: n for k, n in kinds(found).items() if k != "figures"}
    assert (changed, found.exit_code) == ({kind: 1}, code)


def test_what_fails_and_was_not_there_fails_newly_and_what_passes_appeared() -> None:
    old = run(passing())
    found = compare(old, run([*passing(), result(BREAKS, "lib:new"), result(Passed(), "lib:new", "forward.step")]))
    assert kinds(found) == {"failing": 1, "appeared": 1}
    assert (found.failing[0].before, found.exit_code) == ("", 1)
    assert kinds(compare(run([*passing(), result(BREAKS, "b")]), old)) == {"vanished": 1}


def test_cases_of_one_property_that_fare_alike_are_one_change() -> None:
    both = [[result(o, alpha=a) for a in (1.0, 2.0, 3.0)] for o in (Passed(), BREAKS)]
    (change,) = compare(run(both[0]), run(both[1])).failing
    assert change.where == "float32-alpha=1-cpu:0 and 2 more"
    assert change.detail == f"{BREAKS.given}: {BREAKS.measured}; allowed {BREAKS.allowed}"


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (oracle(1.0), oracle(1.0) | {"max_ulp": 1.5}, ["gradient.peak: max_ulp"]),
        (oracle(1.0), oracle(1.0) | {"max_ulp": 0.968}, []),
        (oracle(1.0), oracle(1.0) | {"inputs": 65537}, ["gradient.peak: inputs"]),
        ({"max_ulp": float("nan")}, {"max_ulp": float("nan")}, []),
        ({}, {"max_ulp": 1.0}, ["gradient.peak: max_ulp"]),
        (oracle(1.0), oracle(1.0) | {"curve": {}, "max_ulp_at": "another"}, []),
        # a fit may move by the error that it is allowed, 1e-7 here
        (decay(1.0), decay(1.0, slope=-1.00000005), []),
        (
            decay(1.0),
            decay(1.0, slope=-1.001),
            ["gradient.peak: slope on the right", "gradient.peak: slope on the left"],
        ),
    ],
)
def test_a_figure_has_changed_where_it_moved_by_more_than_another_processor_rounds(
    before: dict[str, Any], after: dict[str, Any], changed: list[str]
) -> None:
    found = compare(of(Passed(before)), of(Passed(after)))
    assert [change.what for change in found.figures] == changed
    assert found.exit_code == 0


def test_seconds_and_the_date_are_no_change() -> None:
    old, new = of(Passed()), of(Passed(), started="2027-01-01T00:00:00Z")
    slow = dataclasses.replace(new, results=(dataclasses.replace(new.results[0], seconds=99.0, compilations=7),))
    assert kinds(compare(old, slow)) == {}
    assert compare(old, slow).circumstances == ()


def test_versions_devices_and_seed_that_changed_are_told() -> None:
    other = {"python": "3.12", "platform": "Linux", "packages": {"jax": "0.11.2", "numpy": "2"}}
    new = of(Passed(), seed=7, environment=other, devices={"jax": [["cuda:0", "H100"]]})
    assert compare(of(Passed()), new).circumstances == (
        ("seed", "0", "7"),
        ("devices of jax", "cpu:0 cpu", "cuda:0 H100"),
        ("Python", "3.11.7", "3.12"),
        ("jax", "0.10.2", "0.11.2"),
        ("numpy", "", "2"),
    )


def test_a_spec_that_changed_is_told() -> None:
    old = of(Passed())
    (name, spec), *_ = old.header["specs"].items()
    new = of(Passed(), specs={name: spec | {"gradient": "exp(-2*alpha*Abs(x))"}})
    assert [what for what, _, _ in compare(old, new).circumstances] == [f"spec {name}: gradient"]


@pytest.mark.parametrize("changes", [{"complete": False}, {"planned": 9}])
def test_a_new_run_that_proves_nothing_has_no_answer(changes: dict[str, Any]) -> None:
    found = compare(of(Passed()), of(BREAKS, **changes))
    assert found.exit_code == 3
    assert found.answer.startswith("No answer: ")
    assert found.failing
    known = compare(of(BREAKS, **changes), of(BREAKS))
    assert (known.exit_code, bool(known.doubts)) == (0, True)
    assert "of the old run" in told(known)
    assert "Of the old run" in to_markdown(known)


def test_what_is_newly_said_against_a_deviation_is_a_failure() -> None:
    old = of(ExpectedFailure(BREAKS, "known"))
    new = dataclasses.replace(old, complaints=("known.toml:3: it passes now",))
    assert compare(old, new).exit_code == 1
    assert "known.toml:3" in told(compare(old, new))
    assert compare(new, new).exit_code == 0


def test_the_three_forms_tell_the_same_and_are_the_same_every_time() -> None:
    found = compare(run(passing()), run([*passing(), result(BREAKS, "lib:new")], seed=3))
    for form in (told, to_markdown, to_html):
        assert form(found) == form(found)
        text = form(found)
        for word in ("Newly failing", "lib", "gradient", "Circumstances", "seed"):
            assert word in text


def test_what_an_implementation_wrote_stays_text_in_every_form() -> None:
    hostile = Failed(HOSTILE, HOSTILE, HOSTILE)
    found = compare(run(passing()), run([*passing(), result(hostile, HOSTILE)]))
    marked = to_markdown(found)
    for sign in ("<script", "@someone", "](", "\n# no", "\u202e", "\x1b", "http:"):
        assert sign not in marked
    rows = [line for line in marked.splitlines() if "someone" in line]
    assert rows
    headings = [line for line in marked.splitlines() if line.startswith(("| Implementation", "| What"))]
    assert {line.count("|") for line in rows} == {line.count("|") for line in headings}
    page = Document(to_html(found))
    assert not page.all("script")
    assert "alert(1)" in page.text
    assert "\x1b" not in told(found)


def test_very_many_changes_are_counted_and_not_all_listed() -> None:
    names = [f"lib:{n}" for n in range(1000)]
    found = compare(run(passing()), run([*passing(), *(result(BREAKS, name) for name in names)]))
    assert "and 800 more" in to_markdown(found)
    assert "and 800 more" in told(found)
    assert "and 800 more" in to_html(found)


def test_runs_of_several_specs_are_compared_spec_by_spec() -> None:
    old = crowd(3)
    assert len({entry["spec"] for entry in old.header["implementations"]}) == 3
    first, second, third = (str(entry["name"]) for entry in old.header["implementations"])
    worse = [
        dataclasses.replace(r, outcome=BREAKS) if (r.implementation, r.property_id) == (first, "gradient.peak") else r
        for r in old.results
        if r.implementation != second
    ]
    entries = [entry for entry in old.header["implementations"] if entry["name"] != second]
    specs = {**old.header["specs"]}
    changed = next(str(entry["spec"]) for entry in entries if entry["name"] == third)
    specs[changed] = {**specs[changed], "gradient": "1/(1 + alpha*Abs(x))"}
    head = {**old.header, "implementations": entries, "specs": specs, "planned": len(worse)}
    found = compare(old, dataclasses.replace(old, header=head, results=tuple(worse)))
    assert {change.implementation for change in found.failing} == {first}
    assert {change.implementation for change in found.vanished} == {second}
    assert (f"spec {changed}: gradient", "exp(-alpha*Abs(x))", "1/(1 + alpha*Abs(x))") in found.circumstances
    page = Document(to_html(found))
    assert [e.attributes["id"] for e in page.all("section", "panel")] == ["failing", "vanished", "circumstances"]
    assert {e.attributes["href"][1:] for e in page.all("a")} <= {e.attributes.get("id") for e in page.elements}
    assert "✓ passed" in page.text
    assert "✗ failed" in page.text


def test_figures_of_a_result_whose_state_changed_are_compared_where_both_have_them() -> None:
    broken = dataclasses.replace(BREAKS, figures={"wrong": 3, "inputs": 9})
    found = compare(of(Passed({"inputs": 7})), of(broken))
    assert [change.what for change in found.figures] == ["gradient.peak: inputs"]


def test_a_comparison_has_captions_scopes_and_nothing_from_elsewhere() -> None:
    text = to_html(compare(run(passing()), run([*passing(), result(BREAKS, prop="transform.jit")], seed=1)))
    page = Document(text)
    assert len(page.all("table")) == len(page.all("caption")) == 2
    assert all(e.attributes.get("scope") in ("col", "row") for e in page.all("th"))
    assert "http:" not in text
    assert "https:" not in text
