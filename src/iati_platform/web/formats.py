"""How numbers, sizes, dates and money are written on pages: one way everywhere."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal


def number(value: float | Decimal) -> str:
    """`1234567` as `1,234,567`; decimals as they come, without an exponent."""
    return f"{value:,}" if isinstance(value, int) else f"{Decimal(str(value)):,f}"


def share(part: int, whole: int) -> str:
    """Percentage with one decimal that never rounds a remainder away: 100 % means all of them, 0 % none."""
    if whole <= 0:
        return "–"
    percent = 100 * part / whole
    if part < whole:
        percent = min(percent, 99.9)
    if part > 0:
        percent = max(percent, 0.1)
    return f"{percent:.1f} %" if percent not in (0.0, 100.0) else f"{percent:.0f} %"


def size(octets: int) -> str:
    """Bytes in decimal units with three significant figures: `999 B`, `12.3 kB`, `2.51 GB`."""
    value, unit = float(octets), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            break
        value /= 1000
    if unit == "B":
        return f"{octets} B"
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{digits}f} {unit}"


def wire(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as every API and file says it: `2026-11-22T17:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def minute(moment: datetime) -> str:
    """`2026-11-22 17:00 UTC`, for people."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def distance(day: date | datetime, today: date) -> str:
    """A hint how far away a day is, in whole days so that a page stays the same all day: `3 days ago`."""
    days = (today - (day.astimezone(UTC).date() if isinstance(day, datetime) else day)).days
    if days == 0:
        return "today"
    if days == 1:
        return "yesterday"
    if days == -1:
        return "tomorrow"
    amount, unit = abs(days), "days"
    if amount >= 730:
        amount, unit = amount // 365, "years"
    elif amount >= 60:
        amount, unit = amount // 30, "months"
    return f"{amount} {unit} ago" if days > 0 else f"in {amount} {unit}"
