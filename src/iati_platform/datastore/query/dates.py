"""Dates in queries: instants, date arithmetic (`NOW-1YEAR/DAY`), and friendly short forms (`2024`, `2024-05`, `2024-05-17`).

Everything becomes a span of milliseconds since 1970, first included, last excluded: an instant is one millisecond long, `2024` a year.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from iati_platform.datastore.query.errors import QueryError
from iati_platform.datastore.values import milliseconds

Span = tuple[int, int]

_SHORT: Final = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_INSTANT: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?Z?", re.ASCII)
_STEP: Final = re.compile(r"([+-])(\d{1,6})([A-Z]+)|/([A-Z]+)", re.ASCII)
_UNITS: Final = {
    "YEAR": "year", "YEARS": "year", "MONTH": "month", "MONTHS": "month", "DAY": "day", "DAYS": "day", "DATE": "day",
    "HOUR": "hour", "HOURS": "hour", "MINUTE": "minute", "MINUTES": "minute", "SECOND": "second", "SECONDS": "second",
    "MILLI": "milli", "MILLIS": "milli", "MILLISECOND": "milli", "MILLISECONDS": "milli",
}  # fmt: skip
_LENGTHS: Final = {
    "day": timedelta(days=1), "hour": timedelta(hours=1), "minute": timedelta(minutes=1), "second": timedelta(seconds=1),
    "milli": timedelta(milliseconds=1),
}  # fmt: skip


def span(text: str, now: datetime) -> Span:
    """The time `text` stands for. QueryError when it is not a date."""
    text = text.strip()
    try:
        short = _SHORT.fullmatch(text)
        if short:
            return _short(*short.groups())
        moment, rest = _base(text, now)
        start = milliseconds(_arithmetic(moment, rest, text))
    except (ValueError, OverflowError) as error:
        if isinstance(error, QueryError):
            raise
        raise _not_a_date(text) from error
    return start, start + 1


def _not_a_date(text: str) -> QueryError:
    return QueryError(f"{text!r} is not a date: write 2024-05-17T00:00:00Z, 2024-05-17, 2024-05, 2024 or NOW-1YEAR/DAY.")


def _short(year: str, month: str | None, day: str | None) -> Span:
    start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
    unit = "year" if month is None else "month" if day is None else "day"
    if unit == "day":
        return milliseconds(start), milliseconds(start) + 86_400_000
    if start.year == 9999 and (unit == "year" or start.month == 12):
        return milliseconds(start), milliseconds(datetime(9999, 12, 31, tzinfo=UTC)) + 86_400_000
    return milliseconds(start), milliseconds(_shifted(start, 1, unit))


def _base(text: str, now: datetime) -> tuple[datetime, str]:
    if text.startswith("NOW"):
        return now, text[3:]
    match = _INSTANT.match(text)
    if match is None:
        raise _not_a_date(text)
    year, month, day, hour, minute, second, fraction = match.groups()
    late = hour == "24"
    moment = datetime(
        int(year),
        int(month),
        int(day),
        0 if late else int(hour),
        int(minute),
        int(second or 0),
        int(((fraction or "") + "000000")[:6]),
        tzinfo=UTC,
    )
    return moment + timedelta(days=1) if late else moment, text[match.end() :]


def _arithmetic(moment: datetime, steps: str, text: str) -> datetime:
    position = 0
    while position < len(steps):
        match = _STEP.match(steps, position)
        if match is None:
            raise _not_a_date(text)
        sign, amount, unit, rounding = match.groups()
        name = _UNITS.get(unit or rounding)
        if name is None:
            raise QueryError(f"{unit or rounding} is not a unit of time: use YEAR, MONTH, DAY, HOUR, MINUTE, SECOND.")
        moment = _rounded(moment, name) if rounding else _shifted(moment, int(sign + amount), name)
        position = match.end()
    return moment


def _shifted(moment: datetime, amount: int, unit: str) -> datetime:
    if unit in _LENGTHS:
        return moment + amount * _LENGTHS[unit]
    months = moment.year * 12 + moment.month - 1 + amount * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            if day == 28:
                raise
    return moment.replace(year=year, month=month + 1)


def _rounded(moment: datetime, unit: str) -> datetime:
    if unit == "milli":
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    parts = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    kept = ("year", "month", "day", "hour", "minute", "second")
    for name in kept[: kept.index(unit) + 1]:
        parts.pop(name, None)
    return moment.replace(**parts)  # type: ignore[arg-type]
