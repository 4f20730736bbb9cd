"""The report in the shapes of the Validator's HTTP interface (compatible with the reference engine; positions are additional keys)."""

from __future__ import annotations

from typing import Any

from iati_platform import __version__
from iati_platform.reading import XML_PROBLEM_RULE
from iati_platform.standard import VERSIONS
from iati_platform.validator.report import Context, Finding, Report


def to_api(report: Report, *, group: bool = True, details: bool = False, meta: bool = False) -> dict[str, Any]:
    """The report as JSON-able values. `group`: findings by activity, then by category; `details`: what each finding rests on;
    `meta`: the list of activities or organisations with their verdicts."""
    data_version = report.data_version if report.version in VERSIONS else ""
    shape: dict[str, Any] = {
        "valid": report.valid,
        "fileType": report.file_type,
        "iatiVersion": report.version,
        "rulesetCommitSha": data_version,
        "codelistCommitSha": data_version,
        "orgIdPrefixFileName": f"org-id-{report.data_version}.json" if report.file_type else "",
        "apiVersion": __version__,
        "summary": report.summary,
    }
    if meta and report.elements:
        shape[report.file_type] = [
            {"identifier": element.identifier or "noIdentifier", "valid": element.valid, "index": index}
            for index, element in enumerate(report.elements)
        ]
    findings = sorted(report.findings, key=_stage)
    shape["errors"] = _grouped(report, findings, details) if group else [_flat(report, finding, details) for finding in findings]
    return shape


def short(report: Report) -> dict[str, Any]:
    """The report without its findings."""
    return {"valid": report.valid, "summary": report.summary, "fileType": report.file_type, "iatiVersion": report.version}


def status(report: Report) -> int:
    """The HTTP status of a validation: 400 what is not XML, 422 what is not valid IATI, else 200."""
    if XML_PROBLEM_RULE in report.codes:
        return 400
    return 200 if report.valid else 422


def _stage(finding: Finding) -> int:
    """Findings come in the order schema, codelists, rules."""
    if finding.severity == "critical":
        return 0
    return 1 if finding.codelist else 2


def _grouped(report: Report, findings: list[Finding], details: bool) -> list[dict[str, Any]]:
    groups: dict[int, dict[str, list[Finding]]] = {}
    for finding in findings:
        groups.setdefault(finding.index, {}).setdefault(finding.category, []).append(finding)
    return [
        {
            "errors": [
                {"errors": [_finding(finding, details) for finding in members], "category": category}
                for category, members in categories.items()
            ],
            "identifier": report.identifier(next(iter(categories.values()))[0]),
            "title": report.title(next(iter(categories.values()))[0]),
        }
        for categories in groups.values()
    ]


def _flat(report: Report, finding: Finding, details: bool) -> dict[str, Any]:
    shape = _finding(finding, details)
    return {**shape, "category": finding.category, "identifier": report.identifier(finding), "title": report.title(finding)}


def _finding(finding: Finding, details: bool) -> dict[str, Any]:
    shape: dict[str, Any] = {"id": finding.id, "severity": finding.severity, "message": finding.message}
    if finding.codelist:
        shape["codelist"] = finding.codelist
    shape["context"] = [_context(context) for context in finding.contexts]
    if details:
        shape["details"] = _details(finding)
    return shape


def _context(context: Context) -> dict[str, Any]:
    shape: dict[str, Any] = {"text": context.text}
    if context.line:
        shape.update(line=context.line, column=context.column, xpath=context.xpath, element=context.element)
    return shape


def _details(finding: Finding) -> Any:
    if finding.severity == "critical":
        return [{"error": {"line": context.line, "column": 0, "level": 2}} for context in finding.contexts]
    xpath = finding.contexts[0].xpath if finding.contexts else ""
    return {"xpath": xpath} if finding.codelist else {"ruleName": finding.id, "xpathContext": xpath}
