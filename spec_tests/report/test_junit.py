from __future__ import annotations

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
LEGAL = "é × 🙂 <&\"'> ]]> \ufffd\ufffd\ufffd\x7f\ufffd\ufffd\n\t end"


def written(found: Run, folder: Path) -> Element:
    path = folder / "new" / "junit.xml"
    write(found, path)
    return ElementTree.fromstring(path.read_bytes())


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
    assert len(suite) == 6
    assert suite[0].attrib == {
        "classname": "lib:good",
        "name": "forward.step[float32-alpha=1-cpu:0]",
        "time": "0.500",
    }
    assert len({case.get("name") for case in suite}) == 6


def test_each_outcome_has_the_child_that_a_ci_system_reads(tmp_path: Path) -> None:
    (suite,) = written(run(one_of_each()), tmp_path)
    children = [[(child.tag, child.get("message"), child.text) for child in case] for case in suite]
    assert children == [
        [],
        [("failure", f"{BREAKS.given}: measured {BREAKS.measured}, allowed {BREAKS.allowed}", BREAKS.script)],
        [("error", "ValueError: no", "Traceback\nValueError: no")],
        [("skipped", "unsupported: forward mode", None)],
        [("skipped", "one device", None)],
        [("skipped", "issue 7", None)],
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
    failure, error, skipped, unsupported = (case[0] for case in suite)
    assert failure.text == error.text == LEGAL
    assert failure.get("message") == f"{LEGAL}: measured {LEGAL}, allowed {LEGAL}"
    assert skipped.get("message") == LEGAL
    assert unsupported.get("message") == f"unsupported: {LEGAL}"


def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"JUnit file .*\n.*a path that can be written"):
        write(run(passing()), tmp_path)
