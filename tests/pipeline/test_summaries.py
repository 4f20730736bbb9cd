"""The day's summary from a header alone equals the one from the whole report."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from iati_platform.pipeline.summaries import split_summary, summary_on
from iati_platform.validator import Report
from iati_platform.validator.report import SEVERITIES, Context, Finding

DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 6))
IDENTIFIERS = st.sampled_from(["GB-1", "GB-1-2", "XX-9", "NL-KVK-3"])
contexts = st.lists(st.builds(Context, text=st.just("x"), until=st.none() | DAYS), min_size=1, max_size=3).map(tuple)
findings = st.builds(
    Finding,
    id=st.just("1.1.1"),
    severity=st.sampled_from(SEVERITIES),
    category=st.just("iati"),
    message=st.just("m"),
    contexts=contexts,
    unless_publisher=st.lists(IDENTIFIERS, max_size=2).map(tuple),
    unless_prefix=st.booleans(),
)


@given(st.lists(findings, max_size=12), DAYS, st.sets(IDENTIFIERS))
def test_header_and_report_agree_on_every_day(found: list[Finding], today: date, publishers: set[str]) -> None:
    report = Report("iati-activities", "2.03", "x", findings=found)
    fixed, conditional = split_summary(report)
    assert summary_on({"summary": fixed, "conditional": conditional}, today, publishers) == report.on(today).resolved(publishers).summary
