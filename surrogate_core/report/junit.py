"""JUnit XML: one test case per result, in the form that CI systems read."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree

from surrogate_core.engine import Result, Run
from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Skipped, Unsupported

__all__ = ["write"]

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, even escaped."""


def write(run: Run, path: str | os.PathLike[str]) -> None:
    """Write the run as JUnit XML; raises :class:`BadInput` where the path cannot be written."""
    suites = ElementTree.Element("testsuites", name="surrogate-core")
    for implementation in run.header["implementations"]:
        results = run.of(str(implementation["name"]))
        states = [r.outcome.state for r in results]
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=_legal(str(implementation["name"])),
            tests=str(len(results)),
            failures=str(states.count("failed")),
            errors=str(states.count("errored")),
            skipped=str(sum(s in ("skipped", "unsupported", "expected failure") for s in states)),
            time=f"{sum(r.seconds for r in results):.3f}",
            timestamp=str(run.header["started"]).removesuffix("Z"),
        )
        for result in results:
            case = _case(result)
            # GitLab and Jenkins link a test case to its file.
            if implementation.get("file"):
                case.set("file", _legal(str(implementation["file"])))
                if implementation.get("line"):
                    case.set("line", str(implementation["line"]))
            suite.append(case)
    if run.objections or run.complaints:
        # A run that proves nothing must not look like a green suite.
        suite = ElementTree.SubElement(suites, "testsuite", name="ledger", tests="1", failures="0", errors="1")
        case = ElementTree.SubElement(suite, "testcase", classname="surrogate-core", name="ledger")
        ElementTree.SubElement(case, "error", message=_legal("; ".join(run.objections + run.complaints)))
    tree = ElementTree.ElementTree(suites)
    ElementTree.indent(tree)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        tree.write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise BadInput(f"JUnit file {path}: {error.strerror}", "a path that can be written", "choose another") from None


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
        ElementTree.SubElement(case, "failure", message=_legal(message)).text = _legal(outcome.script)
    elif isinstance(outcome, Errored):
        ElementTree.SubElement(case, "error", message=_legal(outcome.message)).text = _legal(outcome.traceback)
    elif isinstance(outcome, Unsupported):
        ElementTree.SubElement(case, "skipped", message=_legal(f"unsupported: {outcome.capability}"))
    elif isinstance(outcome, Skipped | ExpectedFailure):
        ElementTree.SubElement(case, "skipped", message=_legal(outcome.reason))
    return case


def _legal(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
