"""One value, three ways: HTML for people, CSV for sheets, JSON for programs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iati_platform.web import formats
from iati_platform.web.cells import Cell, Code, Link, Money, OutLink, Share, Size, State, Tone, csv_text, html, plain
from iati_platform.web.tables import Column, Order, Table, csv_lines, json_page, json_rows

MOMENT = datetime(2026, 11, 20, 17, 5, 9, tzinfo=UTC)
TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("cell", "page", "sheet", "program"),
    [
        (None, '<span class="nothing" title="not given">–</span>', "", None),
        (1234567, "1,234,567", "1234567", 1234567),
        (True, "yes", "true", True),
        ("a<b", "a&lt;b", "a<b", "a<b"),
        (Link("Wells & more", "/d/wells"), '<a href="/d/wells">Wells &amp; more</a>', "Wells & more", "Wells & more"),
        (Size(52_310), '<span title="52,310 bytes">52.3 kB</span>', "52310", 52310),
        (Share(1, 3), "33.3 %", "0.333333", 0.333333),
        (Share(0, 0), "–", "", None),
        (Money(Decimal("1250.5"), "EUR"), '1,250.5 <abbr class="currency">EUR</abbr>', "1250.5 EUR", "1250.5 EUR"),
        (Code("XM-1"), '<span class="code">XM-1</span>', "XM-1", "XM-1"),
        (
            MOMENT,
            '<time datetime="2026-11-20T17:05:09Z">2026-11-20 17:05 UTC</time> <span class="note">2 days ago</span>',
            "2026-11-20T17:05:09Z",
            "2026-11-20T17:05:09Z",
        ),
        (
            OutLink("https://water.example/a?b=1&c", "a.xml"),
            '<a class="out" href="https://water.example/a?b=1&amp;c" rel="nofollow noopener external">a.xml</a> '
            '<span class="note">water.example</span>',
            "https://water.example/a?b=1&c",
            "https://water.example/a?b=1&c",
        ),
        (OutLink("javascript:alert(1)"), '<span class="code">javascript:alert(1)</span>', "javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_a_cell_is_written_for_each_reader(cell: Cell, page: str, sheet: str, program: object) -> None:
    assert str(html(cell, TODAY)) == page
    assert csv_text(cell) == sheet
    assert plain(cell) == program


def test_a_state_has_icon_word_and_colour_and_a_code_for_machines() -> None:
    state = State(Tone.BAD, "Not available", "no <server>", "error:dns")
    written = str(html(state))
    assert written.startswith('<span class="state bad"><svg class="icon"')
    assert 'aria-hidden="true"' in written
    assert written.endswith('Not available</span> <span class="note">no &lt;server&gt;</span>')
    assert plain(state) == "error:dns"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=SUM(A1)", "'=SUM(A1)"),
        ("@cmd", "'@cmd"),
        ("+1234", "+1234"),
        ("-2", "-2"),
        ("-x", "'-x"),
        ("\t=1", "'\t=1"),
        ("", ""),
        ("plain", "plain"),
    ],
)
def test_text_that_a_spreadsheet_would_run_is_disarmed(text: str, expected: str) -> None:
    assert csv_text(text) == expected


@given(st.text())
def test_no_text_can_break_out_of_a_cell(text: str) -> None:
    written = str(html(text))
    assert "<" not in written or not text
    assert html(Link(text, "/")).count("<") == 2


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (52_310, "52.3 kB"),
        (999_600, "1.00 MB"),
        (2_514_000_000, "2.51 GB"),
        (10**16, "10,000 TB"),
    ],
)
def test_sizes_have_three_figures(octets: int, expected: str) -> None:
    assert formats.size(octets) == expected


@pytest.mark.parametrize(
    ("part", "whole", "expected"), [(999_999, 1_000_000, "99.9 %"), (1, 1_000_000, "0.1 %"), (5, 5, "100 %"), (0, 5, "0 %"), (0, 0, "–")]
)
def test_a_share_is_100_percent_only_when_nothing_is_missing(part: int, whole: int, expected: str) -> None:
    assert formats.share(part, whole) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 22), "today"), (date(2026, 11, 21), "yesterday"), (date(2026, 11, 23), "tomorrow"),
        (date(2026, 11, 1), "21 days ago"),
        (date(2026, 8, 1), "3 months ago"), (date(2020, 1, 1), "6 years ago"), (date(2027, 1, 1), "in 40 days"),
    ],
)  # fmt: skip
def test_distances_are_told_in_words(day: date, expected: str) -> None:
    assert formats.distance(day, TODAY) == expected


COLUMNS = (Column("name", "Name", sortable=True), Column("size", "Size", numeric=True, sortable=True))


def test_a_list_is_one_table_in_three_forms() -> None:
    rows: list[list[Cell]] = [[Link('wells, "north"', "/x"), Size(10)], [None, Size(5)]]
    table = Table("files", COLUMNS, rows, 12, Order("size", True, 2, 2), "/files", {"q": "wells", "kind": ""})
    assert b"".join(csv_lines(COLUMNS, rows)) == b'name,size\r\n"wells, ""north""",10\r\n,5\r\n'
    assert json_rows(COLUMNS, rows) == [{"name": 'wells, "north"', "size": 10}, {"name": None, "size": 5}]
    assert json_page(table, "files") == (
        b'{\n  "total": 12,\n  "page": 2,\n  "pages": 6,\n  "files": [\n'
        b'    {\n      "name": "wells, \\"north\\"",\n      "size": 10\n    },\n'
        b'    {\n      "name": null,\n      "size": 5\n    }\n  ]\n}\n'
    )
    assert (table.first, table.last) == (3, 4)
    assert table.sort_address("size") == "/files?q=wells&sort=size&rows=2"
    assert table.sort_address("name") == "/files?q=wells&sort=name&rows=2"
    assert table.page_address(3) == "/files?q=wells&sort=-size&page=3&rows=2"
    assert table.export_address(".csv") == "/files.csv?q=wells&sort=-size"
    assert (table.sort_state("size"), table.sort_state("name")) == ("descending", "none")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, Order("name")),
        ({"sort": "-size", "page": "3", "rows": "25"}, Order("size", True, 3, 25)),
        ({"sort": "password", "page": "-1", "rows": "7"}, Order("name")),
        ({"page": "9" * 40, "rows": "١٢"}, Order("name")),
    ],
)
def test_the_order_is_read_from_the_address_and_nonsense_falls_back(query: dict[str, str], expected: Order) -> None:
    assert Order.read(query, ["name", "size"], "name") == expected


@pytest.mark.parametrize(
    ("page", "total", "expected"),
    [(1, 10, [1]), (1, 500, [1, 2, None, 10]), (5, 500, [1, None, 4, 5, 6, None, 10]), (10, 500, [1, None, 9, 10])],
)
def test_paging_links_the_ends_and_the_neighbours(page: int, total: int, expected: list[int | None]) -> None:
    assert Table("x", COLUMNS, [], total, Order("name", page=page)).page_numbers() == expected
