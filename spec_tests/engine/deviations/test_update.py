from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from deviating import BROKEN, ENTRY, PASSED, PIN, RAISED, everywhere, head, result, written

from surrogate_core.engine.deviations import Known, read_deviations
from surrogate_core.engine.deviations.update import update
from surrogate_core.engine.plan import START
from surrogate_core.engine.result import Result
from surrogate_core.engine.store import Run
from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import Errored


def run(*results: Result) -> Run:
    return Run({**head(), "planned": len(results)}, results, complete=True)


def test_what_fails_gets_an_entry_that_explains_it_once_its_reason_is_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deviations.toml"
    found = run(*everywhere(BROKEN), *everywhere(PASSED, "gradient.peak"))
    told = update(found, path)
    assert (told.added, told.repinned, told.complaints) == (1, 0, ())
    (entry,) = read_deviations(path, drafts=True)
    assert (entry.implementations, entry.properties, entry.dtypes) == (("lib:soft",), ("gradient.oracle",), ("*",))
    assert entry.pin is not None
    assert entry.pin.id == "lib:soft::gradient.oracle[float32-alpha=1-cpu:0]"
    with pytest.raises(BadInput, match=rf":{told.todo[0]}: reason = 'TODO'"):
        read_deviations(path)
    path.write_text(path.read_text().replace("TODO", "The left side decays too slowly."))
    known = Known(read_deviations(path), found.header)
    settled = [known.settle(r) for r in found.results]
    assert {r.outcome.state for r in settled} == {"expected failure", "passed"}
    assert known.complaints(settled) == ()


def test_formats_and_parameters_are_named_where_not_all_fail(tmp_path: Path) -> None:
    results = [result(BROKEN, dtype="float16", alpha=2.0), result(PASSED, dtype="float16"), result(PASSED)]
    update(run(*results), tmp_path / "d.toml")
    (entry,) = read_deviations(tmp_path / "d.toml", drafts=True)
    assert entry.dtypes == ("float16",)
    assert [[r.text for r in ranges] for _, ranges in entry.parameters] == [["2"]]


def test_failures_share_an_entry_by_implementation_and_kind_or_have_one_for_each_property(tmp_path: Path) -> None:
    results = [
        *everywhere(BROKEN),
        *everywhere(BROKEN, "gradient.range"),
        *everywhere(RAISED, "transform.vmap"),
        *everywhere(replace(BROKEN, kind="weakness"), "gradient.area"),
    ]
    assert update(run(*results), tmp_path / "one.toml").added == 3
    assert update(run(*results), tmp_path / "each.toml", by_property=True).added == 4
    pins = [e.pin.raised for e in read_deviations(tmp_path / "one.toml", drafts=True) if e.pin]
    assert sorted(pins) == ["", "", "TypeError: no rule for float16"]


def test_comments_and_order_are_kept_and_nothing_is_written_twice(tmp_path: Path) -> None:
    text = "# ours\n" + ENTRY + "dtype = 'float64'   # as seen on ARM\n\n# to be continued\n"
    path = written(tmp_path, text)
    told = update(run(*everywhere(BROKEN)), path)
    assert told.added == 1
    assert path.read_text().startswith(text.rstrip("\n"))
    assert [e.dtypes for e in read_deviations(path, drafts=True)] == [("float64",), ("float16", "bfloat16", "float32")]
    once = path.read_text()
    again = update(run(*everywhere(BROKEN)), path)
    assert (again.added, again.todo, path.read_text()) == (0, told.todo, once)


def test_what_fails_differently_is_pinned_anew_and_its_reason_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, ENTRY + PIN)
    told = update(run(result(replace(BROKEN, measured="0.9 (0x3f666666)"))), path)
    assert (told.added, told.repinned, len(told.todo)) == (0, 1, 1)
    (entry,) = read_deviations(path, drafts=True)
    assert entry.pin is not None
    assert entry.pin.measured == "0.9 (0x3f666666)"
    assert entry.reason.startswith("TODO: it fails differently now.")
    assert entry.reason.endswith("The left side decays too slowly.")


def test_an_entry_that_is_no_longer_needed_is_named_and_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path, ENTRY + PIN)
    before = path.read_text()
    told = update(run(result(PASSED)), path)
    assert "no longer needed" in told.complaints[0]
    assert path.read_text() == before


def test_where_nothing_fails_no_file_is_made(tmp_path: Path) -> None:
    assert update(run(*everywhere(PASSED)), tmp_path / "d.toml").added == 0
    assert not (tmp_path / "d.toml").exists()


def test_a_library_that_cannot_be_imported_gets_an_entry_that_asks_to_go_once_it_can(tmp_path: Path) -> None:
    path, broken = tmp_path / "deviations.toml", Errored("target 'lib:soft' cannot be imported: ImportError: init")
    unusable = Result("lib:soft", START, "", "", (), broken)
    update(run(unusable), path)
    path.write_text(path.read_text().replace("TODO", "It imports a module that it does not contain."))
    assert 'id = "lib:soft::process.start[]"' in path.read_text()
    for results, state, complaints in (((unusable,), "expected failure", 0), ((result(PASSED),), "passed", 1)):
        known = Known(read_deviations(path), head())
        settled = [known.settle(r) for r in results]
        assert [r.outcome.state for r in settled] == [state]
        found = known.complaints(settled)
        assert ["no longer needed: it starts" in str(c) for c in found] == [True] * complaints
