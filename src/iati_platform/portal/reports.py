"""Validation reports of the current generation, as the portal's pages read them.

A report lies in the artefact of its content. Rules that look at the calendar or at the registered publishers were left open there; the
Validator's service decides them for today. Here a report is kept while nothing it depends on changes.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from iati_platform import reading as iati_reading
from iati_platform.storage.objects import ObjectMissing
from iati_platform.validator import service as validator
from iati_platform.validator.report import Report
from iati_platform.web.parts import FindingView, Place
from iati_platform.web.platform import Platform

from . import words
from .catalogue import Catalogue, DatasetEntry
from .views.report import EXCERPT_FROM, SourceFinding, with_excerpts

POSITION = re.compile(r"(?:^|\s+)at line: \d+(?:, column: \d+)?\s*$", re.IGNORECASE)
"""The position at the end of a context's text; pages show it beside the text, more exactly."""
KEPT = 8
"""Reports kept ready: pages of one report follow each other."""


@dataclass(frozen=True)
class ReportFindings:
    """A report read for pages. `summary` counts all findings, also those beyond the number kept per rule."""

    valid: bool
    summary: Mapping[str, int]
    findings: Sequence[SourceFinding]
    counts: Mapping[str, int]
    """Findings per rule."""

    @property
    def total(self) -> int:
        return sum(self.summary.values())


def decided(entry: DatasetEntry, report: ReportFindings | None) -> DatasetEntry:
    """The entry with the badge of the report as it stands today, where lists show that of the content alone."""
    if report is None:
        return entry
    return replace(entry, validity=words.validity_state("ok", {**entry.header, "summary": report.summary}))


class Reports:
    """Reports by dataset."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], ReportFindings] = OrderedDict()

    def of(self, entry: DatasetEntry, catalogue: Catalogue) -> ReportFindings | None:
        """The report of what the generation holds of a dataset; None when there is none."""
        content, code = entry.published.get("content"), entry.published.get("code_version")
        if entry.published.get("state") != "ok" or not content or not code:
            return None
        today = self.platform.today()
        key = (content, code, today, catalogue.version)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        report = validator.load_report(self.platform, entry.registered.id)
        if report is None:
            return None
        made = findings_of(report)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made

    def with_source(self, entry: DatasetEntry, shown: Sequence[FindingView]) -> list[FindingView]:
        """The findings with the lines of the file around each place; without them when the file is very large or gone."""
        content = entry.published.get("content")
        if not shown or not content or (entry.size or 0) > EXCERPT_FROM:
            return list(shown)
        try:
            data = self.platform.contents.read(str(content))
        except ObjectMissing:
            return list(shown)
        # lines and columns count in the UTF-8 text that the validator read, which a file in UTF-8 already is
        in_utf8 = str(entry.header.get("encoding", "")).lower() in ("utf-8", "ascii")
        return with_excerpts(shown, data if in_utf8 else iati_reading.read(data).data)


def findings_of(report: Report) -> ReportFindings:
    """The report's findings as the pages show them, in the report's order."""
    findings = [
        SourceFinding(
            rule=finding.id,
            severity=finding.severity,
            category=finding.category,
            message=finding.message,
            subject=report.identifier(finding),
            subject_title=report.title(finding),
            places=[
                Place(POSITION.sub("", one.text) if one.line else one.text, one.xpath, one.line or None, one.column or None)
                for one in finding.contexts
            ],
            codelist=finding.codelist or "",
        )
        for finding in report.findings
    ]
    return ReportFindings(report.valid, report.summary, findings, report.counts)


def as_json(dataset: str, report: ReportFindings, chosen: Sequence[SourceFinding]) -> dict[str, object]:
    """A report for machines that follow the pages; the Validator's own interface gives it in the published format."""
    return {
        "dataset": dataset,
        "valid": report.valid,
        "summary": dict(report.summary),
        "findings": [
            {
                "id": one.rule,
                "severity": one.severity,
                "category": one.category,
                "message": one.message,
                "identifier": one.subject,
                "title": one.subject_title,
                **({"codelist": one.codelist} if one.codelist else {}),
                "context": [{"text": place.text, "xpath": place.path, "line": place.line, "column": place.column} for place in one.places],
            }
            for one in chosen
        ],
    }
