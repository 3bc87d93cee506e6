"""Every finding's script run by itself: `python spec_tests/findings.py RESULTS...`, after a survey.

surrogate_core cannot be imported where the scripts run, so that each shows what it shows with its library alone. One
process runs those of one library, which is imported once. Exits with 1 where a script prints anything but what the
survey measured, or where a finding has none; and where what is told of a defect is none by itself.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from surrogate_core.engine import read
from surrogate_core.properties.outcome import Failed
from surrogate_core.report.overview import Noted, noted

NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e[+-]?\d+)?(?![\w.])|-?\binf\b|\bnan\b")

ALONE = """\
import contextlib, io, json, sys
sys.modules["surrogate_core"] = None  # which makes its import fail
for script in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            exec(script, {"__name__": "__main__"})
        except Exception as error:
            print(f"{type(error).__name__}: {error}")
    print(json.dumps(said.getvalue()), flush=True)
"""
"""Scripts in, as JSON; what each printed, out, a line each."""


def main(paths: Iterable[str]) -> int:
    """Run them all; how many did not show what they should."""
    wrong = 0
    for path in paths:
        run = read(path)
        homes = {str(entry["name"]): str(entry.get("library", "")) for entry in run.header["implementations"]}
        by_home: dict[str, list[Noted]] = {}
        for finding in noted(run):
            by_home.setdefault(homes[finding.implementation], []).append(finding)
        for home, findings in by_home.items():
            said = _run([finding.outcome.script for finding in findings])
            for finding, printed in zip(findings, said, strict=True):
                shows = bool(finding.outcome.script) and _shows(finding.outcome, printed) and _of_its_kind(finding)
                wrong += not shows
                if not shows:
                    what = printed.strip() or "nothing, or there is no script"
                    print(f"{home}: {finding.implementation} {finding.properties[0]}: printed {what}")
            print(f"{home}: {len(findings)} scripts")
    return wrong


def _of_its_kind(finding: Noted) -> bool:
    outcome = finding.outcome
    return not isinstance(outcome, Failed) or outcome.kind == finding.kind


def _run(scripts: list[str]) -> list[str]:
    # -I: isolated from this project's folder, as on somebody else's machine.
    command = [sys.executable, "-I", "-W", "ignore", "-c", ALONE]
    done = subprocess.run(command, input=json.dumps(scripts), capture_output=True, text=True, timeout=300, check=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith('"')]
    return [json.loads(line) for line in lines]


def _shows(outcome: Any, printed: str) -> bool:
    """Whether what was measured is among what was printed; of an exception, its message."""
    if not isinstance(outcome, Failed):
        return bool(printed.strip()) and printed.splitlines()[0] in outcome.message
    words = [float(n) for n in NUMBER.findall(printed)]
    if step := outcome.figures.get("step"):
        # The smooth function on both sides, of which the quotient of differences was measured.
        words = [(ahead - behind) / (2 * step) for ahead, behind in itertools.pairwise(words)]
    measured = [float(n) for n in NUMBER.findall(re.sub(r"\(0x[0-9a-f]+\)", "", outcome.measured))]
    if not measured:
        return any(word in printed for word in re.findall(r"\b(?:b?float\d+|[a-z]{4,})\b", outcome.measured))
    return any(w == m or (w != w and m != m) or abs(w - m) <= 1e-6 * abs(m) for w in words for m in measured[:1])


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
