"""From the text of an attribute or element to a typed value: dates, numbers, booleans, points (spec/datastore.md §5.2-5.4).

Dates are instants in milliseconds since 1970, of the wall-clock time as written: the offset is dropped, as the peer does (§5.4 rule 4).
Every function gives None for what cannot be read; such values are left out.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Final

_FIRST_DAY: Final = date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_INSTANT: Final = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?\s*(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?", re.ASCII | re.IGNORECASE
)
_COMPACT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_MONTH: Final = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", re.ASCII)
_POINT: Final = re.compile(r"\s*(\S+)\s+(\S+)\s*")
_MAX_INT: Final = 2**31 - 1


def milliseconds(moment: datetime) -> int:
    """An aware moment as milliseconds since 1970."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000 + delta.microseconds // 1_000


def instant(text: str) -> int | None:
    """A date or date-time as milliseconds; a day is its midnight. None when it cannot be read."""
    if len(text) == 10 and text[4] == "-" == text[7]:
        try:
            return (date.fromisoformat(text).toordinal() - _FIRST_DAY) * 86_400_000
        except ValueError:
            return None
    match = _DAY.fullmatch(text) or _INSTANT.fullmatch(text) or _COMPACT.fullmatch(text)
    if match:
        parts = [part or "" for part in match.groups()]
        year, month, day, rest = parts[0], parts[1], parts[2], parts[3:]
    elif match := _MONTH.fullmatch(text):
        year, month, day, rest = match[1], match[2], "1", []
    elif match := _DAY_FIRST.fullmatch(text):
        day, month, year, rest = match[1], match[2], match[3], []
    else:
        return None
    hour, minute, second, fraction = [*rest, "", "", "", ""][:4]
    try:
        day_start = datetime(int(year), int(month), int(day), tzinfo=UTC)
        moment = day_start.replace(hour=0 if hour == "24" else int(hour or 0), minute=int(minute or 0), second=min(int(second or 0), 59))
    except ValueError:
        return None
    late = 86_400_000 if hour == "24" else 0
    return milliseconds(moment) + late + int((fraction + "000")[:3])


def instant_text(value: int) -> str:
    """Milliseconds as `2021-01-01T00:00:00Z`, with milliseconds only when there are some (spec §4.1)."""
    seconds, rest = divmod(value, 1_000)
    days, second = divmod(seconds, 86_400)
    try:
        day = datetime.fromordinal(_FIRST_DAY + days)
    except (ValueError, OverflowError):
        return f"{value}"
    text = f"{day.year:04d}-{day.month:02d}-{day.day:02d}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{text}.{rest:03d}".rstrip("0") + "Z" if rest else text + "Z"


def number(text: str) -> float | None:
    """A decimal number; None for anything else, also for what is too large."""
    try:
        value = float(text)
    except ValueError:
        return None
    # Python also reads nan, inf, 1_000 and digits of other scripts.
    return value if math.isfinite(value) and "_" not in text and text.isascii() else None


def integer(text: str) -> int | None:
    """A whole number of 32 bits."""
    try:
        value = int(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None
    return value if value is not None and -_MAX_INT - 1 <= value <= _MAX_INT else None


def boolean(text: str) -> bool:
    """A value that starts with 1, t or T is true, everything else false (spec §3.2)."""
    return text[:1] in ("1", "t", "T") and text != ""


def point(text: str) -> tuple[float, float, str] | None:
    """Latitude, longitude and "lat,lon" of a `pos`: exactly two numbers in range."""
    match = _POINT.fullmatch(text)
    if match is None:
        return None
    latitude, longitude = number(match[1]), number(match[2])
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return latitude, longitude, f"{match[1]},{match[2]}"
