"""Reports as values: they keep what depends on the day and on the registry open, and survive being stored."""

from datetime import date

from iati_platform import reading
from iati_platform.validator import Report, ReportBuilder, report_from_json, report_to_json, validate
from tests.validator.files import TODAY, changed, file_of

LATE = changed('iso-date="2025-01-01"', 'iso-date="2026-12-24"')
UNKNOWN = changed("GB-COH-000001", "XQ-1/2")


def built(data: bytes, day: date) -> Report:
    source = reading.read(data)
    builder = ReportBuilder(source, as_of=day)
    for record in source.records():
        builder.add(record)
    return builder.finish()


def test_a_stored_report_is_the_same_report() -> None:
    made = validate(file_of(LATE, UNKNOWN, "<iati-activity/>"), as_of=TODAY)
    assert made.findings and report_from_json(report_to_json(made)) == made


def test_what_is_in_the_future_comes_to_pass() -> None:
    made = built(file_of(LATE), date(2026, 1, 1))
    assert made.on(date(2026, 12, 23)).codes == {"11.1.4"}
    assert made.on(date(2026, 12, 24)).codes == frozenset()
    assert made.on(date(2026, 12, 23)) == validate(file_of(LATE), as_of=date(2026, 12, 23))


def test_registered_publishers_may_be_called_what_they_are_called() -> None:
    data = file_of(UNKNOWN)
    open_questions = {"1.3.13", "1.8.13", "1.14.8", "1.14.13"}
    assert validate(data, as_of=TODAY).codes == open_questions
    assert validate(data, as_of=TODAY, publishers=["XX"]).codes == open_questions
    assert validate(data, as_of=TODAY, publishers=["XQ-1/2"]).codes == frozenset()


def test_findings_beyond_the_cap_are_counted() -> None:
    many = [
        changed("GB-COH-000001-A1", f"GB-COH-000001-{number}").replace('code="KE"', 'code="XX"').replace("2025-01-01", "2026-12-24")
        for number in range(1200)
    ]
    made = built(file_of(*many), date(2026, 1, 3))
    assert made.counts == {"9.50.1": 1200, "11.1.4": 1200}
    assert len(made.findings) == 2000
    assert report_from_json(report_to_json(made)) == made
    assert made.on(date(2027, 1, 1)).counts == {"9.50.1": 1200}
    assert made.summary == {"critical": 0, "error": 2400, "warning": 0, "advisory": 0}
