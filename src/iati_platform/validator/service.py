"""What the Validator does: validate bytes, find the stored report of a dataset."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime

from iati_platform import reading
from iati_platform.validator.builder import ReportBuilder
from iati_platform.validator.report import Report


def validate(data: bytes, *, as_of: date | None = None, publishers: Collection[str] | None = None, mode: str = "strict") -> Report:
    """The report of a file. Never raises on bad input. `as_of`: the day date rules see (default: today, UTC); `publishers`: identifiers
    of registered publishers, None if nothing is known of any. ValueError for a mode other than "strict"."""
    if mode != "strict":
        raise ValueError(f"unknown mode {mode!r}; there is only 'strict'")
    source = reading.read(data)
    builder = ReportBuilder(source, as_of=as_of or datetime.now(UTC).date())
    for record in source.records():
        builder.add(record)
    report = builder.finish()
    return report if publishers is None else report.resolved(publishers)
