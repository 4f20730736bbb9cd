"""A report on a terminal, as SARIF, as an exit status."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from iati_platform import __version__
from iati_platform.validator.report import SEVERITIES, Finding, Report

_STYLES: Final = {"critical": "bold red", "error": "red", "warning": "yellow", "advisory": "blue"}
_LEVELS: Final = {"critical": "error", "error": "error", "warning": "warning", "advisory": "note"}
#: Places of one finding shown on a terminal.
_SHOWN: Final = 5


def exit_code(report: Report, fail_on: str) -> int:
    """1 if the report has a finding of severity `fail_on` ("critical", "error", "warning", "advisory") or worse, else 0."""
    worse = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return int(any(report.summary[severity] for severity in worse))


def to_text(report: Report, name: str, console: Console) -> None:
    """Write a report for people: what was read, the findings by activity with their places, the counts."""
    kind = report.file_type or "not an IATI file"
    console.print(Text.assemble((name, "bold"), f": {kind} {report.version}".rstrip()))
    for index, findings in groupby(sorted(report.findings, key=lambda finding: finding.index), key=lambda finding: finding.index):
        _group(report, index, list(findings), console)
    counts = ", ".join(f"{count} {severity}" for severity, count in report.summary.items() if count)
    verdict = Text("valid", style="green") if report.valid else Text("not valid", style="bold red")
    console.print(Text.assemble(verdict, f": {counts or 'nothing to report'}"))
    left_out = sum(report.beyond.values())
    if left_out:
        console.print(Text(f"{left_out} more findings of rules with very many are counted but not listed.", style="dim"))


def _group(report: Report, index: int, findings: list[Finding], console: Console) -> None:
    heading = "The file" if index < 0 else report.identifier(findings[0])
    title = "" if index < 0 else report.title(findings[0])
    console.print(Text.assemble("\n", (heading, "bold"), f"  {title}" if title else ""))
    for finding in findings:
        console.print(Text.assemble("  ", (finding.severity, _STYLES[finding.severity]), f" {finding.id}  {finding.message.strip()}"))
        for context in finding.contexts[:_SHOWN]:
            place = f"{context.line}:{context.column}" if context.column else str(context.line or "")
            console.print(Text.assemble("    ", (place.rjust(8), "cyan"), f"  {context.text}"))
        if len(finding.contexts) > _SHOWN:
            console.print(Text(f"              and {len(finding.contexts) - _SHOWN} more places", style="dim"))
    console.print()


def to_sarif(reports: Sequence[tuple[str, Report]]) -> dict[str, Any]:
    """SARIF 2.1.0 (OASIS): one run, a result per finding with all its places."""
    rules: dict[str, dict[str, Any]] = {}
    results: list[dict[str, Any]] = []
    for name, report in reports:
        for finding in report.findings:
            rules.setdefault(
                finding.id,
                {
                    "id": finding.id,
                    "shortDescription": {"text": finding.message.strip()},
                    "defaultConfiguration": {"level": _LEVELS[finding.severity]},
                    "properties": {"severity": finding.severity, "category": finding.category},
                },
            )
            results.append(_result(name, report, finding))
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "iati validate", "version": __version__, "rules": list(rules.values())}},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _result(name: str, report: Report, finding: Finding) -> dict[str, Any]:
    locations = [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": name},
                **({"region": {"startLine": context.line, "startColumn": max(context.column, 1)}} if context.line else {}),
            },
            **({"logicalLocations": [{"fullyQualifiedName": context.xpath, "kind": "element"}]} if context.xpath else {}),
            "message": {"text": context.text or finding.message.strip()},
        }
        for context in finding.contexts
    ]
    return {
        "ruleId": finding.id,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message.strip()},
        "locations": locations[:1],
        **({"relatedLocations": locations[1:]} if len(locations) > 1 else {}),
        "properties": {"identifier": report.identifier(finding), "title": report.title(finding)},
    }
