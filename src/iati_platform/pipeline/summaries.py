"""How many findings a report has *today*: artefacts know neither the day nor who is registered, so their headers keep what depends on it.

`conditional` in a header is a list of `[severity, until, values, prefix, count]`: that many findings hold on days before `until` (None:
always) unless one of `values` is a registered organisation identifier (`prefix`: or begins with one and a hyphen).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from iati_platform.validator import Report
from iati_platform.validator.report import SEVERITIES

Condition = tuple[str, str | None, tuple[str, ...], bool]


def split_summary(report: Report) -> tuple[dict[str, int], list[list[Any]]]:
    """Counts per severity that always hold, and the conditional ones. JSON-able."""
    fixed = dict.fromkeys(SEVERITIES, 0)
    conditional: Counter[Condition] = Counter()

    def count(severity: str, until: date | None, values: tuple[str, ...], prefix: bool, number: int) -> None:
        if until is None and not values:
            fixed[severity] += number
        else:
            conditional[severity, until.isoformat() if until else None, values, prefix] += number

    for finding in report.findings:
        count(finding.severity, finding.until, finding.unless_publisher, finding.unless_prefix, 1)
    for kind, number in report.beyond.items():
        count(kind.severity, kind.until, kind.unless_publisher, kind.unless_prefix, number)
    return fixed, [[severity, until, list(values), prefix, number] for (severity, until, values, prefix), number in conditional.items()]


def summary_on(header: Mapping[str, Any], today: date, publishers: Collection[str]) -> dict[str, int]:
    """Counts per severity on a day, knowing the registered identifiers. Equals `report.on(today).resolved(publishers).summary`."""
    counts: dict[str, int] = dict(header.get("summary", {}))
    for severity, until, values, prefix, number in header.get("conditional", ()):
        if until is not None and today >= date.fromisoformat(until):
            continue
        if not any(_registered(value, prefix, publishers) for value in values):
            counts[severity] += number
    return counts


def _registered(value: str, prefix: bool, publishers: Collection[str]) -> bool:
    if not prefix:
        return value in publishers
    return any(value[:at] in publishers for at, sign in enumerate(value) if sign == "-")
