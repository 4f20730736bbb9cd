"""Reports as pages show them, over hand-made findings."""

from __future__ import annotations

from iati_platform.portal.views import report
from iati_platform.portal.views.report import SourceFinding
from iati_platform.web.cells import State, Tone
from iati_platform.web.parts import Choice, CodeLine, FindingView, Place

FINDINGS = [
    SourceFinding("6.2.2", "warning", "participating", "No funder.", "XM-1", "Wells", [Place("here", "/a/b", 3, 5)]),
    SourceFinding(
        "0.3.1", "critical", "schema", "Not allowed.", "XM-2", "Schools", [Place("one", "/a/c", 1, 1), Place("two", "/a/d", 9, 1)]
    ),
    SourceFinding("6.2.2", "warning", "participating", "No funder.", "XM-2", "Schools", []),
    SourceFinding("9.1.1", "error", "geo", "No such country.", "file", "File level errors", [Place("XX")], "Country"),
]


def test_filters_count_what_the_other_filters_leave() -> None:
    view = report.report("/d/report", False, FINDINGS, {"category": "participating"})
    assert view.severities == [
        Choice("All", 2, "/d/report?category=participating", True),
        Choice("Warning", 2, "/d/report?severity=warning&category=participating"),
    ]
    assert view.categories == [
        Choice("Participating organisations", 2, "/d/report", True),
        Choice("Schema", 1, "/d/report?category=schema"),
        Choice("Places", 1, "/d/report?category=geo"),
    ]
    assert [(one.rule, one.subject) for one in view.findings] == [("6.2.2", "XM-1"), ("6.2.2", "XM-2")]
    assert (view.total, view.page, view.pages, view.address(2)) == (2, 1, 1, "/d/report?category=participating&page=2")


def test_words_are_looked_for_in_activity_message_and_rule() -> None:
    assert [one.rule for one in report.select(FINDINGS, {"q": "schools FUNDER"})] == ["6.2.2"]
    assert [one.rule for one in report.select(FINDINGS, {"q": "9.1.1"})] == ["9.1.1"]


def test_pages_are_cut_and_nonsense_leads_to_a_page_that_exists() -> None:
    many = [FINDINGS[0]] * 60
    assert [len(report.report("/r", True, many, {"page": page}).findings) for page in ("1", "3", "99", "-1", "x")] == [25, 10, 10, 25, 25]


def test_in_short_the_worst_comes_first_with_one_place_each() -> None:
    short = report.grouped(FINDINGS, "/d/report", {"6.2.2": 1002, "0.3.1": 1, "9.1.1": 1})
    assert [(one.rule, one.count, len(one.places), one.href) for one in short] == [
        ("0.3.1", 1, 1, "/d/report?rule=0.3.1"),
        ("9.1.1", 1, 1, "/d/report?rule=9.1.1"),
        ("6.2.2", 1002, 1, "/d/report?rule=6.2.2"),
    ]
    assert (short[1].subject, short[1].subject_title, short[1].codelist) == ("", "", "Country")


def test_the_table_has_a_row_per_place() -> None:
    rows = list(report.export_rows(FINDINGS[1:3]))
    assert rows == [
        ["0.3.1", "critical", "schema", "Not allowed.", "XM-2", "Schools", "one", "/a/c", 1, 1, ""],
        ["0.3.1", "critical", "schema", "Not allowed.", "XM-2", "Schools", "two", "/a/d", 9, 1, ""],
        ["6.2.2", "warning", "participating", "No funder.", "XM-2", "Schools", "", "", None, None, ""],
    ]


def test_an_excerpt_shows_the_lines_around_and_cuts_long_ones() -> None:
    data = b"<a>\r\n<b/>\n" + b"<c>" + "é".encode() * 300 + b"</c>\n</a>"
    severity = State(Tone.BAD, "Critical", code="critical")
    finding = FindingView(
        "1", severity, "Schema", "m", [Place("x", "", 3, 200), Place("y", "", 1, 1), Place("z", "", 99), Place("file")], 4
    )
    (shown,) = report.with_excerpts([finding], data)
    middle, first, beyond, whole = shown.places
    assert [line.number for line in middle.excerpt] == [2, 3, 4]
    assert middle.excerpt[0] == CodeLine(2, "<b/>")
    assert middle.excerpt[1] == CodeLine(3, "…" + "é" * 160 + "…", marked=True)
    assert middle.excerpt[2] == CodeLine(4, "</a>")
    assert list(first.excerpt) == [CodeLine(1, "<a>", marked=True), CodeLine(2, "<b/>")]
    assert (list(beyond.excerpt), list(whole.excerpt)) == ([], [])
