"""The report of one file as values, and its compact JSON in artefacts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import orjson

SEVERITIES: Final = ("critical", "error", "warning", "advisory")
#: Findings kept per rule and file; what comes after is counted only.
KEPT_PER_RULE: Final = 1_000
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Context:
    """One place of a finding. `line` and `column` from 1, 0 if the file as a whole is meant; `xpath` absolute; `element` in words.
    `until`: the context holds only on days before this one."""

    text: str
    line: int = 0
    column: int = 0
    xpath: str = ""
    element: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule in one element. `index`: which activity or organisation of the file, -1 for the file itself.
    `unless_publisher`: it falls away if one of these is a registered publisher's identifier (`unless_prefix`: or begins with one)."""

    id: str
    severity: str
    category: str
    message: str
    contexts: tuple[Context, ...]
    index: int = -1
    codelist: str | None = None
    unless_publisher: tuple[str, ...] = ()
    unless_prefix: bool = False

    @property
    def until(self) -> date | None:
        """The day from which the finding holds no more, None if it does not depend on the day."""
        days = [context.until for context in self.contexts]
        return max(day for day in days if day) if days and all(days) else None

    def on(self, today: date) -> Finding | None:
        """The finding as it stands on a day."""
        if not any(context.until for context in self.contexts):
            return self
        left = tuple(context for context in self.contexts if context.until is None or today < context.until)
        if len(left) == len(self.contexts):
            return self
        return replace(self, contexts=left) if left else None


@dataclass(frozen=True, slots=True)
class Element:
    """An activity or organisation of the file: its identifier as labelled in the report, its title, whether the schema accepts it."""

    identifier: str
    title: str
    valid: bool


@dataclass(frozen=True, slots=True)
class Uncounted:
    """Findings beyond the cap, by what decides whether they hold."""

    id: str
    severity: str
    until: date | None
    unless_publisher: tuple[str, ...]
    unless_prefix: bool


@dataclass(slots=True)
class Report:
    """What the Validator says about a file. `file_type`: "" unless the root is an IATI one; `version`: @version as written."""

    file_type: str
    version: str
    data_version: str
    elements: list[Element] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    beyond: Counter[Uncounted] = field(default_factory=Counter)

    @property
    def valid(self) -> bool:
        return self.summary["critical"] == 0

    @property
    def summary(self) -> dict[str, int]:
        """Findings per severity, those beyond the cap included."""
        counts = dict.fromkeys(SEVERITIES, 0)
        for finding in self.findings:
            counts[finding.severity] += 1
        for kind, count in self.beyond.items():
            counts[kind.severity] += count
        return counts

    @property
    def counts(self) -> dict[str, int]:
        """Findings per rule id, those beyond the cap included."""
        counts = Counter(finding.id for finding in self.findings)
        for kind, count in self.beyond.items():
            counts[kind.id] += count
        return dict(counts)

    @property
    def codes(self) -> frozenset[str]:
        """The rule ids that were broken."""
        return frozenset(self.counts)

    def on(self, today: date) -> Report:
        """The report as it stands on a day: what was in the future may have come."""
        findings = [left for finding in self.findings if (left := finding.on(today))]
        beyond = Counter({kind: count for kind, count in self.beyond.items() if kind.until is None or today < kind.until})
        return replace(self, findings=findings, beyond=beyond)

    def resolved(self, publishers: Collection[str]) -> Report:
        """The report knowing the registered publishers' identifiers."""
        known = frozenset(publishers)
        findings = [f for f in self.findings if not (f.unless_publisher and _registered(f.unless_publisher, f.unless_prefix, known))]
        beyond = Counter(
            {
                kind: count
                for kind, count in self.beyond.items()
                if not (kind.unless_publisher and _registered(kind.unless_publisher, kind.unless_prefix, known))
            }
        )
        return replace(self, findings=findings, beyond=beyond)

    def identifier(self, finding: Finding) -> str:
        """The heading of a finding: an identifier, "noIdentifier", or "file"."""
        return "file" if finding.index < 0 else self.elements[finding.index].identifier or "noIdentifier"

    def title(self, finding: Finding) -> str:
        return "File level errors" if finding.index < 0 else self.elements[finding.index].title


def _registered(values: Iterable[str], prefix: bool, publishers: frozenset[str]) -> bool:
    if not prefix:
        return any(value in publishers for value in values)
    # An identifier may begin with any publisher's identifier and a hyphen: try every hyphen instead of every publisher.
    return any(value[:at] in publishers for value in values for at, sign in enumerate(value) if sign == "-")


def report_to_json(report: Report) -> bytes:
    """The compact form kept in artefacts: rules once, contexts as arrays."""
    rules: dict[tuple[str, str, str, str, str | None], int] = {}
    rows = []
    for finding in report.findings:
        key = (finding.id, finding.severity, finding.category, finding.message, finding.codelist)
        row: list[Any] = [
            rules.setdefault(key, len(rules)),
            finding.index,
            [[c.text, c.line, c.column, c.xpath, c.element, *([c.until.isoformat()] if c.until else [])] for c in finding.contexts],
        ]
        if finding.unless_publisher:
            row.append([int(finding.unless_prefix), *finding.unless_publisher])
        rows.append(row)
    return orjson.dumps(
        {
            "format": _FORMAT,
            "file_type": report.file_type,
            "version": report.version,
            "data_version": report.data_version,
            "summary": report.summary,
            "rules": [list(key) for key in rules],
            "findings": rows,
            "beyond": [
                [kind.id, kind.severity, kind.until, list(kind.unless_publisher), kind.unless_prefix, count]
                for kind, count in report.beyond.items()
            ],
            "elements": [[element.identifier, element.title, int(element.valid)] for element in report.elements],
        }
    )


def _context(row: list[Any]) -> Context:
    text, line, column, xpath, element, *until = row
    return Context(text, line, column, xpath, element, date.fromisoformat(until[0]) if until else None)


def report_from_json(data: bytes) -> Report:
    """The inverse of `report_to_json`. ValueError for another format."""
    content = orjson.loads(data)
    if content.get("format") != _FORMAT:
        raise ValueError(f"unknown report format {content.get('format')!r}")
    rules = content["rules"]
    findings = []
    for number, index, contexts, *unless in content["findings"]:
        rule_id, severity, category, message, codelist = rules[number]
        prefix, *values = unless[0] if unless else (0,)
        made = tuple(_context(context) for context in contexts)
        findings.append(Finding(rule_id, severity, category, message, made, index, codelist, tuple(values), bool(prefix)))
    beyond: Counter[Uncounted] = Counter()
    for rule_id, severity, until, values, prefix, count in content["beyond"]:
        beyond[Uncounted(rule_id, severity, date.fromisoformat(until) if until else None, tuple(values), prefix)] = count
    elements = [Element(identifier, title, bool(valid)) for identifier, title, valid in content["elements"]]
    return Report(content["file_type"], content["version"], content["data_version"], elements, findings, beyond)
