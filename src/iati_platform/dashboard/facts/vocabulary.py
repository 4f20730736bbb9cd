"""Codes that mean the same in 1.x and 2.x; how dates and numbers are read (spec/dashboard.md section 2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"

#: activity-date/@type: 0 planned start, 1 actual start, 2 planned end, 3 actual end.
DATE_TYPES: Final = {
    "1": 0, "start-planned": 0, "2": 1, "start-actual": 1, "3": 2, "end-planned": 2, "4": 3, "end-actual": 3,
}  # fmt: skip

INCOMING_FUNDS: Final = frozenset({"IF", "1"})
COMMITMENT: Final = frozenset({"C", "2", "11"})
SPEND: Final = frozenset({"D", "3", "E", "4"})
#: Money that comes in with a promise or as cash: where a provider's activity can be named.
INCOMING: Final = INCOMING_FUNDS | {"11", "13"}

DAC5: Final = frozenset({"DAC", "1", ""})
DAC3: Final = frozenset({"DAC-3", "2"})
FUNDING: Final = frozenset({"Funding", "1"})
ROLES: Final = {"1": "funding", "2": "accountable", "3": "extending", "4": "implementing"}
EXTENDING: Final = frozenset({"Extending", "3"})
IMPLEMENTING: Final = frozenset({"Implementing", "4"})
TRUE: Final = frozenset({"1", "true"})
FALSE: Final = frozenset({"0", "false"})

HUMANITARIAN_SECTORS: Final = frozenset({"72010", "72011", "72012", "72040", "72050", "73010", "74010", "74020"})
HUMANITARIAN_CATEGORIES: Final = frozenset({"720", "730", "740"})
HUMANITARIAN_VERSIONS: Final = frozenset({"2.02", "2.03"})

#: Yes-no attributes whose values are counted, by element path.
BOOLEANS: Final = {
    "iati-activity": "humanitarian",
    "iati-activity/conditions": "attached",
    "iati-activity/crs-add/aidtype-flag": "significance",
    "iati-activity/crs-add/other-flags": "significance",
    "iati-activity/fss": "priority",
    "iati-activity/reporting-org": "secondary-reporter",
    "iati-activity/result": "aggregation-status",
    "iati-activity/result/indicator": "ascending",
    "iati-activity/transaction": "humanitarian",
    "iati-organisation/reporting-org": "secondary-reporter",
}

_DATE: Final = re.compile(r"-?(\d{4,})-(\d{2})-(\d{2})", re.ASCII)
#: A date that needs no calendar: nothing is built to see that it exists.
_USUAL_DATE: Final = re.compile(r"[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])", re.ASCII)
_XSD_DATE: Final = re.compile(r"-?\d{4,}-\d{2}-\d{2}(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
#: Several, with zero characters between. Possessive: a text that is no number must not be tried again in every other way.
_DECIMALS: Final = re.compile(r"[+-]?(?:\d++\.?+\d*+|\.\d++)(?:\0[+-]?(?:\d++\.?+\d*+|\.\d++))*+", re.ASCII)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#<>\"{}|\\^`]+[^\s<>\"{}|\\^`]*")


class _Dates(dict[str, str]):
    """Text -> "YYYY-MM-DD" or "". Dates repeat, so each text is parsed once. Bounded."""

    __slots__ = ()

    def __missing__(self, text: str) -> str:
        if len(self) > 50_000:
            self.clear()
        value = self[text] = _parse(text)
        return value


def _parse(text: str) -> str:
    if _USUAL_DATE.match(text):
        return text[:10]
    found = _DATE.match(text)
    if found is None or text.startswith("-") or len(found[1]) > 4:
        return ""
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        return ""


#: The date at the start of a text, or "" for none or an impossible one. Years before 1 and after 9999 do not occur in earnest.
DATES: Final = _Dates()


class _XsdDates(dict[str, bool]):
    """Text -> is it an xsd:date? Bounded like `_Dates`."""

    __slots__ = ()

    def __missing__(self, text: str) -> bool:
        if len(self) > 50_000:
            self.clear()
        if _USUAL_DATE.fullmatch(text):
            self[text] = True
            return True
        trimmed = text.strip()
        value = self[text] = _XSD_DATE.fullmatch(trimmed) is not None and _parse(trimmed) != ""
        return value


XSD_DATES: Final = _XsdDates()


def amounts(texts: Sequence[str]) -> list[Decimal | None]:
    """The amounts of a column of texts. Nearly always they are all clean: one look at all of them (no XML holds a zero character)."""
    if _DECIMALS.fullmatch("\0".join(texts)):
        return [*map(Decimal, texts)]
    return [*map(amount, texts)]


def amount(text: str) -> Decimal | None:
    """The amount an xsd:decimal states; None if the text is not one ("1,000", "1e3")."""
    trimmed = text.strip()
    return Decimal(trimmed) if _DECIMAL.fullmatch(trimmed) else None


class _Shares(dict[str, Decimal]):
    """Text of a percentage -> its value, 0 for what is not a number. Bounded like `_Dates`."""

    __slots__ = ()

    def __missing__(self, text: str) -> Decimal:
        if len(self) > 50_000:
            self.clear()
        value = self[text] = amount(text) or _ZERO
        return value


_ZERO: Final = Decimal(0)
SHARES: Final = _Shares()


def is_absolute_url(text: str) -> bool:
    return _URL.fullmatch(text.strip()) is not None


def file_version(version: str, known: tuple[str, ...]) -> str:
    """The version statistics count a file under: a 2.x version as declared, everything else 1.01."""
    return version if version.startswith("2.") and version in known else "1.01"
