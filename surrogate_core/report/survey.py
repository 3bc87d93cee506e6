"""What a survey found, in the terminal: the findings, the worst first, and who keeps every promise."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from surrogate_core.engine import Run
from surrogate_core.engine.telling import printable
from surrogate_core.properties.outcome import Failed
from surrogate_core.report.overview import Noted, noted, sentence, together
from surrogate_core.report.words import clip, listed, number, plural

__all__ = ["show"]

STYLES = {"defect": "bold red", "weakness": "yellow", "difference": "cyan"}

LINE = 160
"""Characters kept of what an implementation said."""


def show(run: Run, console: Console) -> None:
    """Print the findings, the libraries, what is missing, the ledger, and the answer."""
    findings = together(run, noted(run))
    if findings:
        console.print(_table(findings))
    unlimited = str(run.header.get("unlimited", ""))
    for line in filter(None, (*_libraries(run), unlimited, f"ledger: {run.ledger.sentence()}")):
        console.print(Text(printable(line), style="dim"), soft_wrap=True)
    missing = run.header.get("missing", {})
    if missing:
        told = f"{plural(len(missing), 'library', 'libraries')} not installed, and not judged:"
        console.print(Text(told, style="yellow"), soft_wrap=True)
    for name, install in missing.items():
        console.print(Text(printable(f"  {name}: {install}"), style="yellow"), soft_wrap=True)
    if run.unusable:
        told = f"{plural(len(run.unusable), 'entry', 'entries')} of the catalogue that cannot be used, or not in full:"
        console.print(Text(told, style="bold red"), soft_wrap=True)
    for line in (*(f"  {told}" for told in run.unusable), *run.objections, *run.complaints):
        console.print(Text(printable(line), style="bold red"), soft_wrap=True)
    style = "bold green" if run.conforms else "bold red"
    console.print(Text(_answer(run, findings), style=style), soft_wrap=True)


def _table(findings: tuple[Noted, ...]) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    table.add_column("")
    table.add_column("of the peak", justify="right")
    table.add_column("surrogate", overflow="fold")
    table.add_column("property", overflow="fold")
    table.add_column("what", overflow="fold", ratio=1)
    for finding in findings:
        size = "" if finding.severity is None else number(finding.severity, 2)
        word = Text(finding.kind, style=STYLES[finding.kind])
        if finding.reason:
            word.append("\nknown", style="dim")
        where = (
            ", ".join(finding.properties)
            if len(finding.properties) <= 3
            else plural(len(finding.properties), "property", "properties")
        )
        table.add_row(word, size, Text(printable(_whose(finding))), where, Text(printable(_what(finding))))
    return table


def _whose(finding: Noted) -> str:
    others = f"\nand {plural(len(finding.others), 'other')} of it" if finding.others else ""
    return f"{finding.implementation}{others}"


def _what(finding: Noted) -> str:
    outcome = finding.outcome
    if isinstance(outcome, Failed):
        told = f"{outcome.given}: {outcome.measured}, promised {outcome.allowed}"
    else:
        told = outcome.message
    return clip(told, LINE)


def _libraries(run: Run) -> tuple[str, ...]:
    judged: dict[str, int] = {}
    for entry in run.header["implementations"]:
        name = str(entry.get("library") or entry["package"] or entry["name"])
        judged[name] = judged.get(name, 0) + 1
    versions = {name: about["version"] for name, about in run.header.get("libraries", {}).items()}
    told = [f"{versions.get(name) or name} ({plural(count, 'surrogate')})" for name, count in judged.items()]
    empty = [about["version"] or name for name, about in run.header.get("libraries", {}).items() if name not in judged]
    uncovered: dict[str, list[str]] = {}
    for name, about in run.header.get("libraries", {}).items():
        for what in about.get("uncovered", ()):
            uncovered.setdefault(what, []).append(name)
    return (
        *([f"judged: {listed(told)}"] if told else []),
        *([f"without a surrogate of its own: {listed(empty)}"] if empty and run.header.get("survey") else []),
        *(f"not covered, of {listed(names)}: {what}" for what, names in uncovered.items()),
    )


def _answer(run: Run, findings: tuple[Noted, ...]) -> str:
    if not run.complete:
        return sentence(findings, complete=False)  # who keeps every promise is not known yet
    names = [str(entry["name"]) for entry in run.header["implementations"]]
    faulty = {name for finding in findings for name in finding.implementations}
    kept = plural(sum(name not in faulty for name in names), "surrogate")
    return f"{kept} of {len(names)} without a finding. {sentence(findings)}"
