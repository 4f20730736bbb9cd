"""Published texts to typed Arrow columns: the whole column at once where it is clean, value by value where it is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final

import pyarrow as pa

from iati_platform.datastore.tables.specification import Type

#: Money is exact: sums of doubles differ in the last digits from plan to plan (design/throughput.md section 10). 20 digits before the
#: point hold any amount in any currency; a fifth decimal is rounded half to even.
MONEY: Final = pa.decimal128(24, 4)
_CENT: Final = Decimal("0.0001")
_MOST: Final = Decimal(10) ** 20

ARROW_TYPES: Final[dict[Type, pa.DataType]] = {
    Type.TEXT: pa.string(),
    Type.CODE: pa.string(),
    Type.DATE: pa.date32(),
    Type.MONEY: MONEY,
    Type.NUMBER: pa.float64(),
    Type.LATITUDE: pa.float64(),
    Type.LONGITUDE: pa.float64(),
    Type.INTEGER: pa.int32(),
    Type.FLAG: pa.bool_(),
}

_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_UNIX_EPOCH: Final = date(1970, 1, 1).toordinal()
_FLAGS: Final = {"1": True, "true": True, "0": False, "false": False}


def parse_date(text: str) -> int | None:
    """Days since 1970-01-01 of a text that starts with an ISO date (spec/dashboard.md section 2); None for no or an impossible date."""
    found = _DATE.match(text)
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).toordinal() - _UNIX_EPOCH
    except ValueError:
        return None


def parse_money(text: str) -> Decimal | None:
    """An amount with at most 4 decimals; None for what is not a number or has more than 20 digits. "1,000" is not a number in XML."""
    if _NUMBER.fullmatch(text) is None:
        return None
    try:
        value = Decimal(text)
        return value.quantize(_CENT) if abs(value) < _MOST else None
    except InvalidOperation:
        return None


def parse_number(text: str) -> float | None:
    """A finite number written in digits; None otherwise."""
    if _NUMBER.fullmatch(text) is None:
        return None
    value = float(text)
    return value if isfinite(value) else None


def parse_integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def parse_flag(text: str) -> bool | None:
    return _FLAGS.get(text)


def parse_latitude(text: str) -> float | None:
    """From "latitude longitude" (point/pos) or a lone number; out of range is None."""
    return _coordinate(text.split(), 0, 90.0)


def parse_longitude(text: str) -> float | None:
    return _coordinate(text.split(), -1, 180.0)


def _coordinate(parts: list[str], which: int, most: float) -> float | None:
    value = parse_number(parts[which]) if 1 <= len(parts) <= 2 else None
    return value if value is not None and abs(value) <= most else None


class Memory(dict[str | None, Any]):
    """Remembers what a text was parsed to: dates, codes and flags repeat thousands of times in a file. Bounded."""

    __slots__ = ("parse",)
    LIMIT: Final = 50_000

    def __init__(self, parse: Callable[[str], Any]) -> None:
        super().__init__({None: None})
        self.parse = parse

    def __missing__(self, text: str) -> Any:
        if len(self) > self.LIMIT:
            self.clear()
            self[None] = None
        value = self[text] = self.parse(text)
        return value


_dates, _flags, _integers = Memory(parse_date), Memory(parse_flag), Memory(parse_integer)
_latitudes, _longitudes, _numbers = Memory(parse_latitude), Memory(parse_longitude), Memory(parse_number)

_PARSED: Final[dict[Type, Memory]] = {
    Type.DATE: _dates,
    Type.FLAG: _flags,
    Type.INTEGER: _integers,
    Type.NUMBER: _numbers,
    Type.LATITUDE: _latitudes,
    Type.LONGITUDE: _longitudes,
}


def column(kind: Type, values: Sequence[str | None]) -> pa.Array:
    """Trimmed, non-empty texts or None as one typed Arrow array of the same length."""
    if values.count(None) == len(values):
        return pa.nulls(len(values), ARROW_TYPES[kind])
    if kind is Type.TEXT or kind is Type.CODE:
        return pa.array(values, pa.string())
    if kind is Type.MONEY:
        return _money(values)
    return pa.array([*map(_PARSED[kind].__getitem__, values)], ARROW_TYPES[kind])


def _money(values: Sequence[str | None]) -> pa.Array:
    """Arrow's own parser for the clean column (nearly always), else value by value."""
    try:
        return pa.array(values, pa.string()).cast(MONEY)
    except pa.ArrowInvalid:
        return pa.array([None if text is None else parse_money(text) for text in values], MONEY)
