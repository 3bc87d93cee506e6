"""JUnit XML: one test case per result, in the form that CI systems read.

The elements, their order and their attributes are those of the schema ``junit-10.xsd`` of Jenkins' xUnit plugin, which
pytest's ``junit_family=xunit2`` keeps too, and besides, as in ``xunit1``, ``file`` and ``line`` of a test case: GitLab
(https://docs.gitlab.com/ci/testing/unit_test_reports/) links by them. Jenkins' ``junit`` step reads past them; its
xUnit plugin, which validates, does not allow them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from surrogate_core.engine import Result, Run
from surrogate_core.engine.strict import DEFAULT, offences
from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Skipped, Unsupported
from surrogate_core.safe_text import printable

__all__ = ["write"]

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, even escaped."""


def write(run: Run, path: str | os.PathLike[str], fail_on: Sequence[str] = DEFAULT) -> None:
    """Write the run as JUnit XML; it is never green where ``check --fail-on`` does not exit with 0.

    Raises:
        BadInput: the path cannot be written.
    """
    suites = ElementTree.Element("testsuites", name="surrogate-core")
    for implementation in run.header["implementations"]:
        suites.append(_suite(run, implementation))
    if wrong := _wrong(run, fail_on):
        suite = ElementTree.SubElement(
            suites, "testsuite", name="ledger", tests=str(len(wrong)), failures="0", errors=str(len(wrong))
        )
        for name, said in wrong.items():
            case = ElementTree.SubElement(suite, "testcase", classname="surrogate-core", name=name)
            _child(case, "error", said, name)
    for count in ("tests", "failures", "errors"):
        suites.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    suites.set("time", f"{sum(r.seconds for r in run.results):.3f}")
    tree = ElementTree.ElementTree(suites)
    ElementTree.indent(tree)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        tree.write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise BadInput(f"JUnit file {path}: {error.strerror}", "a path that can be written", "choose another") from None


def _wrong(run: Run, fail_on: Sequence[str]) -> dict[str, str]:
    """What keeps a run from passing and is in no result: it must not look like a green suite."""
    stricter = offences(run, [name for name in fail_on if name not in DEFAULT])
    said = {
        "ledger": "; ".join(run.objections),
        "catalogue": "\n".join(run.unusable),
        "deviations": "\n".join(run.complaints),
        "fail-on": ", ".join(f"{count} {name}" for name, count in stricter.items()),
    }
    return {name: text for name, text in said.items() if text}


def _suite(run: Run, implementation: Mapping[str, Any]) -> ElementTree.Element:
    results = run.of(str(implementation["name"]))
    states = [r.outcome.state for r in results]
    suite = ElementTree.Element(
        "testsuite",
        name=_legal(str(implementation["name"])),
        tests=str(len(results)),
        failures=str(states.count("failed")),
        errors=str(states.count("errored")),
        skipped=str(sum(s in ("skipped", "unsupported", "expected failure") for s in states)),
        time=f"{sum(r.seconds for r in results):.3f}",
        timestamp=str(run.header["started"]).removesuffix("Z"),
    )
    known = {key: implementation.get(key) for key in ("spec", "framework", "package", "version")}
    known |= {"profile": run.header["profile"], "seed": run.header["seed"]}
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in known.items():
        if value not in (None, ""):
            ElementTree.SubElement(properties, "property", name=name, value=_legal(str(value)))
    file = Path(str(implementation.get("file") or "/"))
    # Only what lies in the project can be linked: no absolute path, nothing that is installed.
    linked = not file.is_absolute() and "site-packages" not in file.parts
    place = {key: _legal(str(implementation[key])) for key in ("file", "line") if linked and implementation.get(key)}
    for result in results:
        case = _case(result)
        case.attrib.update(place)
        suite.append(case)
    return suite


def _case(result: Result) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=_legal(result.implementation),
        name=_legal(f"{result.property_id}[{result.case}]"),
        time=f"{result.seconds:.3f}",
    )
    outcome = result.outcome
    if isinstance(outcome, Failed):
        message = f"{outcome.given}: measured {outcome.measured}, allowed {outcome.allowed}"
        _child(case, "failure", message, outcome.state, outcome.script)
    elif isinstance(outcome, Errored):
        _child(case, "error", outcome.message, outcome.state, outcome.traceback)
    elif isinstance(outcome, Unsupported):
        _child(case, "skipped", f"unsupported: {outcome.capability}", outcome.state)
    elif isinstance(outcome, ExpectedFailure):
        _child(case, "skipped", f"expected failure: {outcome.reason}", outcome.state)
    elif isinstance(outcome, Skipped):
        _child(case, "skipped", outcome.reason, outcome.state)
    return case


def _child(case: ElementTree.Element, tag: str, message: str, kind: str, evidence: str = "") -> None:
    """Some readers show the message, others (GitLab) only the text: both say what happened."""
    child = ElementTree.SubElement(case, tag, message=_legal(message), type=kind)
    child.text = _legal(evidence if message in evidence else f"{message}\n\n{evidence}" if evidence else message)


def _legal(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", printable(text))
