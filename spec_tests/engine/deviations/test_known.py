from __future__ import annotations

import contextlib
import datetime
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deviating import BROKEN, ENTRY, NAME, PASSED, PIN, RAISED, everywhere, head, result, written

from surrogate_core.engine.deviations import Known, check_names, read_deviations
from surrogate_core.engine.plan import plan
from surrogate_core.engine.result import Result
from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Skipped, Unsupported
from surrogate_core.spec import get_spec

NAN = Failed("x = 4 (0x40800000)", "nan (0x7fc00000)", "0.5", float("inf"))


class Applied:
    """What came of results under the entries of a file."""

    def __init__(self, folder: Path, text: str, results: Sequence[Result], **options: Any) -> None:
        header = options.pop("header", head())
        entries = read_deviations(written(folder, text))
        known = Known(entries, header, **{"today": datetime.date(2026, 1, 31), **options})
        self.results = [known.settle(r) for r in results]
        self.states = [r.outcome.state for r in self.results]
        self.complaints = [str(c).replace(f"{folder}/", "") for c in known.complaints(self.results)]


def test_a_failure_that_an_entry_explains_is_expected(tmp_path: Path) -> None:
    found = Applied(tmp_path, ENTRY + 'link = "https://example.org/7"\nexpires = 2999-12-31\n', everywhere(BROKEN))
    assert set(found.states) == {"expected failure"}
    assert found.complaints == []
    expected = found.results[0].outcome
    assert expected == ExpectedFailure(
        BROKEN,
        "The left side decays too slowly.",
        "https://example.org/7",
        f"{tmp_path}/deviations.toml:1",
        "2999-12-31",
    )


def test_an_error_may_be_expected_too(tmp_path: Path) -> None:
    pin = f'[deviation.pin]\nid = "{result(RAISED).id}"\nraised = "TypeError: no rule*"\n'
    assert Applied(tmp_path, ENTRY + pin, [result(RAISED)]).states == ["expected failure"]


@pytest.mark.parametrize(
    "scope",
    [
        'dtype = "float16"',
        'dtype = ["bfloat16", "float64"]',
        'device = "gpu*"',
        "parameters = { alpha = 2 }",
        'parameters = { alpha = ">1" }',
        "parameters = { beta = 1 }",
    ],
)
def test_a_failure_outside_the_scope_stays_a_failure(tmp_path: Path, scope: str) -> None:
    assert Applied(tmp_path, ENTRY + scope + "\n", [result(BROKEN)]).states == ["failed"]


@pytest.mark.parametrize(
    "scope",
    [
        'dtype = "float*"',
        'device = "cpu*"',
        "parameters = { alpha = [0.5, 1] }",
        'parameters = { alpha = ">= 0.5, < 2" }',
        'version = "<0.4"',
        'version = { jax = ">=0.10" }',
    ],
)
def test_globs_comparisons_and_versions_choose_the_scope(tmp_path: Path, scope: str) -> None:
    assert Applied(tmp_path, ENTRY + scope + "\n", [result(BROKEN)]).states == ["expected failure"]


def test_brackets_in_a_name_stand_for_themselves(tmp_path: Path) -> None:
    name = "od[d]/mine.py:soft"
    entry = ENTRY.replace(NAME, name)
    found = Applied(tmp_path, entry, [result(BROKEN, name=name)], header=head(name))
    assert found.states == ["expected failure"]


def test_another_version_is_not_explained_and_the_reader_is_told(tmp_path: Path) -> None:
    found = Applied(tmp_path, ENTRY + 'version = "<0.3"\n', everywhere(BROKEN))
    assert set(found.states) == {"failed"}
    assert found.complaints == ["deviations.toml:1: the entry is for the implementation <0.3, and this is 0.3.0"]


def test_whether_an_entry_for_another_version_is_needed_is_not_asked(tmp_path: Path) -> None:
    assert Applied(tmp_path, ENTRY + 'version = "<0.3"\n', everywhere(PASSED)).complaints == []


def test_an_entry_that_nothing_fails_for_is_no_longer_needed(tmp_path: Path) -> None:
    found = Applied(tmp_path, "# one\n" + ENTRY, everywhere(PASSED))
    assert found.complaints == ["deviations.toml:3: the entry is no longer needed: nothing that it covers fails"]


def test_one_failure_keeps_an_entry(tmp_path: Path) -> None:
    assert Applied(tmp_path, ENTRY, [*everywhere(PASSED), result(BROKEN, alpha=2.0)]).complaints == []


@pytest.mark.parametrize("outcome", [Skipped("no second device"), Unsupported("forward mode")])
def test_what_was_not_judged_does_not_say_that_an_entry_is_not_needed(tmp_path: Path, outcome: Any) -> None:
    assert Applied(tmp_path, ENTRY, everywhere(outcome)).complaints == []


def test_an_entry_for_an_implementation_that_was_not_asked_is_left_alone(tmp_path: Path) -> None:
    assert Applied(tmp_path, ENTRY, everywhere(PASSED), header=head("lib:other")).complaints == []


def test_a_part_of_what_an_entry_covers_does_not_say_that_it_is_not_needed(
    tmp_path: Path,
) -> None:
    assert Applied(tmp_path, ENTRY, [result(PASSED)]).complaints == []
    assert Applied(tmp_path, ENTRY, everywhere(PASSED), narrowed=True).complaints == []
    named = ENTRY.replace("gradient.*", "gradient.oracle")
    assert len(Applied(tmp_path, named, everywhere(PASSED), narrowed=True).complaints) == 1
    assert len(Applied(tmp_path, ENTRY + 'dtype = "float32"\n', [result(PASSED)]).complaints) == 1


def test_a_pinned_entry_is_not_needed_when_its_counterexample_passes(tmp_path: Path) -> None:
    found = Applied(tmp_path, ENTRY + PIN, [result(PASSED)])
    assert found.complaints == [
        "deviations.toml:1: the entry is no longer needed: lib:soft::gradient.oracle[float32-alpha=1-cpu:0] passes, "
        "and nothing else that it covers fails"
    ]
    # A profile that looks at fewer inputs cannot know.
    assert Applied(tmp_path, ENTRY + PIN, [result(PASSED)], header=head(profile="quick")).complaints == []
    # Neither does a run that did not ask.
    assert Applied(tmp_path, ENTRY + PIN, everywhere(PASSED, "gradient.peak")).complaints == []


def test_a_pin_that_passes_while_others_fail_is_another_failure(tmp_path: Path) -> None:
    found = Applied(tmp_path, ENTRY + PIN, [result(PASSED), result(BROKEN, alpha=2.0)])
    assert found.states == ["passed", "expected failure"]
    (complaint,) = found.complaints
    assert complaint.startswith("deviations.toml:1: the entry fails differently than pinned: ")


def test_a_failure_that_differs_from_the_pinned_one_is_not_expected(tmp_path: Path) -> None:
    found = Applied(tmp_path, ENTRY + PIN, [result(NAN)])
    assert found.states == ["failed"]
    assert found.complaints == [
        "deviations.toml:1: the entry fails differently than pinned: at "
        "lib:soft::gradient.oracle[float32-alpha=1-cpu:0] "
        "the counterexample is x = 4 (0x40800000), not x = -1 (0xbf800000)"
    ]


def test_an_error_is_not_explained_by_a_pinned_failure_anywhere(tmp_path: Path) -> None:
    found = Applied(tmp_path, ENTRY + PIN, [result(BROKEN), result(RAISED, alpha=2.0)])
    assert found.states == ["expected failure", "errored"]
    assert "does not explain an error (TypeError) where a failure is pinned" in found.complaints[0]


def test_an_exception_of_another_type_is_not_explained(tmp_path: Path) -> None:
    pin = f'[deviation.pin]\nid = "{result(RAISED).id}"\nraised = "TypeError"\n'
    found = Applied(tmp_path, ENTRY + pin, [result(RAISED), result(Errored("KeyError: 3"), alpha=2.0)])
    assert found.states == ["expected failure", "errored"]
    assert "KeyError where TypeError is pinned" in found.complaints[0]


def test_a_weakness_does_not_hide_a_defect(tmp_path: Path) -> None:
    entry = ENTRY + "severity = 0.05\n"
    assert Applied(tmp_path, entry, [result(BROKEN)]).states == ["expected failure"]
    found = Applied(tmp_path, entry, [result(BROKEN), result(NAN, alpha=2.0)])
    assert found.states == ["expected failure", "failed"]
    assert "a worst error of inf of the peak, above the 0.05 that it explains" in found.complaints[0]


def test_an_entry_holds_to_the_end_of_its_last_day(tmp_path: Path) -> None:
    entry = ENTRY + "expires = 2026-01-31\n"
    assert Applied(tmp_path, entry, everywhere(BROKEN)).complaints == []
    found = Applied(tmp_path, entry, everywhere(BROKEN), today=datetime.date(2026, 2, 1))
    assert set(found.states) == {"failed"}
    assert found.complaints == ["deviations.toml:1: the entry expired on 2026-01-31: The left side decays too slowly."]


def test_every_name_in_a_list_has_to_be_needed(tmp_path: Path) -> None:
    entry = ENTRY.replace('"gradient.*"', '["gradient.oracle", "gradient.peak"]')
    both = [*everywhere(BROKEN), *everywhere(BROKEN, "gradient.peak")]
    assert Applied(tmp_path, entry, both).complaints == []
    found = Applied(tmp_path, entry, [*everywhere(BROKEN), *everywhere(PASSED, "gradient.peak")])
    assert found.complaints == [
        "deviations.toml:1: the entry's property 'gradient.peak' is no longer needed: nothing fails there"
    ]
    dtypes = ENTRY + 'dtype = ["float16", "float32"]\n'
    found = Applied(tmp_path, dtypes, [result(BROKEN), result(PASSED, dtype="float16")])
    assert found.complaints == [
        "deviations.toml:1: the entry's dtype 'float16' is no longer needed: nothing fails there"
    ]


def test_the_first_entry_that_explains_a_failure_is_named_and_both_are_needed(tmp_path: Path) -> None:
    found = Applied(tmp_path, ENTRY + ENTRY.replace("The left side decays", "It decays"), everywhere(BROKEN))
    assert {r.outcome.entry for r in found.results if isinstance(r.outcome, ExpectedFailure)} == {
        f"{tmp_path}/deviations.toml:1"
    }
    assert found.complaints == []


def test_a_result_that_was_known_is_looked_up_anew(tmp_path: Path) -> None:
    before = result(ExpectedFailure(BROKEN, "It was known by another file."))
    assert Applied(tmp_path, "# nothing is known\n", [before]).states == ["failed"]


def test_names_that_do_not_exist_are_mistakes(tmp_path: Path) -> None:
    planned = plan(["surrogate_core:SlayerGrad"], get_spec("slayer"), profile="quick", properties=["gradient.peak"])

    def check(text: str) -> None:
        check_names(read_deviations(written(tmp_path, text)), planned, ["mine.py:soft"])

    ours = ENTRY.replace(NAME, "surrogate_core:SlayerGrad")
    for name in ("surrogate_core:SlayerGrad", "surrogate_core:*", "braintools.SlayerGrad", "mine.py:soft"):
        check(ENTRY.replace(NAME, name))
    with pytest.raises(BadInput, match=r"deviations\.toml:1: implementation .* matches nothing[\s\S]*SlayerGrad"):
        check(ENTRY.replace(NAME, "surrogate_core:SlyerGrad"))
    check(ours + "parameters = { alpha = 1 }\n")
    with pytest.raises(BadInput, match=r"parameter 'alpa'[\s\S]*did you mean alpha"):
        check(ours + "parameters = { alpa = 1 }\n")


PINS = {
    "as it is": ("gradient.oracle[float32-alpha=1-cpu:0]", "quick", {}, ""),
    "an unknown format": ("gradient.oracle[flaot32-alpha=1-cpu:0]", "quick", {}, "did you mean"),
    "values that are not judged": ("gradient.oracle[float32-alpha=3-cpu:0]", "quick", {}, "a result of this check"),
    "another profile, which judges at others": ("gradient.oracle[float32-alpha=3-cpu:0]", "standard", {}, ""),
    "a device of another machine": ("gradient.oracle[float32-alpha=1-gpu:0]", "quick", {}, ""),
    "a check of less": ("gradient.oracle[float32-alpha=3-cpu:0]", "quick", {"narrowed": True}, ""),
}
"""A pinned id -> the profile that it is from, options, and what is said."""


@pytest.mark.parametrize("pin", PINS)
def test_a_pinned_id_that_matches_nothing_is_a_mistake(tmp_path: Path, pin: str) -> None:
    case, profile, options, said = PINS[pin]
    ours = "surrogate_core:SlayerGrad"
    text = f'{ENTRY.replace(NAME, ours)}[deviation.pin]\nid = "{ours}::{case}"\nprofile = "{profile}"\n'
    entries, planned = read_deviations(written(tmp_path, text)), plan([ours], profile="quick")
    refused = pytest.raises(BadInput, match=rf"deviations\.toml:1: the pinned id .* matches nothing[\s\S]*{said}")
    with refused if said else contextlib.nullcontext():
        check_names(entries, planned, **options)


def test_a_version_of_an_implementation_that_has_none_is_a_mistake(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("from surrogate_core import SlayerGrad\n")
    planned = plan([f"{mine}:SlayerGrad"], get_spec("slayer"), profile="quick", properties=["gradient.peak"])
    entry = replace(read_deviations(written(tmp_path, ENTRY + 'version = "<2"\n'))[0], implementations=("*",))
    with pytest.raises(BadInput, match="has none"):
        check_names([entry], planned)
