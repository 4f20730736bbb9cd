"""Texts to typed values."""

from __future__ import annotations

import pytest

from iati_platform.datastore.values import boolean, instant, instant_text, integer, number, point


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2021-03-04", "2021-03-04T00:00:00Z"),
        ("2021-03-04Z", "2021-03-04T00:00:00Z"),
        ("2021-03-04+05:00", "2021-03-04T00:00:00Z"),
        ("2021-03-04T11:23:45+01:00", "2021-03-04T11:23:45Z"),
        ("2021-03-04T11:23:45.250Z", "2021-03-04T11:23:45.25Z"),
        ("2021-03-04T24:00:00", "2021-03-05T00:00:00Z"),
        ("2021-03-04 11:23", "2021-03-04T11:23:00Z"),
        ("20210304", "2021-03-04T00:00:00Z"),
        ("2021-03", "2021-03-01T00:00:00Z"),
        ("04/03/2021", "2021-03-04T00:00:00Z"),
        ("9999-12-31", "9999-12-31T00:00:00Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z"),
        ("1900-02-29", None),
        ("10000-01-01", None),
        ("2021-W01-1", None),
        ("soon", None),
        ("", None),
    ],
)
def test_dates_are_wall_clock_times(text: str, wanted: str | None) -> None:
    value = instant(text)
    assert (None if value is None else instant_text(value)) == wanted


def test_numbers() -> None:
    assert [number(text) for text in ("5", "-1.50", "1e3", ".5", "nan", "inf", "1_0", "1,000", "", "٣")] == [
        5.0,
        -1.5,
        1000.0,
        0.5,
        *[None] * 6,
    ]
    assert [integer(text) for text in ("5", "-5", "2147483647", "2147483648", "1.0", "1_0", "")] == [5, -5, 2147483647, *[None] * 4]
    assert [boolean(text) for text in ("1", "true", "True", "0", "yes", "")] == [True, True, True, False, False, False]


def test_points_need_two_numbers_in_range() -> None:
    assert point("1.5  -2") == (1.5, -2.0, "1.5,-2")
    assert [point(text) for text in ("1.5", "1 2 3", "91 0", "0 181", "a b", "")] == [None] * 6
