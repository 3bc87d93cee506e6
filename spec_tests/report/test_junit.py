from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from report.stored import BREAKS, passing, result, run

from surrogate_core.engine import Run
from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Passed, Skipped, Unsupported
from surrogate_core.report.junit import write

ODD = "é × 🙂 <&\"'> ]]> \x00\x08\x1b\x7f\ud800\ufffe\n\t end"
LEGAL = "é × 🙂 <&\"'> ]]> \ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\n\t end"


def written(found: Run, folder: Path) -> Element:
    path = folder / "new" / "junit.xml"
    write(found, path)
    return ElementTree.fromstring(path.read_bytes())


def judged(suite: Element) -> list[Element]:
    return suite.findall("testcase")


def one_of_each(name: str = "lib:good") -> list:
    return [
        result(Passed(), name, "forward.step"),
        result(BREAKS, name, "gradient.peak"),
        result(Errored("ValueError: no", "Traceback\nValueError: no"), name, "gradient.oracle"),
        result(Unsupported("forward mode"), name, "transform.jit"),
        result(Skipped("one device"), name, "gradient.decay"),
        result(ExpectedFailure(BREAKS, "issue 7"), name, "gradient.peak", alpha=2.0),
    ]


def test_every_result_is_a_case_and_the_counts_add_up(tmp_path: Path) -> None:
    (suite,) = written(run(one_of_each()), tmp_path)
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "6", "failures": "1", "errors": "1", "skipped": "3"}
    assert (suite.get("name"), suite.get("time")) == ("lib:good", "3.000")
    cases = judged(suite)
    assert len(cases) == 6
    assert cases[0].attrib == {
        "classname": "lib:good",
        "name": "forward.step[float32-alpha=1-cpu:0]",
        "time": "0.500",
    }
    assert len({case.get("name") for case in cases}) == 6


def test_each_outcome_has_the_child_that_a_ci_system_reads(tmp_path: Path) -> None:
    (suite,) = written(run(one_of_each()), tmp_path)
    children = [[(child.tag, child.get("message"), child.text) for child in case] for case in judged(suite)]
    broken = f"{BREAKS.given}: measured {BREAKS.measured}, allowed {BREAKS.allowed}"
    assert children == [
        [],
        [("failure", broken, f"{broken}\n\n{BREAKS.script}")],
        [("error", "ValueError: no", "Traceback\nValueError: no")],
        [("skipped", "unsupported: forward mode", "unsupported: forward mode")],
        [("skipped", "one device", "one device")],
        [("skipped", "expected failure: issue 7", "expected failure: issue 7")],
    ]


def test_each_implementation_is_a_suite(tmp_path: Path) -> None:
    suites = written(run([*passing("a"), *one_of_each("b")]), tmp_path)
    assert suites.tag == "testsuites"
    assert [(suite.get("name"), suite.get("tests")) for suite in suites] == [("a", "4"), ("b", "6")]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (run(passing(), complete=False), "the run was not finished: its footer is missing"),
        (run(passing(), planned=9), "9 results were planned, but 4 are accounted for"),
        (run([result(Skipped("x"))]), "nothing was judged"),
        (run([]), "nothing was judged"),
    ],
)
def test_a_run_that_proves_nothing_is_no_green_suite(found: Run, message: str, tmp_path: Path) -> None:
    ledger = written(found, tmp_path)[-1]
    assert (ledger.get("name"), ledger.get("tests"), ledger.get("errors")) == ("ledger", "1", "1")
    (error,) = ledger.iter("error")
    assert error.get("message") == message


def test_a_contradicted_deviations_file_is_no_green_suite(tmp_path: Path) -> None:
    found = replace(run(passing()), complaints=("known.toml:3: no longer needed", "known.toml:9: expired"))
    suites = written(found, tmp_path)
    (error,) = suites.iter("error")
    assert error.text == error.get("message") == "known.toml:3: no longer needed\nknown.toml:9: expired"
    assert (suites.get("tests"), suites.get("errors")) == ("5", "1")


def test_what_a_stricter_check_fails_on_is_no_green_suite(tmp_path: Path) -> None:
    results = [*passing(), result(Unsupported("forward mode"), prop="transform.jit")]
    path = tmp_path / "junit.xml"
    write(run(results), path, ("failed", "errored", "unsupported", "remark"))
    (error,) = ElementTree.parse(path).getroot().iter("error")
    assert error.text == "1 unsupported"
    write(run(results), path)
    assert not list(ElementTree.parse(path).getroot().iter("error"))


def test_a_case_names_its_file_and_line_and_a_suite_what_was_judged(tmp_path: Path) -> None:
    found = run(passing())
    found.header["implementations"][0] |= {"file": "src/good.py", "line": 7}
    (suite,) = written(found, tmp_path)
    assert {(case.get("file"), case.get("line")) for case in judged(suite)} == {("src/good.py", "7")}
    assert {p.get("name"): p.get("value") for p in suite.iter("property")} == {
        "spec": "slayer",
        "framework": "jax",
        "package": "lib",
        "version": "1.0",
        "profile": "standard",
        "seed": "0",
    }


@pytest.mark.parametrize("file", ["/usr/lib/python3/abc.py", ".venv/lib/site-packages/lib/good.py", None])
def test_no_case_names_a_file_that_is_not_of_the_project(file: str | None, tmp_path: Path) -> None:
    found = run(passing())
    found.header["implementations"][0] |= {"file": file, "line": 7}
    (suite,) = written(found, tmp_path)
    assert {(case.get("file"), case.get("line")) for case in judged(suite)} == {(None, None)}


CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "properties": {"property"},
    "testcase": {"skipped", "error", "failure"},
}
ATTRIBUTES = {
    "testsuites": ({"name"}, {"time", "tests", "failures", "errors"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"time", "skipped", "timestamp"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name"}, {"time", "classname", "file", "line"}),
    **dict.fromkeys(("skipped", "error", "failure"), (set(), {"type", "message"})),
}
"""Of junit-10.xsd what is used here, by hand: required and optional; besides, GitLab's file and line of a case."""


def offends(element: Element) -> list[str]:
    """What the schema does not allow in an element and in what it holds."""
    required, optional = ATTRIBUTES.get(element.tag, (set(), set()))
    found = [f"{element.tag} without {name}" for name in required - set(element.attrib)]
    found += [f"{element.tag}@{name}" for name in set(element.attrib) - required - optional]
    found += [f"{element.tag}/{child.tag}" for child in element if child.tag not in CHILDREN.get(element.tag, ())]
    for name in ("tests", "failures", "errors", "skipped"):
        if not element.get(name, "0").isdigit():
            found.append(f"{element.tag}@{name} is no count")
    if not re.fullmatch(r"\d*(\.\d*)?", element.get("time", "")):
        found.append(f"{element.tag}@time is no number of seconds")
    if element.tag == "testsuite" and element.get("tests") != str(len(judged(element))):
        found.append("testsuite@tests does not add up")
    return found + [said for child in element for said in offends(child)]


@pytest.mark.parametrize(
    "mistake",
    ["<testsuites skipped='1'/>", "<testsuites><testsuite name='a'/></testsuites>", "<testcase name='a' time='1e-3'/>"],
)
def test_the_schema_refuses_what_jenkins_refuses(mistake: str) -> None:
    assert offends(ElementTree.fromstring(mistake))


@pytest.mark.parametrize("complete", [True, False])
def test_the_file_keeps_the_schema_of_jenkins(complete: bool, tmp_path: Path) -> None:
    found = replace(run([*one_of_each(), *passing("b"), result(Failed(ODD, ODD, ODD), "c")], complete=complete))
    found.header["implementations"][0] |= {"file": "src/good.py", "line": 7}
    suites = written(replace(found, complaints=("known.toml:3: no longer needed",)), tmp_path)
    assert offends(suites) == []
    for count in ("tests", "failures", "errors"):
        assert int(suites.get(count, "")) == sum(int(suite.get(count, "")) for suite in suites)


def test_a_complete_run_has_no_ledger_suite(tmp_path: Path) -> None:
    assert [suite.get("name") for suite in written(run(passing()), tmp_path)] == ["lib:good"]


def test_characters_that_xml_cannot_hold_are_replaced(tmp_path: Path) -> None:
    results = [
        result(Failed(ODD, ODD, ODD, script=ODD), ODD, "forward.step"),
        result(Errored(ODD, ODD), ODD, "gradient.peak"),
        result(Skipped(ODD), ODD, "transform.jit"),
        result(Unsupported(ODD), ODD, "gradient.oracle", dtype=ODD),
    ]
    (suite,) = written(run(results), tmp_path)
    assert suite.get("name") == LEGAL
    failure, error, skipped, unsupported = (case[0] for case in judged(suite))
    assert error.text == LEGAL
    assert failure.get("message") == f"{LEGAL}: measured {LEGAL}, allowed {LEGAL}"
    assert failure.text == f"{failure.get('message')}\n\n{LEGAL}"
    assert skipped.get("message") == LEGAL
    assert unsupported.get("message") == f"unsupported: {LEGAL}"


def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"JUnit file .*\n.*a path that can be written"):
        write(run(passing()), tmp_path)
