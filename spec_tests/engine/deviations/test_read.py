from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from deviating import ENTRY, PIN, written

from surrogate_core.engine.deviations import read_deviations
from surrogate_core.errors import BadInput

FULL = """
# Known departures.
[[deviation]]
implementation = ["lib:*", "other.Soft"]
property = ["gradient.oracle", "chain.*"]
dtype = "*16"
device = "cpu*"
parameters = { alpha = [0.5, ">= 2, < 4"], beta = 1 }
version = { lib = "<0.4", jax = ">=0.10" }
severity = 1e-6
reason = "The tail cancels: (1 - s) * s."
link = "https://example.org/issues/7"
expires = 2030-01-31

[[deviation]]
implementation = "lib:hard"
property = "forward.dtype"
reason = \"\"\"It answers in
[[deviation]]
float32 whatever it is given.\"\"\"
"""


def test_an_entry_says_what_it_is_about_and_why(tmp_path: Path) -> None:
    first, second = read_deviations(written(tmp_path, FULL))
    assert first.implementations == ("lib:*", "other.Soft")
    assert first.properties == ("gradient.oracle", "chain.*")
    assert (first.dtypes, first.devices) == (("*16",), ("cpu*",))
    assert [[r.text for r in ranges] for _, ranges in first.parameters] == [["0.5", ">= 2, < 4"], ["1"]]
    assert first.versions == (("lib", "<0.4"), ("jax", ">=0.10"))
    assert (first.severity, first.expires) == (1e-6, datetime.date(2030, 1, 31))
    assert first.link == "https://example.org/issues/7"
    assert (first.line, second.line) == (2, 14)  # a header within a string is none
    assert first.place == f"{tmp_path}/deviations.toml:2"


MISTAKES = {
    "no reason": (ENTRY.replace('reason = "The left side decays too slowly."\n', ""), 1, "an entry without a reason"),
    "an empty reason": (ENTRY.replace("The left side decays too slowly.", " "), 4, "an entry without a reason"),
    "a reason that is still to be written": (
        ENTRY.replace("The left", "TODO: the left"),
        4,
        "a sentence that says why",
    ),
    "a reason that is no sentence": (ENTRY.replace("The left side decays too slowly.", "flaky"), 4, "a sentence that"),
    "no property": (ENTRY.replace('property = "gradient.*"\n', ""), 1, "an entry without property"),
    "an unknown key": (ENTRY + 'reson = "x"\n', 5, "did you mean reason"),
    "a property that matches nothing": (ENTRY.replace("gradient.*", "gradient.orcale"), 3, "did you mean gradient.or"),
    "a dtype that matches nothing": (ENTRY + 'dtype = ["float32", "float23"]\n', 5, "did you mean float32"),
    "a parameter that is no number": (ENTRY + 'parameters = { alpha = "high" }\n', 5, 'such as ">= 2, < 10"'),
    "a version that is no specifier": (ENTRY + 'version = "0.3"\n', 5, "a version specifier as pip has it"),
    "a date in quotes": (ENTRY + 'expires = "2030-01-31"\n', 5, "without quotes: expires = 2027-06-30"),
    "a link without its scheme": (ENTRY + 'link = "example.org"\n', 5, "begins with https://"),
    "a severity below nothing": (ENTRY + "severity = -1\n", 5, "as a share of the peak"),
    "a pin without an id": (ENTRY + '[deviation.pin]\ngiven = "x = 1"\n', 1, "a pin without id"),
    "an id that is none": (ENTRY + '[deviation.pin]\nid = "oracle"\n', 6, "implementation::property[case]"),
    "an id of an unknown property": (ENTRY + PIN.replace("oracle", "orcale"), 7, "did you mean gradient.oracle"),
    "an id outside the entry": (ENTRY.replace("gradient.*", "forward.*") + PIN, 7, "not within the entry's property"),
    "a pin that both answers and raises": (ENTRY + PIN + 'raised = "TypeError"\n', 11, "drop one of them"),
    "an unknown profile": (ENTRY + PIN.replace("standard", "standrad"), 10, "did you mean standard?"),
    "no TOML": ("[[deviation]]\nproperty = gradient\n", 2, "Invalid value"),
    "another table": (ENTRY + "\n[[deviations]]\n", 6, "did you mean deviation?"),
    "inline tables": ('deviation = [{ property = "*" }]\n', None, "under its own [[deviation]] line"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_file_and_line(tmp_path: Path, mistake: str) -> None:
    text, line, said = MISTAKES[mistake]
    path = written(tmp_path, text)
    with pytest.raises(BadInput) as refused:
        read_deviations(path)
    assert str(refused.value).startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert said in str(refused.value)


def test_the_line_is_that_of_the_entry_which_is_wrong(tmp_path: Path) -> None:
    path = written(tmp_path, ENTRY + "\n# Beneath a comment.\n" + ENTRY.replace("gradient.*", "gradient.orcale"))
    with pytest.raises(BadInput, match=r"deviations\.toml:10: property"):
        read_deviations(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_deviations(tmp_path / "nowhere.toml")


def test_an_empty_file_has_no_entries(tmp_path: Path) -> None:
    assert read_deviations(written(tmp_path, "# nothing is known\n")) == ()


def test_two_hundred_entries_are_read(tmp_path: Path) -> None:
    entries = read_deviations(written(tmp_path, (ENTRY + PIN) * 200))
    assert [e.line for e in entries[:2]] == [1, 12]
    assert len(entries) == 200
