"""Charts are right, readable without eyes, and allowed by the Content-Security-Policy."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from iati_platform.web import charts
from iati_platform.web.charts import Series

SVG = "{http://www.w3.org/2000/svg}"


def drawn(chart: charts.Chart) -> etree._Element:
    return etree.fromstring(str(chart.svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


ALL = [
    charts.line("Files", ["2024", "2025", "2026"], [Series("all", [1, None, 4]), Series("valid", [0, 1, 2.5])]),
    charts.line("Nothing", [], [Series("all", [])]),
    charts.line("One day", ["2026-11-22"], [Series("all", [3])]),
    charts.bars("Countries <b>", ["Kenya & co", "<script>"], [12, 0]),
    charts.stacked("Kinds", ["a", "b"], [Series("x", [1, 2]), Series("y", [3, 0])]),
    charts.histogram("Sizes", ["< 1 kB", "≥ 1 kB"], [0, 7]),
]


@pytest.mark.parametrize("chart", ALL, ids=lambda chart: chart.title)
def test_every_chart_is_well_formed_named_and_without_inline_style(chart: charts.Chart) -> None:
    root = drawn(chart)
    assert root.get("role") == "img"
    first, second = (root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc"))
    assert (first, second) == (chart.title, chart.description)
    assert root.get("aria-labelledby") == f"{root[0].get('id')} {root[1].get('id')}"
    assert "style=" not in chart.svg
    assert not root.findall(f".//{SVG}script")


def test_bars_start_at_zero_and_keep_proportion() -> None:
    bars = drawn(charts.bars("Countries", ["Kenya", "Nepal", "none"], [100, 25, 0])).findall(f"{SVG}rect")
    assert [bar.get("x") for bar in bars] == ["0.0", "0.0"]
    wide, narrow = (float(bar.get("width", "")) for bar in bars)
    assert wide == pytest.approx(4 * narrow, abs=0.2)


def test_the_last_value_of_a_line_is_written_and_a_gap_is_not_bridged() -> None:
    chart = charts.line("Files", ["a", "b", "c", "d"], [Series("all", [1, None, 3, 35_000])])
    root = drawn(chart)
    assert [text.text for text in root.findall(f"{SVG}text") if text.get("class") == "value"] == ["35 k"]
    assert len(root.findall(f"{SVG}polyline")) == 1
    assert chart.description == "all: 1 (a) to 35,000 (d)."
    assert chart.rows == [["a", 1], ["b", None], ["c", 3], ["d", 35000]]


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (7, [0, 2, 4, 6, 8]),
        (100, [0, 25, 50, 75, 100]),
        (1366, [0, 500, 1000, 1500]),
        (0.4, [0, 0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_axis_steps_are_round(top: float, expected: list[float]) -> None:
    assert charts.ticks(top) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (1200, "1,200"), (35_000, "35 k"), (1_250_000, "1.2 M"), (2.5e9, "2.5 bn"), (3e12, "3 T"), (0.25, "0.25")],
)
def test_axis_numbers_are_short(value: float, expected: str) -> None:
    assert charts.short(value) == expected


def test_a_sparkline_says_its_ends_and_needs_two_values() -> None:
    assert charts.sparkline("x", [1]) == ""
    assert "<desc" in charts.sparkline("Growth", [1, None, 9])
    assert re.search(r"From 1 to 9\.", charts.sparkline("Growth", [1, None, 9]))


def test_the_same_chart_is_the_same_text_so_that_pages_compare_equal() -> None:
    assert charts.bars("A", ["b"], [1]).svg == charts.bars("A", ["b"], [1]).svg
